"""Checkpoints: all state of a level, as it is between two days, to go on from.

MLflow and Prefect keep absolute paths, so a level is always played at one place: a checkpoint is a copy elsewhere,
and going on from it is a copy back. Databases are copied by SQLite itself, in one consistent state, also while a
server has them open. Files that are never written again are shared; all others are copied, so nothing that is played
can change a checkpoint.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from shared.places import link_or_copy, write_atomically

# Written once and never again, by anybody: a later version has a name of its own.
NEVER_WRITTEN_AGAIN = {".npz", ".npy", ".parquet"}
DATABASES = {".db", ".sqlite"}
# What a process that ran there has left. Databases are copied whole, so nothing beside them is.
LEFTOVERS = shutil.ignore_patterns("*-wal", "*-shm", "*-journal", "__pycache__", ".*.lock", ".*.holder")
# Prefect's cached results of steps: they save time, take 20 MB each, and change no result.
CACHED_RESULTS = ("prefect", "storage")
WHOLE = "checkpoint.json"


def save(played: Path, checkpoint: Path) -> None:
    """Copy a level's folder; the copy appears whole or not at all."""
    part = checkpoint.with_name(f".{checkpoint.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(played, part, copy_function=copy_one, ignore=left_out, symlinks=True)
    write_atomically(part / WHOLE, json.dumps({"played_at": str(played), "files": count_files(part) + 1}).encode())
    shutil.rmtree(checkpoint, ignore_errors=True)
    part.rename(checkpoint)


def restore(checkpoint: Path, played: Path) -> None:
    """Put a checkpoint's state in the place where the level is played. What was there is gone."""
    shutil.rmtree(played, ignore_errors=True)
    shutil.copytree(checkpoint, played, copy_function=copy_kept, symlinks=True)
    (played / WHOLE).unlink()


def is_usable(checkpoint: Path, played: Path) -> bool:
    """Whether a checkpoint is whole, and of the place where the level is played; one that is not is made anew."""
    try:
        known = json.loads((checkpoint / WHOLE).read_bytes())
        whole = known["files"] == count_files(checkpoint) and known["played_at"] == str(played)
        return whole and all(is_sound(path) for path in checkpoint.rglob("*.db"))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def left_out(folder: str, names: list[str]) -> set[str]:
    """What of a folder a checkpoint is without."""
    parent, results = CACHED_RESULTS
    cached = {name for name in names if name == results and Path(folder).name == parent}
    return set(LEFTOVERS(folder, names)) | cached


def copy_one(source: str, target: str) -> str:
    """Copy a file the way that its kind needs."""
    suffix = Path(source).suffix
    if suffix in NEVER_WRITTEN_AGAIN:
        link_or_copy(source, target)
    elif suffix in DATABASES:
        copy_database(source, target)
    else:
        shutil.copy2(source, target)
    return target


def copy_kept(source: str, target: str) -> str:
    """Copy a file of a checkpoint, where nobody has a database open: SQLite would leave files of its own beside it."""
    if Path(source).suffix in DATABASES:
        return str(shutil.copy2(source, target))
    return copy_one(source, target)


def copy_database(source: str, target: str) -> None:
    """Copy a SQLite file in one consistent state; one that is none is copied as it is."""
    try:
        with (
            closing(sqlite3.connect(f"{Path(source).absolute().as_uri()}?mode=ro", uri=True)) as known,
            closing(sqlite3.connect(target)) as copy,
        ):
            known.backup(copy)
    except sqlite3.Error:
        shutil.copy2(source, target)


def is_sound(database: Path) -> bool:
    """Whether SQLite finds nothing wrong with a file."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?immutable=1", uri=True)) as known:
            return bool(known.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except sqlite3.Error:
        return False


def count_files(folder: Path) -> int:
    """The number of files below a folder."""
    return sum(path.is_file() for path in folder.rglob("*"))

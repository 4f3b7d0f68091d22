"""Checkpoints hold all of a level, and nothing that is played afterwards changes them."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from comparison import checkpoints


@pytest.fixture
def played(tmp_path: Path) -> Path:
    folder = tmp_path / "played" / "level3"
    (folder / "home" / "bundles").mkdir(parents=True)
    (folder / "home" / "bundles" / "numbers.npz").write_bytes(b"numbers")
    (folder / "home" / "live.json").write_text("1.0")
    (folder / "code").mkdir()
    (folder / "code" / "requirements.lock").write_text("locked")
    (folder / "home" / ".pipeline.lock").touch()
    (folder / "home" / "prefect" / "storage").mkdir(parents=True)
    (folder / "home" / "prefect" / "storage" / "result").write_bytes(b"a trained model")
    with closing(sqlite3.connect(folder / "home" / "mlflow.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE runs (number INTEGER)")
        database.execute("INSERT INTO runs VALUES (1)")
        database.commit()
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def numbers(folder: Path) -> list[tuple]:
    with closing(sqlite3.connect(folder / "home" / "mlflow.db")) as database:
        return database.execute("SELECT number FROM runs").fetchall()


def test_what_is_played_after_a_restore_changes_not_one_byte_of_the_checkpoint(played: Path, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints" / "2017-05-03"
    checkpoints.save(played, kept)
    before = digests(kept)
    checkpoints.restore(kept, played)
    (played / "home" / "live.json").write_text("1.1")
    (played / "home" / "bundles" / "more.npz").write_bytes(b"more")
    (played / "home" / "bundles" / "numbers.npz").unlink()
    with closing(sqlite3.connect(played / "home" / "mlflow.db")) as database:
        database.execute("INSERT INTO runs VALUES (2)")
        database.commit()
    assert digests(kept) == before
    checkpoints.restore(kept, played)
    assert (played / "home" / "live.json").read_text() == "1.0"
    assert (played / "home" / "bundles" / "numbers.npz").read_bytes() == b"numbers"
    assert (played / "code" / "requirements.lock").read_text() == "locked"
    assert not (played / "home" / ".pipeline.lock").exists()
    assert not (played / "home" / "prefect" / "storage").exists()
    assert numbers(played) == [(1,)]


def test_a_database_that_is_written_meanwhile_is_copied_in_one_consistent_state(played: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(played / "home" / "mlflow.db")) as writer:
        writer.execute("INSERT INTO runs VALUES (2)")  # not committed
        checkpoints.save(played, tmp_path / "kept")
        assert numbers(tmp_path / "kept") == [(1,)]
        writer.rollback()


def test_a_damaged_checkpoint_is_not_usable(played: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert not checkpoints.is_usable(kept, played)
    checkpoints.save(played, kept)
    assert checkpoints.is_usable(kept, played)
    assert not checkpoints.is_usable(kept, tmp_path / "another place")
    content = (kept / "home" / "mlflow.db").read_bytes()
    (kept / "home" / "mlflow.db").write_bytes(content[:100] + b"\0" * 200 + content[300:])
    assert not checkpoints.is_usable(kept, played)
    (kept / "home" / "mlflow.db").write_bytes(content)
    (kept / "home" / "live.json").unlink()
    assert not checkpoints.is_usable(kept, played)


def test_a_file_that_only_looks_like_a_database_is_copied_as_it_is(played: Path, tmp_path: Path) -> None:
    (played / "home" / "other.db").write_bytes(b"no database at all" * 100)
    checkpoints.save(played, tmp_path / "kept")
    assert (tmp_path / "kept" / "home" / "other.db").read_bytes() == b"no database at all" * 100

"""`make clean` runs it: removes the state of this checkout, or of a named home, and stops what it would orphan.

A home that the environment names stays, unless it is named on make's command line: it may be production's. What is
not ours in a home that was named stays, and is told.
"""

import argparse
import json
import os
import re
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from mlops.commands.doctor import nobody_working
from shared.errors import UsageError
from shared.identity import FILE
from shared.locks import held
from shared.places import CHECKOUT, home
from shared.program import run_program
from shared.service.process import stop

OURS = re.compile(
    r"shop|aside|level[1-4]|servers|prefect|act|season|comparison|" + re.escape(FILE) + r"|\.shop\..*|\..*\.lock"
)
OF_ONE_HOME = ("level*", "level1/server", "level*/staging", "servers")
# Each level of a season has a home of its own.
OF_PROCESSES = (*OF_ONE_HOME, *(f"season/*/played/*/home/{pattern}" for pattern in OF_ONE_HOME))


def main() -> None:
    """Stop what runs, then remove."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--named", action="store_true", help="the home that MLOPS_HOME names, not this checkout's")
    named = arguments.parse_args().named
    elsewhere = os.environ.get("MLOPS_HOME")
    shutil.rmtree(CHECKOUT / "live-copy", ignore_errors=True)
    tell(clean(home(), everything=False) if named else clean(CHECKOUT / "var", everything=True))
    if elsewhere and not named:
        tell([f"MLOPS_HOME names {home()}, which stays. To remove that one: make clean MLOPS_HOME='{home()}'"])


def clean(folder: Path, everything: bool) -> list[str]:
    """Remove a home's state; returns in words what was done. `everything`: also what is not known to be ours."""
    if not folder.is_dir():
        return [f"There is nothing in {folder}."]
    known = [entry for entry in sorted(folder.iterdir()) if OURS.fullmatch(entry.name)]
    if not everything and not (folder / FILE).exists() and not (folder / "shop" / "shop.json").exists():
        raise UsageError(
            f"{folder} is no home of ours.", fix="Name the folder that holds `shop` and `level1` to `level4`."
        )
    with ExitStack() as kept_out:
        for level in folder.glob("level*"):
            kept_out.enter_context(nobody_working(level))
        if (folder / "season").is_dir():
            kept_out.enter_context(held(folder / "season" / ".lock", busy=f"A season is being played in {folder}."))
        told = [f"Stopped: {name} of {at}." for at, name in processes(folder) if stop(at, name)]
    for entry in sorted(folder.iterdir()) if everything else known:
        remove(entry)
    left = sorted(entry.name for entry in folder.iterdir())
    if left:
        return [*told, f"Removed what is ours in {folder}; not ours, and left alone: {', '.join(left)}."]
    if not folder.is_symlink():
        folder.rmdir()
    return [*told, f"Removed {folder}."]


def processes(folder: Path) -> list[tuple[Path, str]]:
    """The folders and names of the processes that a home has recorded."""
    records = [file for pattern in OF_PROCESSES for at in folder.glob(pattern) for file in at.glob("*.json")]
    return [(file.parent, file.stem) for file in records if is_record(file)]


def is_record(file: Path) -> bool:
    """Whether a file is the record of a process."""
    try:
        return {"pid", "port"} <= set(json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return False


def remove(entry: Path) -> None:
    """Remove a file, a folder, or a link, but not what it leads to."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def tell(lines: list[str]) -> None:
    """Print lines."""
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    run_program(main)

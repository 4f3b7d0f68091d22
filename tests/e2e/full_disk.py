"""Fills the disk at each write of a switch and of a rollback: pointer, ledger and service must agree afterwards.

Run it by hand: `PYTHONPATH=. .venv/bin/python tests/e2e/full_disk.py` (about two minutes); fast tests play it without
a service. For each command and each of its writes there are two runs: this one write fails, or all do from then on.
After it what answers, the pointer and the ledger must name one release, whole, and the same command must work once
there is space. It ends with a table; exit code 1 if anything was not as it must be.

A write is a file opened for writing, a folder made, or an SQLite file opened. The command runs in a fork, in which
opening raises ENOSPC and no file may grow any more (RLIMIT_FSIZE), so that SQLite finds no space either. Renaming and
removing need none.
"""

import errno
import os
import resource
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from level3_cicd import deploy
from level3_cicd.ledger import live_rows
from level3_cicd.rollout.store import pointer_to
from level3_cicd.rollout.switch import switch
from level3_cicd.rollout.takeover import follows
from shared.errors import MlopsError
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import verify
from shared.release.pointer import require_pointer
from shared.service.follower import Follower
from shared.service.process import find, start, stop
from shared.service.waiting import wait_until
from tests.conftest import make_products, make_transactions

DAY = date(2017, 2, 9)
MOST_WRITES = 200
DONE, FAILED, UNTOUCHED, BROKEN = range(4)
Command = Callable[[Path], object]
Answers = Callable[[Path], str]


def fill_at(number: int, folder: Path, for_good: bool) -> list[str]:
    """Let this process's write of a number below a folder find no space, and all later ones if it stays so.

    Returns the list of the writes, which grows as they are made.
    """
    writes: list[str] = []

    def on_event(event: str, given: tuple[Any, ...]) -> None:
        opens = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not (opens or event in ("os.mkdir", "sqlite3.connect")) or str(folder) not in str(given[0]):
            return
        writes.append(f"{event} {given[0]}")
        full = len(writes) == number or (for_good and len(writes) > number)
        # What is opened in C, as SQLite's journal, is not seen here; so files may not grow either.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0 if full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        if full and event != "sqlite3.connect":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(given[0]))

    sys.addaudithook(on_event)
    return writes


def in_fork(command: Command, folder: Path, number: int = 0, for_good: bool = False) -> int:
    """Run a command in a fork whose disk is full at a write: DONE, FAILED with an error in words, UNTOUCHED, BROKEN."""
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            writes = fill_at(number, folder, for_good)
            command(folder)
            code = DONE if len(writes) >= number else UNTOUCHED
        except (MlopsError, OSError) as error:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            sys.stderr.write(f"{command.__name__}, no space at write {number}: {error}\n")
            code = FAILED
        except BaseException:  # noqa: BLE001  a fork must not go on with its parent's program
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.WEXITSTATUS(os.waitpid(child, 0)[1])


def deploy_second(level: Path) -> None:
    """Switch to 1.1."""
    bundle = verify(level / "bundles" / "1.1")
    switch(level, bundle, pointer_to("1.1", bundle), DAY, "deploy", "test", "tried")


def go_back(level: Path) -> None:
    """Go back to 1.0."""
    deploy.rollback(level, DAY)


def prepare(level: Path, command: Command) -> None:
    """A level with two releases; the one that the command makes live is not live yet."""
    for number, release in enumerate(("1.0", "1.1")):
        folder = level / "bundles" / release
        model = Frecency(half_life=80.0 + number).fit(make_transactions())
        write_bundle(folder, model, make_products(), Evidence("data", "code"))
    bundle = verify(level / "bundles" / "1.0")
    switch(level, bundle, pointer_to("1.0", bundle), DAY, "deploy", "test", "made")
    if command is go_back:
        deploy_second(level)


def faults(level: Path, answers: Answers) -> list[str]:
    """Disagreements of pointer, ledger and service, and what was left behind."""
    pointer = require_pointer(level)
    verify(level / pointer.bundle, pointer.bundle_digest)
    told = {"pointer": pointer.release, "ledger": live_rows(level)[-1].release, "service": answers(level)}
    found = [] if len(set(told.values())) == 1 else [str(told)]
    return found + [f"{file.name} was left behind" for file in (*level.glob(".*.json.*"), *level.glob("go_back.json"))]


def ask_new_service(level: Path) -> str:
    """The release that a service which starts now would answer with."""
    service = Follower(level)
    service.follow()
    return service.live.release if service.live else "none"


def ask_running_service(level: Path) -> str:
    """The release that the running service answers with, once it has looked at the pointer."""
    running = find(level)
    if running is None:
        return "no service"
    named = require_pointer(level)
    wait_until(lambda: follows(running, named), 5)
    return str(running.recommend("c00")["release"])


def fill_at_each_write(
    level: Path, command: Command, for_good: bool, answers: Answers = ask_new_service
) -> tuple[int, list[str]]:
    """Fill the disk at each write of a command; returns how many writes that were, and what was wrong."""
    made = level.with_name("made")
    prepare(made, command)
    wrong: list[str] = []
    for number in range(1, MOST_WRITES):
        restore(made, level)
        ended = in_fork(command, level, number, for_good)
        if ended == UNTOUCHED:
            return number - 1, wrong
        found = faults(level, answers) + (["it has no words"] if ended == BROKEN else [])
        if ended == FAILED:
            found += [] if in_fork(command, level) == DONE else ["the command does not work afterwards"]
            found += faults(level, answers)
        wrong += [f"{command.__name__}, write {number}: {fault}" for fault in found]
    raise AssertionError("it never ended")


def restore(made: Path, level: Path) -> None:
    """Bring a level back to what it was; a service that runs goes on."""
    level.mkdir(exist_ok=True)
    for left in level.glob("*"):
        if left.is_file() and not (made / left.name).exists() and not left.name.startswith("service"):
            left.unlink()
    for item in made.iterdir():
        if item.is_file():
            shutil.copy2(item, level / ".restored")
            (level / ".restored").replace(level / item.name)
        elif not (level / item.name).exists():
            shutil.copytree(item, level / item.name)


def main() -> int:
    """Fill the disk at each write of each command, with a service that answers meanwhile; print the table."""
    lines, wrong = [], []
    for command in (deploy_second, go_back):
        for for_good in (False, True):
            with tempfile.TemporaryDirectory() as temporary:
                os.environ["MLOPS_HOME"] = temporary
                level = Path(temporary) / "level3"
                level.mkdir()
                start(level, "level3_cicd.serve", 8003, needs="/healthz")
                try:
                    writes, found = fill_at_each_write(level, command, for_good, ask_running_service)
                finally:
                    stop(level)
            lines.append(f"| {command.__name__} | {'from then on' if for_good else 'once'} | {writes} | {len(found)} |")
            wrong += found
    table = ["| command | no space | writes | faults |", "|---|---|---|---|", *lines, *wrong]
    sys.stdout.write("\n".join(table) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

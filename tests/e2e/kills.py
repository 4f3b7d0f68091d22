"""Kills a rollback with SIGKILL before each of its writes, and at random moments, while customers ask.

Run it by hand: `PYTHONPATH=. .venv/bin/python tests/e2e/kills.py`. After each kill the pointer must be whole, the
next command must work and tell in the ledger what is live; no customer may be left without an answer.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

from level3_cicd.deploy import pointer_to, rollback
from level3_cicd.ledger import live_rows
from level3_cicd.switch import switch
from shared.bundle import Evidence, open_bundle, write_bundle
from shared.dataset import open_feed
from shared.errors import MlopsError
from shared.model import Frecency
from shared.pointer import require_pointer
from shared.running import Running, start, stop

AS_OF = date(2017, 6, 4)
RANDOM_KILLS = 30
WRITES = ("os.rename", "os.remove", "os.mkdir", "sqlite3.connect")


def child(level: Path, kill_at: int) -> None:
    """Roll back, but be killed before the write of that number. Prints the number of writes."""
    seen = 0

    def watch(event: str, given: tuple[Any, ...]) -> None:
        nonlocal seen
        opens = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (opens or event in WRITES) and str(level) in str(given[0]):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    rollback(level, AS_OF)
    sys.stdout.write(f"{seen}\n")


def prepare(home: Path) -> Path:
    """A level with two releases in its store, the second one live."""
    level = home / "level3"
    feed = open_feed(home / "shop")
    model = Frecency().fit(feed.through(AS_OF), as_of=AS_OF)
    for release in ("1.0", "1.1"):
        write_bundle(level / "bundles" / release, model, feed.products(), Evidence(release, "data", "code"))
        bundle = open_bundle(level / "bundles" / release)
        switch(level, bundle, pointer_to(bundle), AS_OF, "deploy", "kills", "prepared")
    return level


def keep_asking(service: Running, stopped: threading.Event, failures: list[str], asked: list[int]) -> None:
    """50 questions a second until stopped."""
    while not stopped.is_set():
        try:
            service.recommend("1")
        except MlopsError as error:
            failures.append(str(error))
        asked[0] += 1
        time.sleep(0.02)


def kill_once(level: Path, kill_at: int, after: float | None) -> str:
    """Kill one rollback; returns how it ended. Raises if what is left is not whole."""
    command = [sys.executable, __file__, "--child", str(level), "--kill-at", str(kill_at)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    if after is not None:
        time.sleep(after)
        process.kill()
    process.communicate()
    pointer = require_pointer(level)
    open_bundle(level / pointer.bundle, pointer.bundle_digest)
    other = rollback(level, AS_OF)
    assert other.release != pointer.release, "the next command did not work"
    assert live_rows(level)[-1].bundle_digest == require_pointer(level).bundle_digest, "the ledger lies"
    return "killed" if process.returncode < 0 else "ended"


def main() -> None:
    """Kill, look, and print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["MLOPS_HOME"] = temporary
        level = prepare(Path(temporary))
        service = start(level, "level3_cicd.serve", 8003)
        stopped, failures, asked = threading.Event(), list[str](), [0]
        client = threading.Thread(target=keep_asking, args=(service, stopped, failures, asked))
        client.start()
        try:
            outcomes = []
            for number in range(1, 200):
                outcomes.append(kill_once(level, number, None))
                sys.stderr.write(f"before write {number}: {outcomes[-1]}\n")
                if outcomes[-1] == "ended":
                    break
            chance = random.Random(0)
            later = [kill_once(level, 0, chance.uniform(0.5, 5.0)) for _ in range(RANDOM_KILLS)]
        finally:
            stopped.set()
            client.join()
            stop(level)
    sys.stdout.write(
        f"killed before each of {outcomes.count('killed')} writes and {later.count('killed')} of {len(later)} times "
        f"at random: pointer whole, next command works, ledger true each time; "
        f"{len(failures)} of {asked[0]:,} answers failed\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", type=Path)
    parser.add_argument("--kill-at", type=int, default=0)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.kill_at)
    else:
        main()

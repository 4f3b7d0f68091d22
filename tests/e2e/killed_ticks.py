"""Kills level 4's ticks at random moments with SIGKILL, and makes them again: the same must come of it.

Run it by hand: `.venv/bin/python -m tests.e2e.killed_ticks [100]` (some minutes). A small shop of loyal customers is
played twice, day after day: once undisturbed, once with each tick in forks that are killed, up to three times a day,
until one ends. Decisions, what is live and all digests must be equal, IDs and times apart; exit code 1 if not.
Training and deploying speak to no registry here; kills of those are tried by kills.py.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from level3_cicd.ledger import all_rows, damages
from level4_monitoring import act, loop, monitor
from shared.model.popular import Popular
from shared.release.pointer import Pointer, require_pointer
from tests.level4_monitoring.fakes import Actions, SmallShop, small_limits

FIRST = 20
MOST_KILLS = 3
LIMITS = small_limits()
Outcome = tuple[list[tuple[Any, ...]], Pointer]


def prepare(home: Path, days: int) -> SmallShop:
    """A shop with a first release that is no better than popular products are."""
    os.environ["MLOPS_HOME"] = str(home)
    monitor.show = lambda *given: None  # type: ignore[assignment]  Evidently's page is no state
    monitor.drift_values = lambda day: {}
    made = SmallShop(home, days=FIRST + days + 1)
    made.train("1.0", FIRST, Popular())
    made.deploy("1.0", FIRST)
    actions = Actions(made)
    act.ACTIONS["retrain"], act.ACTIONS["promote"] = actions.retrain, actions.promote
    return made


def tick(shop: SmallShop, number: int) -> None:
    """The tick of a day."""
    loop.tick(shop.day(number), LIMITS)


def in_fork(shop: SmallShop, number: int, kill_after: float | None) -> bool:
    """The tick in a fork; False if it was killed. Raises AssertionError if it failed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            tick(shop, number)
            code = 0
        except BaseException:  # noqa: BLE001  a fork must not go on with its parent's program
            traceback.print_exc()
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        raise AssertionError(f"the tick of day {number} failed")
    return True


def outcome_of(shop: SmallShop) -> Outcome:
    """What came of it: the rows without IDs and times, and what is live."""
    if damages(shop.level):
        raise AssertionError(f"the ledger is damaged: {damages(shop.level)}")
    rows = [
        (row.as_of, row.step, row.verdict, row.release, row.bundle_digest, row.reason, without_ids(row.numbers))
        for row in all_rows(shop.level)
    ]
    return rows, require_pointer(shop.level)


def without_ids(numbers: dict[str, Any]) -> str:
    """A row's numbers, but for the hash of the row that they answer."""
    return repr({name: value for name, value in sorted(numbers.items()) if name not in ("decision", "untold")})


def play(home: Path, days: int, chance: random.Random | None) -> tuple[Outcome, int]:
    """Play the days; (what came of it, how many kills hit a tick)."""
    shop, kills = prepare(home, days), 0
    usual = 1.0
    for number in range(FIRST + 1, FIRST + 1 + days):
        shop.serve(number, require_pointer(shop.level).release)
        for _ in range(MOST_KILLS if chance else 0):
            if in_fork(shop, number, chance.uniform(0, 1.3 * usual) if chance else None):
                break
            kills += 1
        began = time.monotonic()
        in_fork(shop, number, None)
        usual = 0.7 * usual + 0.3 * max(0.05, time.monotonic() - began)
        sys.stderr.write(f"\rday {number - FIRST} of {days}, {kills} kills ")
    return outcome_of(shop), kills


def main() -> int:
    """Play it undisturbed and with kills; 1 if they differ."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("days", nargs="?", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        (rows, live), _ = play(Path(one), asked.days, None)
        (again, live_again), kills = play(Path(other), asked.days, random.Random(asked.seed))
    differing = [(first, second) for first, second in zip(rows, again, strict=False) if first != second]
    steps = dict(Counter(f"{row[1]} {row[2]}" for row in rows))
    lines = [f"{asked.days} ticks, {kills} kills; {len(rows)} and {len(again)} rows: {steps}"]
    lines.append(f"live: {live.release} and {live_again.release}, {live.histories} and {live_again.histories}")
    lines += [f"differs:\n  {first}\n  {second}" for first, second in differing[:5]]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    return int(bool(differing) or len(rows) != len(again) or live != live_again)


if __name__ == "__main__":
    sys.exit(main())

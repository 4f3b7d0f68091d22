"""Carries out RUNBOOK.md as the person would, one manual action after the other, and logs each.

`make level1` runs it. The log of executed steps is the count of manual actions.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from level1_manual.register import SHEET, rows
from level1_manual.workplace import laptop, server
from shared.errors import MlopsError, run_program
from shared.places import CHECKOUT
from shared.release.number import next_release
from shared.service.process import find, stop
from shared.service.waiting import wait_until

ACTIONS = "actions.jsonl"
STEP = re.compile(r"^## (\d+)\. (.+?)\n.*?```sh\n(.+?)\n```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One heading of the runbook with its command."""

    number: int
    title: str
    command: str


Hands = Callable[[Step, dict[str, str]], int]


def read_steps(runbook: Path = CHECKOUT / "level1_manual" / "RUNBOOK.md") -> list[Step]:
    """The runbook's steps in order."""
    return [Step(int(number), title, command) for number, title, command in STEP.findall(runbook.read_text())]


def shell(step: Step, variables: dict[str, str], quiet: bool = False) -> int:
    """Type the step's command into a shell, with this Python first on the path; returns the exit code."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, **variables, "PATH": path}
    output = subprocess.DEVNULL if quiet else None
    command = ["sh", "-c", step.command]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, stdout=output, check=False).returncode


def perform(as_of: date, hands: Hands = shell, steps: list[Step] | None = None) -> Iterator[tuple[Step, int]]:
    """Carry out the steps one by one until one fails; yields each with its exit code, after logging it."""
    releases = [row[0] for row in rows(laptop() / SHEET)]
    variables = {
        "AS_OF": as_of.isoformat(),
        "TODAY": (as_of + timedelta(days=1)).isoformat(),
        "RELEASE": next_release(releases, major=1),
        "LAPTOP": str(laptop()),
        "SERVER": str(server()),
    }
    for step in read_steps() if steps is None else steps:
        code = hands(step, variables)
        log_action(step, as_of, code)
        yield step, code
        if code:
            return


def log_action(step: Step, as_of: date, code: int) -> None:
    """Log one manual action."""
    log = laptop().parent / ACTIONS
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(json.dumps({"as_of": as_of.isoformat(), **asdict(step), "exit_code": code}) + "\n")


def main() -> None:
    """Carry out the whole runbook and ask for one recommendation."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--as-of", type=date.fromisoformat, required=True)
    arguments.add_argument("--customer", default="1")
    arguments.add_argument("--hands-on", action="store_true", help="let a participant do each step")
    asked = arguments.parse_args()

    def show_and_type(step: Step, variables: dict[str, str]) -> int:
        print(f"\n[{step.number}] {step.title}\n    $ {step.command}", flush=True)
        return shell(step, variables)

    hands: Hands = show_and_type
    if asked.hands_on:
        from stories.level1_hands_on import wait_for_participant

        hands = wait_for_participant
    outcomes = list(perform(asked.as_of, hands))
    if outcomes[-1][1] == 0:
        wait_until(lambda: find(server()) is not None, seconds=60)
    running = find(server())
    if outcomes[-1][1] or not running:
        raise MlopsError(f"Step {outcomes[-1][0].number} failed.", fix="Read what it printed, and start again.")
    answer = running.recommend(asked.customer)
    stop(server())
    print(f"\n{len(outcomes)} manual actions. Customer {asked.customer} is now recommended:")
    for item in answer["recommendations"]:
        print(f"  {item['rank']}. {item['name']}  ({item['reason']})")
    print("The service is stopped again; `mlops --level 1 serve` starts it.")


if __name__ == "__main__":
    run_program(main)

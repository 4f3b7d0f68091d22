"""Carries out RUNBOOK.md as the person would, one manual action after the other, and logs each.

The story of level 1 and the season's team call it. The log of executed steps is the count of manual actions.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from level1_manual.register import SHEET
from level1_manual.sheet import numbers, numbers_of_files
from level1_manual.workplace import laptop, server
from shared.commands import run_command
from shared.places import CHECKOUT
from shared.release.number import next_release
from shared.surroundings import own_environment

ACTIONS = "actions.jsonl"
SECONDS_OF_A_STEP = 1800.0
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
    environment = {**own_environment(), **variables, "PATH": path}
    output = subprocess.DEVNULL if quiet else None
    command = ["sh", "-c", step.command]
    return run_command(command, SECONDS_OF_A_STEP, cwd=CHECKOUT, env=environment, output=output).returncode


def perform(as_of: date, hands: Hands = shell, steps: list[Step] | None = None) -> Iterator[tuple[Step, int]]:
    """Carry out the steps one by one until one fails; yields each with its exit code, after logging it."""
    variables = {
        "AS_OF": as_of.isoformat(),
        "TODAY": (as_of + timedelta(days=1)).isoformat(),
        "RELEASE": next_release(numbers_used(), major=1),
        "LAPTOP": str(laptop()),
        "SERVER": str(server()),
    }
    for step in read_steps() if steps is None else steps:
        code = hands(step, variables)
        log_action(step, as_of, code)
        yield step, code
        if code:
            return


def numbers_used() -> set[str]:
    """The numbers that must not be given again: those in the sheet, and those of models that lie about."""
    return numbers(laptop() / SHEET) | numbers_of_files(laptop()) | numbers_of_files(server())


def log_action(step: Step, as_of: date, code: int) -> None:
    """Log one manual action."""
    log = laptop().parent / ACTIONS
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(json.dumps({"as_of": as_of.isoformat(), **asdict(step), "exit_code": code}) + "\n")

"""The runbook with a participant's own hands: names each step, and waits until it was really done.

`make level1 HANDS_ON=1` uses it; the participant types in another terminal.
"""

import os
import shlex
import string
import time
from collections.abc import Callable
from pathlib import Path

from level1_manual.evaluate import NUMBER
from level1_manual.prepare import TRANSACTIONS
from level1_manual.register import SHEET
from level1_manual.runbook import Step
from level1_manual.sheet import rows
from level1_manual.train import MODEL
from level1_manual.workplace import laptop, server
from shared.errors import MlopsError
from shared.service.process import find, record_file

SECONDS_BETWEEN_LOOKS = 0.5


def stamps() -> dict[Path, tuple[int, int, int]]:
    """What tells a file that was written anew from the one before; the clock is not asked, it may be set back."""
    files = [laptop() / name for name in (TRANSACTIONS, MODEL, NUMBER)] + [record_file(server())]
    found = {file: file.stat() for file in files if file.exists()}
    return {file: (stat.st_mtime_ns, stat.st_ino, stat.st_size) for file, stat in found.items()}


def was_done(step: Step, variables: dict[str, str], before: dict[Path, tuple[int, int, int]]) -> bool:
    """Whether the step's result is there, made after the stamps `before` were taken."""

    def is_new(path: Path) -> bool:
        return path.exists() and stamps().get(path) != before.get(path)

    checks: dict[int, Callable[[], bool]] = {
        1: lambda: is_new(laptop() / TRANSACTIONS),
        2: lambda: is_new(laptop() / MODEL),
        3: lambda: is_new(laptop() / NUMBER),
        4: lambda: is_copied(laptop() / MODEL, server() / MODEL),
        5: lambda: is_noted(variables["RELEASE"], variables["TODAY"]),
        6: lambda: is_new(record_file(server())) and find(server()) is not None,
    }
    return checks[step.number]()


def is_noted(release: str, day: str) -> bool:
    """Whether the sheet says that a release is live since a day. One that cannot be read yet is being typed in."""
    try:
        return [release, day] in [row[:2] for row in rows(laptop() / SHEET)]
    except MlopsError:
        return False


def is_copied(source: Path, target: Path) -> bool:
    """Whether two files hold the same."""
    return target.exists() and source.exists() and target.read_bytes() == source.read_bytes()


def wait_for_participant(step: Step, variables: dict[str, str]) -> int:
    """Show the command with its values filled in, and wait until somebody has done the step."""
    before = stamps()
    typed = string.Template(step.command).safe_substitute(variables)
    home = f"export MLOPS_HOME={shlex.quote(os.environ['MLOPS_HOME'])}; " if os.environ.get("MLOPS_HOME") else ""
    print(f"\n[{step.number}] {step.title}. In another terminal, in this folder:")
    print(f"    {home}source .venv/bin/activate\n    {typed}", flush=True)
    while not was_done(step, variables, before):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    print("    done", flush=True)
    return 0

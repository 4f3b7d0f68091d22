"""The levels that are here, and what each can do: a capability that a level lacks is a file that it lacks.

Levels agree on the signatures below, so no command asks for a level's number.
"""

import importlib
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

from shared.errors import UsageError
from shared.places import CHECKOUT, level_folder

PACKAGES = {1: "level1_manual", 2: "level2_basic_automation", 3: "level3_cicd", 4: "level4_monitoring"}
# Level 4 is built on level 3: what it does not bring itself, it takes from there.
BUILT_ON = {4: 3}


class Described(Protocol):
    """A result that can be told to a person."""

    def describe(self) -> str:
        """The result in words."""


class Trained(Described, Protocol):
    """The outcome of a pipeline's run."""

    def next_command(self, as_of: date | None) -> str:
        """The words of the command that goes on from here; `as_of` is the day that was named, if one was."""


class Pipeline(Protocol):
    """`pipeline.py`: trains a release."""

    def run(self, level: Path, as_of: date, *, actor: str, model: str | None, judge_only: bool) -> Trained:
        """Train, evaluate and register a release."""

    def plan(self, as_of: date, model: str | None) -> str:
        """What a run would do, in words."""


class Deployment(Protocol):
    """`deploy.py`: makes a release live."""

    def find_release(self, level: Path, wanted: str) -> str:
        """The release that is meant."""

    def deploy(self, level: Path, release: str, as_of: date, actor: str) -> Any:
        """Make it live."""

    def try_out(self, level: Path, release: str, as_of: date, actor: str) -> str:
        """What is found without making it live, in words."""


class Rollback(Protocol):
    """`rollback` in `deploy.py`: goes back; returns the ledger's row."""

    def rollback(self, level: Path, as_of: date, actor: str) -> Any:
        """Go back to the release that was live before."""


class History(Protocol):
    """`ledger.py`: the past."""

    def live_rows(self, level: Path) -> list[Any]:
        """The rows after which a release was live."""

    def live_on(self, level: Path, day: date) -> Any:
        """The row that made live what answered on a day."""

    def day_reached(self, level: Path) -> date | None:
        """The last day of any decision."""


class Seen(Described, Protocol):
    """What monitoring saw."""

    def data(self) -> Any:
        """All of it, for JSON."""


class Monitoring(Protocol):
    """`loop.py` or `monitor.py`: looks at how the live release is doing."""

    def monitor_model(self, level: Path, as_of: date, dry_run: bool = False) -> Seen:
        """Look, and act where the level does so by itself; with `dry_run`, only say what would be done."""


class Operations(Protocol):
    """`ops.py`: the servers that a level's tools may use."""

    def start_servers(self, level: Path) -> dict[str, str]:
        """Start them; addresses by name."""

    def stop_servers(self, level: Path) -> list[str]:
        """Stop those that only this level uses; the names of those that ran."""

    def running_servers(self, level: Path) -> list[str]:
        """The names of those that run for this level alone."""


def present() -> list[int]:
    """The levels whose folders are here."""
    return [level for level, package in PACKAGES.items() if (CHECKOUT / package / "__init__.py").exists()]


def folder(level: int) -> Path:
    """The folder of a level's state."""
    return level_folder(level)


def service_folder(level: int) -> Path:
    """The folder of a level's service, with its record and log: the level's own, if it has no server apart."""
    if has(level, "workplace"):
        return cast(Path, capability(level, "workplace").server())
    return folder(level)


def service_module(level: int) -> str:
    """The module whose main program is a level's service."""
    return f"{PACKAGES[level]}.serve"


def has(level: int, file: str) -> bool:
    """True if a level, or the one that it is built on, has a file of that name."""
    return module_name(level, file) is not None


def module_name(level: int, file: str) -> str | None:
    """The module with which a level does a step; None if it has none."""
    at: int | None = level
    while at is not None:
        if (CHECKOUT / PACKAGES[at] / f"{file}.py").exists():
            return f"{PACKAGES[at]}.{file}"
        at = BUILT_ON.get(at)
    return None


def capability(level: int, *files: str, word: str = "") -> ModuleType:
    """The first of these modules that a level has. Raises UsageError, saying what stands in, if it has none."""
    for file in files:
        name = module_name(level, file)
        if name:
            return importlib.import_module(name)
    raise lacks(level, word or files[-1])


def pipeline_of(level: int) -> Pipeline:
    """A level's pipeline."""
    return cast(Pipeline, capability(level, "pipeline"))


def deployment_of(level: int) -> Deployment:
    """A level's deployment."""
    return cast(Deployment, capability(level, "deploy"))


def rollback_of(level: int) -> Rollback:
    """A level's way back."""
    module = capability(level, "deploy", word="rollback")
    if not hasattr(module, "rollback"):
        raise lacks(level, "rollback")
    return cast(Rollback, module)


def history_of(level: int) -> History:
    """A level's record of the past."""
    return cast(History, capability(level, "ledger"))


def monitoring_of(level: int) -> Monitoring:
    """A level's monitoring: the loop where there is one, else a report."""
    return cast(Monitoring, capability(level, "loop", "monitor"))


def operations_of(level: int) -> Operations:
    """A level's servers."""
    return cast(Operations, capability(level, "ops"))


def lacks(level: int, word: str) -> UsageError:
    """The error for a step that a level does not have."""
    stands_in = stand_in(level, word) or "nothing"
    able = [higher for higher in present() if higher > level and not stand_in(higher, word)]
    climb = f", or climb: the same command with --level {able[0]}" if able else ""
    return UsageError(f"Level {level} has no {word}. What stands in for it: {stands_in}.", fix=f"Do that{climb}.")


def stand_in(level: int, word: str) -> str:
    """What a level does instead of a step that it lacks; empty if it has the step."""
    return workflow().get(word, {}).get(f"level{level}", "")


@cache
def workflow() -> dict[str, dict[str, str]]:
    """The workflow's words in order, each with what stands in for it by level."""
    return tomllib.loads(Path(__file__).with_name("workflow.toml").read_text())

"""Which levels are here, and what each can do: a capability that a level lacks is a file that it lacks."""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from shared.errors import UsageError
from shared.places import CHECKOUT, home

PACKAGES = {1: "level1_manual", 2: "level2_basic_automation", 3: "level3_cicd", 4: "level4_monitoring"}
# Level 4 is built on level 3: what it does not bring itself, it takes from there.
BUILT_ON = {4: 3}


def present() -> list[int]:
    """The levels whose folders are here."""
    return [level for level, package in PACKAGES.items() if importlib.util.find_spec(package)]


def folder(level: int) -> Path:
    """Where a level keeps its state."""
    return home() / f"level{level}"


def service_folder(level: int) -> Path:
    """Where a level's service keeps its note and log."""
    return folder(1) / "server" if level == 1 else folder(level)


def capability(level: int, file: str, step: str = "") -> ModuleType:
    """The module with which a level does a step. Raises UsageError, saying what stands in, if it has none."""
    at: int | None = level
    while at is not None:
        name = f"{PACKAGES[at]}.{file}"
        if (CHECKOUT / name.replace(".", "/")).with_suffix(".py").exists():
            return importlib.import_module(name)
        at = BUILT_ON.get(at)
    raise lacks(level, step or file)


def lacks(level: int, step: str) -> UsageError:
    """The error for a step that a level does not have."""
    stands_in = stand_ins(level).get(step, "nothing")
    able = [higher for higher in present() if higher > level and step not in stand_ins(higher)]
    climb = f", or climb: the same command with --level {able[0]}" if able else ""
    return UsageError(f"Level {level} has no {step}. What stands in for it: {stands_in}.", fix=f"Do that{climb}.")


def stand_ins(level: int) -> dict[str, str]:
    """What a level does instead of the steps that it lacks."""
    table: dict[str, str] = importlib.import_module(PACKAGES[level]).STANDS_IN
    return table

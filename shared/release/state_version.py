"""Which version wrote a level's state: one of an older version is set aside, and nothing of it is lost.

`mlops doctor` looks, every other command refuses in words. Needs the standard library alone.
"""

import json
from pathlib import Path

from shared.errors import UsageError
from shared.places import set_aside
from shared.release.manifest import FORMAT as BUNDLE_FORMAT
from shared.release.pointer import FORMAT as POINTER_FORMAT
from shared.release.pointer import pointer_file


def written_by_older(level: Path) -> str:
    """What an older version has written in a level's folder, in words; empty if there is nothing."""
    pointer = format_in(pointer_file(level))
    if pointer is not None and pointer < POINTER_FORMAT:
        return f"{pointer_file(level)} is of format {pointer}; this version writes {POINTER_FORMAT}"
    for manifest in sorted([*level.glob("bundles/*/manifest.json"), *level.glob("runs/*/bundle/manifest.json")]):
        found = format_in(manifest)
        if found is not None and found < BUNDLE_FORMAT:
            return f"{manifest.parent} is a bundle of format {found}; this version opens {BUNDLE_FORMAT}"
    return ""


def format_in(file: Path) -> int | None:
    """The format number in a JSON file, 1 where it has none; None if it holds no object that could have one."""
    try:
        known = json.loads(file.read_bytes())
        return int(known.get("format", 1))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def require_this_version(level: Path) -> None:
    """Refuse to work on a level's state that an older version wrote."""
    older = written_by_older(level)
    if older:
        raise UsageError(
            f"The state of {level.name} was written by an older version: {older}.",
            fix="`mlops doctor --fix` sets it aside, whole; then train and deploy a first release.",
        )


def set_older_aside(level: Path) -> str:
    """Set a level's state aside; returns in words where it is now."""
    return f"is now in {set_aside(level)}; train and deploy a first release"

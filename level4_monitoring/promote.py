"""Promote and roll back, in level 3's words: a better release goes live, or the one before comes back."""

from datetime import date
from pathlib import Path

from level3_cicd.deploy import deploy, rollback
from shared.errors import UsageError
from shared.release.pointer import read_pointer


def promote(level: Path, release: str, instead_of: str, as_of: date, actor: str) -> str:
    """Make a challenger live; returns what was done. Raises UsageError if what it was compared with is not live."""
    if live_release(level) == release:
        return f"{release} is live already"
    require_live(level, instead_of)
    return deploy(level, release, as_of, actor).reason


def roll_back(level: Path, release: str, instead_of: str, as_of: date, actor: str, reason: str) -> str:
    """Go back to a retired release; returns what was done. Raises UsageError if `instead_of` is not live any more."""
    if live_release(level) == release:
        return f"{release} is live again already"
    require_live(level, instead_of)
    return rollback(level, as_of, actor, reason).reason


def live_release(level: Path) -> str:
    """The release that is live; empty if none is."""
    pointer = read_pointer(level)
    return pointer.release if pointer else ""


def require_live(level: Path, release: str) -> None:
    """Refuse to act on a comparison with what is not live any more."""
    now = live_release(level)
    if now != release:
        raise UsageError(f"{now or 'Nothing'} is live by now, not {release}, so the comparison says nothing.")

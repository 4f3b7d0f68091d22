"""What a person does to the loop: look at it, take its hands off it, give them back, accept a day. Commands call it."""

from datetime import date
from pathlib import Path
from typing import Any

from level3_cicd.ledger import Row, all_rows, append
from level4_monitoring import explain as words
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.ingest import accepted_row, digests_of
from level4_monitoring.past import FREEZE, THAW, Past
from shared.config import read_config
from shared.dataset.feed import open_feed
from shared.errors import UsageError
from shared.places import shop_folder


def past_of(level: Path) -> Past:
    """What the ledger says."""
    return Past(all_rows(level))


def status(level: Path, day: date) -> str:
    """The loop on one screen. day: that the shop has reached."""
    return words.status(past_of(level), day, read_config(CONFIG, LoopConfig))


def explain(level: Path, wanted: str) -> str:
    """A decision in words."""
    return words.explain(past_of(level), wanted)


def releases(level: Path) -> list[dict[str, Any]]:
    """Every release that was judged."""
    return words.releases(past_of(level))


def freeze(level: Path, day: date, why: str, actor: str) -> Row:
    """Keep the loop from acting. Raises UsageError if it is frozen already."""
    frozen = past_of(level).frozen
    if frozen:
        raise UsageError(f"The loop is frozen already: {frozen}.", fix="Thaw it by `mlops loop thaw`.")
    return append(level, Row(day, FREEZE, "frozen", why, actor=actor))


def thaw(level: Path, day: date, why: str, actor: str) -> Row:
    """Let the loop act again: what it froze for is settled. Raises UsageError if it is not frozen."""
    if not past_of(level).frozen:
        raise UsageError("The loop is not frozen.", fix="Look at it by `mlops loop status`.")
    return append(level, Row(day, THAW, "thawed", why, actor=actor))


def accept(level: Path, day: date, why: str, actor: str) -> Row:
    """Say that a day in quarantine is right, as it is now. Raises UsageError if it is not in quarantine."""
    feed = open_feed(shop_folder())
    days = past_of(level).quarantined(digests_of(feed))
    if day not in days:
        known = ", ".join(map(str, sorted(days))) or "none is"
        raise UsageError(f"{day} is not in quarantine.", fix=f"In quarantine: {known}.")
    return append(level, accepted_row(feed, day, why, actor))

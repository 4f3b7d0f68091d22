"""The record of a shop: its name, source and days. Needs the standard library alone."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from shared.errors import IntegrityError, UsageError

# Of the files that a feed is made of.
FORMAT = 1


def read_shop(shop: Path) -> dict[str, Any]:
    """The record of a shop: its name, source, and per day the number of rows and their digest."""
    record = shop / "shop.json"
    try:
        about = json.loads(record.read_bytes())
        if not about["days"]:
            raise ValueError("it holds no day")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{record} cannot be read: {error}",
            fix=f"Import the shop again with --replace, or remove {shop}: the next command prepares the real year.",
        ) from error
    return dict(about)


def require_known_day(shop: Path, day: date) -> None:
    """Refuse a day that the shop's feed has not reached."""
    last = max(read_shop(shop)["days"]) if (shop / "shop.json").exists() else date.max.isoformat()
    if day.isoformat() > last:
        raise UsageError(
            f"{day} is after the last day of the shop's feed, {last}.", fix=f"Pass --as-of {last} or before."
        )

"""The record of a shop: its name, source and days. Needs the standard library alone."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

from shared.errors import IntegrityError

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


def identity(about: dict[str, Any]) -> str:
    """Which shop a record is of: a digest that stays the same while the shop grows.

    Records of version 0.1.0 have none written down: their name and source stand for it.
    """
    written = about.get("identity")
    known = json.dumps([about.get("name"), about.get("source")], sort_keys=True)
    return str(written or hashlib.sha256(known.encode()).hexdigest())


def file_of(about: dict[str, Any], day: date) -> str:
    """The name of a day's file below `days/`: a later version of a day has one of its own."""
    return str(about["days"].get(day.isoformat(), {}).get("path") or f"{day.isoformat()}.parquet")


def catalogue_of(about: dict[str, Any]) -> str:
    """The name of the catalogue's file: a later version has one of its own."""
    return str(about.get("catalogue") or "products.parquet")

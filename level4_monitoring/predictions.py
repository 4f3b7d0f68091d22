"""The prediction log: every list that was served, by day, so that purchases can be joined with it."""

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from shared.columns import CUSTOMER, PRODUCT, RANK
from shared.service.follower import Live
from shared.service.recommendations import OnAnswer


def log_file(level: Path, day: date) -> Path:
    """Where a day's served lists are kept."""
    return level / "predictions" / f"{day}.jsonl"


def logger(level: Path, clock: Callable[[], date]) -> OnAnswer:
    """What the service tells of each answer; `clock` says which day it is. One append per request."""

    def note(live: Live, lists: dict[str, list[str]]) -> None:
        lines = [
            json.dumps({"customer": customer, "release": live.release, "products": products})
            for customer, products in lists.items()
        ]
        path = log_file(level, clock())
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, ("\n".join(lines) + "\n").encode())
        finally:
            os.close(handle)

    return note


def read_served(level: Path, day: date) -> pd.DataFrame:
    """The last list that each customer was served on a day: CUSTOMER, PRODUCT, RANK, release."""
    path = log_file(level, day)
    lines = path.read_text().splitlines() if path.exists() else []
    last = {entry["customer"]: entry for entry in filter(None, map(parse, lines))}
    rows = [
        (customer, product, rank, entry["release"])
        for customer, entry in last.items()
        for rank, product in enumerate(entry["products"], start=1)
    ]
    return pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, RANK, "release"])


def parse(line: str) -> dict[str, Any] | None:
    """An entry of the log; None for a line that a kill or a full disk cut off."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"customer", "release", "products"} <= set(entry) else None

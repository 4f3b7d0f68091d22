"""The prediction log: every list that was served, and every question that failed, one file a day.

The service writes it, one append per request; the evening's tick reads it. Each line bears its format's number.
"""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from shared.service.follower import Live
from shared.service.recommendations import CUSTOMER_ASKS, Asked, OnAnswer

FORMAT = 2
FIELDS = {"at", "by", "customer", "k", "release", "histories", "products"}


@dataclass(frozen=True)
class Served:
    """A list that was served. at: when; by: who asked; histories: the digest of those that it was made from."""

    at: datetime
    by: str
    customer: str
    k: int
    release: str
    histories: str
    products: list[str]

    @property
    def to_customer(self) -> bool:
        """Whether a customer asked, not an operator."""
        return self.by == CUSTOMER_ASKS


@dataclass(frozen=True)
class Log:
    """A day's log. errors: questions that failed; unreadable: lines that a kill cut off, or of another format."""

    served: Sequence[Served] = ()
    errors: int = 0
    unreadable: int = 0


def log_file(level: Path, day: date) -> Path:
    """Where a day's log is kept."""
    return level / "predictions" / f"{day}.jsonl"


def logger(level: Path, clock: Callable[[], datetime]) -> OnAnswer:
    """What the service tells of each answer; `clock` says when it is."""

    def note(live: Live, asked: Asked, lists: dict[str, list[str]]) -> None:
        at = clock()
        shared = {"by": asked.by, "k": asked.k, "release": live.release, "histories": live.histories_digest}
        append(level, at, [{**shared, "customer": name, "products": products} for name, products in lists.items()])

    return note


def note_error(level: Path, at: datetime, status: int) -> None:
    """Keep a question that failed."""
    append(level, at, [{"error": status}])


def append(level: Path, at: datetime, entries: list[dict[str, Any]]) -> None:
    """Add lines to a day's log, in one write."""
    path = log_file(level, at.date())
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"format": FORMAT, "at": at.isoformat(), **entry}) for entry in entries]
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, ("\n".join(lines) + "\n").encode())
    finally:
        os.close(handle)


def read_log(level: Path, day: date) -> Log:
    """A day's log, in the order in which the answers were given."""
    path = log_file(level, day)
    entries = [parse(line) for line in path.read_bytes().splitlines() if line] if path.exists() else []
    served = sorted((entry for entry in entries if isinstance(entry, Served)), key=lambda entry: entry.at)
    return Log(served, entries.count("error"), entries.count(None))


def parse(line: bytes) -> Served | str | None:
    """A line of the log: a list, or "error"; None if it cannot be read or is of another format."""
    with suppress(ValueError, TypeError):
        entry = json.loads(line)
        if not isinstance(entry, dict) or entry.get("format") != FORMAT:
            return None
        if "error" in entry:
            return "error"
        if set(entry) >= FIELDS:
            return Served(datetime.fromisoformat(entry["at"]), **{name: entry[name] for name in FIELDS - {"at"}})
    return None

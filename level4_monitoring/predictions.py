"""The prediction log: every list that was served, and every question that failed, one file a day.

The service writes it each second, off the request path; the evening's tick reads it. Each line bears its format's
number. A kill loses what the last second brought, and the next start notes the gap.
"""

import json
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from weakref import WeakSet

import orjson

from shared.errors import MlopsError
from shared.places import write_atomically
from shared.service.follower import Live
from shared.service.recommendations import CUSTOMER_ASKS, Asked

FORMAT = 2
SECONDS_BETWEEN_WRITES = 1.0
# Lines that wait while the disk is full.
MOST_WAITING = 100_000
DAYS_KEPT = 30
log = logging.getLogger("level4.predictions")
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
    """A day's log. errors: questions that failed; unreadable: lines that a kill cut off, or of another format;
    gaps: times at which something is missing, as the service was killed or the disk was full.
    """

    served: Sequence[Served] = ()
    errors: int = 0
    unreadable: int = 0
    gaps: int = 0


def log_file(level: Path, day: date) -> Path:
    """Where a day's log is kept."""
    return level / "predictions" / f"{day}.jsonl"


def joined_file(level: Path, day: date) -> Path:
    """Where the lists of a day that is long ago are kept, of those who bought."""
    return level / "predictions" / f"{day}.joined.jsonl"


class Writer:
    """Keeps what happens until it is written: each second by `run`, or at once with `seconds=0`.

    What cannot be written, as on a full disk, is tried again; beyond MOST_WAITING the oldest lines are given up, which
    is noted as a gap.
    """

    def __init__(self, level: Path, clock: Callable[[], datetime], seconds: float = SECONDS_BETWEEN_WRITES) -> None:
        self.level, self._clock, self._seconds = level, clock, seconds
        self._waiting: deque[tuple[date, bytes]] = deque()
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._first = True  # a kill may have cut off a line
        self._lost = 0
        WRITERS.add(self)

    def note(self, live: Live, asked: Asked, lists: dict[str, list[str]]) -> None:
        """The service tells of an answer."""
        shared = {"by": asked.by, "k": asked.k, "release": live.release, "histories": live.histories_digest}
        self.add([{**shared, "customer": name, "products": products} for name, products in lists.items()])

    def note_error(self, status: int) -> None:
        """Keep a question that failed."""
        self.add([{"error": status}])

    def add(self, entries: list[dict[str, Any]]) -> None:
        """Keep lines, in the order in which they come."""
        with self._lock:
            at = self._clock()
            self._waiting.extend((at.date(), line_of(at, entry)) for entry in entries)
        if not self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write what waits. Raises OSError where that cannot be; it goes on waiting then."""
        with self._writing:
            with self._lock:
                lines = list(self._waiting)
            for day, group in groupby(lines, key=itemgetter(0)):
                mine = [line for _, line in group]
                self._write(day, mine)
                with self._lock:
                    for _ in mine:
                        self._waiting.popleft()
            if lines and self._lost:
                self._write(lines[-1][0], [line_of(self._clock(), {"gap": f"{self._lost} lines"})])
                self._lost = 0

    def run(self, stopped: threading.Event) -> None:
        """Write each second until the service stops."""
        with suppress(OSError, MlopsError):
            self._begin()
        while not stopped.wait(self._seconds or SECONDS_BETWEEN_WRITES):
            self._try_to_flush()
        self._try_to_flush()
        mark_file(self.level).unlink(missing_ok=True)

    def _begin(self) -> None:
        """Note a gap if the service before was killed."""
        mark = mark_file(self.level)
        if mark.exists():
            self.add([{"gap": "killed"}])
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text("the service writes this log; it takes this file away when it ends")

    def _try_to_flush(self) -> None:
        try:
            self.flush()
        except OSError as error:
            log.error("The prediction log cannot be written, which is tried again: %s", error)
            self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        with self._lock:
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._lost += 1

    def _write(self, day: date, lines: list[bytes]) -> None:
        path = log_file(self.level, day)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = b"\n".join([b"", *lines, b""] if self._first else [*lines, b""])
        self._first = True  # until it is known to be whole
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            write_all(handle, content)
        finally:
            os.close(handle)
        self._first = False


# Those of this process: a tick that reads here sees all of it.
WRITERS: "WeakSet[Writer]" = WeakSet()


def line_of(at: datetime, entry: dict[str, Any]) -> bytes:
    """A line of the log."""
    return orjson.dumps({"format": FORMAT, "at": at.isoformat(), **entry})


def write_all(handle: int, content: bytes) -> None:
    """Write all of it: a disk that is nearly full takes a part."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def mark_file(level: Path) -> Path:
    """The file that is there while a service writes."""
    return level / "predictions" / ".writing"


def read_log(level: Path, day: date) -> Log:
    """A day's log, in the order in which the answers were given; of a day that is long ago, the joined lists."""
    for writer in [writer for writer in WRITERS if writer.level == level]:
        writer.flush()
    path = log_file(level, day)
    path = path if path.exists() else joined_file(level, day)
    entries = [parse(line) for line in path.read_bytes().splitlines() if line] if path.exists() else []
    served = sorted((entry for entry in entries if isinstance(entry, Served)), key=lambda entry: entry.at)
    return Log(served, entries.count("error"), entries.count(None), entries.count("gap"))


def keep_joined(level: Path, day: date, bought: Callable[[date], Collection[str]]) -> None:
    """Of the days that are longer ago than DAYS_KEPT keep only the lists of customers who bought on that day.

    bought: who did. A day that cannot be read now is left for the next time.
    """
    last = day - timedelta(days=DAYS_KEPT)
    for path in sorted((level / "predictions").glob("????-??-??.jsonl")):
        old = date.fromisoformat(path.stem)
        if old > last:
            return
        try:
            customers = set(bought(old))
        except (MlopsError, OSError) as error:
            log.warning("The lists of %s are kept whole for now: %s", old, error)
            continue
        lines = [line for line in path.read_bytes().splitlines() if line]
        kept = [line for line in lines if isinstance(one := parse(line), Served) and one.customer in customers]
        write_atomically(joined_file(level, old), b"".join(b"%s\n" % line for line in kept))
        path.unlink()


def parse(line: bytes) -> Served | str | None:
    """A line of the log: a list, "error" or "gap"; None if it cannot be read or is of another format."""
    with suppress(ValueError, TypeError):
        entry = json.loads(line)
        if not isinstance(entry, dict) or entry.get("format") != FORMAT:
            return None
        for word in ("error", "gap"):
            if word in entry:
                return word
        if set(entry) >= FIELDS:
            return Served(datetime.fromisoformat(entry["at"]), **{name: entry[name] for name in FIELDS - {"at"}})
    return None

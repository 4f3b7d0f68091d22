"""Purchases as they come: `POST /purchases` takes rows into the journal, and counts at once what a list had foreseen.

A delivered file is the day; where it differs from the journal, the evening's tick says so. What was acknowledged is on
the disk. The journal is one file a day, one row a line; one service writes it.
"""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from fastapi import HTTPException, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from level4_monitoring.predictions import read_log, write_all
from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset.feed import open_feed
from shared.identifiers import IDENTIFIER, LONGEST_ID
from shared.places import shop_folder
from shared.service.access import Access, router
from shared.service.follower import Live
from shared.service.recommendations import CUSTOMER_ASKS, Asked

PATH = "/purchases"
MOST_ROWS = 10_000
MOST_BYTES = 4 * 1024 * 1024
NO_STORE = "online"
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=IDENTIFIER)]
Key = tuple[str, str, str]


def without_zone(moment: datetime) -> datetime:
    """A time as the shop's clock shows it."""
    if moment.tzinfo is not None:
        raise ValueError("a time without a zone is wanted, as the shop's clock shows it")
    return moment


class Purchase(BaseModel):
    """A product that a customer has bought: one row."""

    model_config = ConfigDict(extra="forbid")

    customer: Identifier
    basket: Identifier
    product: Identifier
    time: Annotated[datetime, AfterValidator(without_zone)]
    store: Identifier = NO_STORE
    quantity: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    amount: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    @property
    def key(self) -> Key:
        """What makes it the same row again: one vote per customer, basket and product."""
        return self.customer, self.basket, self.product


class Delivery(BaseModel):
    """Rows that a till sends."""

    model_config = ConfigDict(extra="forbid")

    rows: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_ROWS)


class Refusal(BaseModel):
    """A row that was not taken. row: its place in what was sent, from 0."""

    row: int
    reason: str


class Taken(BaseModel):
    """What became of the rows. again: those that were there already; beside_catalogue: taken, though the catalogue
    lacks the product; hits: taken, and the product was in the customer's last list of the past day.
    """

    taken: int
    again: int
    beside_catalogue: int
    hits: int
    refused: list[Refusal]


class Journal:
    """The rows that came, by day. A row is on the disk before it is acknowledged."""

    def __init__(self, level: Path) -> None:
        self._folder = level / "purchases"
        self._lock = threading.Lock()
        self._day: date | None = None
        self._keys: set[Key] = set()

    def take(self, day: date, rows: Sequence[Purchase]) -> list[Purchase]:
        """Write those rows down that are new, and return them. Raises OSError, and has taken none, on a full disk."""
        with self._lock:
            self._open(day)
            new = {row.key: row for row in reversed(rows) if row.key not in self._keys}
            if new:
                self._append(day, [row.model_dump_json() for row in new.values()])
            self._keys |= set(new)
            return list(new.values())

    def last_day(self) -> date | None:
        """The last day that has a journal."""
        return max((date.fromisoformat(file.stem) for file in self._folder.glob("????-??-??.jsonl")), default=None)

    def _open(self, day: date) -> None:
        """Know the rows of a day: those of its file, without one that a kill has cut off."""
        if self._day == day:
            return
        file, keys = journal_file(self._folder.parent, day), set()
        content = file.read_bytes() if file.exists() else b""
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(file, whole)
        for line in content[:whole].splitlines():
            with suppress(ValidationError):
                keys.add(Purchase.model_validate_json(line).key)
        self._day, self._keys = day, keys

    def _append(self, day: date, lines: list[str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(journal_file(self._folder.parent, day), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(handle).st_size
            try:
                write_all(handle, ("\n".join(lines) + "\n").encode())
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)


def journal_file(level: Path, day: date) -> Path:
    """Where a day's journal is kept."""
    return level / "purchases" / f"{day}.jsonl"


def read_journal(level: Path, day: date) -> pd.DataFrame:
    """A day's rows as a feed has them; empty without a journal. A row that a kill has cut off is none."""
    file = journal_file(level, day)
    rows = []
    for line in file.read_bytes().splitlines() if file.exists() else []:
        with suppress(ValidationError):
            rows.append(Purchase.model_validate_json(line).model_dump())
    columns = {"customer": CUSTOMER, "basket": BASKET, "product": PRODUCT, "store": STORE, "time": TIME}
    table = pd.DataFrame(rows, columns=[*columns, QUANTITY, AMOUNT]).rename(columns=columns)
    return table.astype({TIME: "datetime64[ms]", QUANTITY: float, AMOUNT: float})


def differences(level: Path, day: date, delivered: pd.DataFrame) -> tuple[int, int] | None:
    """(rows that were delivered and not posted, rows that were posted and not delivered); None without a journal."""
    if not journal_file(level, day).exists():
        return None
    keys = [CUSTOMER, BASKET, PRODUCT]
    both = (read_journal(level, day), delivered)
    posted, told = (set(map(tuple, rows[keys].astype(str).to_numpy())) for rows in both)
    return len(told - posted), len(posted - told)


class LastLists:
    """Each customer's last list of the past day: what a purchase is compared with at once."""

    def __init__(self, level: Path, clock: Callable[[], datetime]) -> None:
        self._level, self._clock = level, clock
        self._lists: dict[str, tuple[datetime, frozenset[str]]] = {}
        self._before_the_start: dict[str, tuple[datetime, frozenset[str]]] | None = None

    def note(self, live: Live, asked: Asked, lists: dict[str, list[str]]) -> None:
        """The service tells of an answer."""
        if asked.by == CUSTOMER_ASKS:
            at = self._clock()
            self._lists.update({name: (at, frozenset(products)) for name, products in lists.items()})

    def foresaw(self, bought: Purchase) -> bool:
        """Whether a product was in the customer's last list, of at most a day before."""
        known = self._lists.get(bought.customer) or self._logged().get(bought.customer)
        return bool(known and bought.product in known[1] and bought.time - known[0] <= timedelta(days=1))

    def _logged(self) -> dict[str, tuple[datetime, frozenset[str]]]:
        """The lists that the log has of the day and the one before, from before the service started."""
        if self._before_the_start is None:
            day = self._clock().date()
            served = [one for known in (day - timedelta(days=1), day) for one in read_log(self._level, known).served]
            mine = [one for one in served if one.to_customer]
            self._before_the_start = {one.customer: (one.at, frozenset(one.products)) for one in mine}
        return self._before_the_start


@dataclass
class Taking:
    """What the route needs. clock: the moment, on the day on which the shop is open; products: the catalogue's."""

    journal: Journal
    shown: LastLists
    clock: Callable[[], datetime]
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("taken", "again", "refused", "hits"), 0))
    _catalogue: tuple[float, frozenset[str]] = (-1.0, frozenset())

    def take(self, delivery: Delivery) -> Taken:
        """Take the good rows, and say what is wrong with the others."""
        open_day = self.clock().date()
        self._require_clock(open_day)
        good, refused = sort_out(delivery.rows, open_day)
        new = self.journal.take(open_day, good)
        known = self.products()
        made = Taken(
            taken=len(new),
            again=len(good) - len(new),
            beside_catalogue=sum(bool(known) and row.product not in known for row in new),
            hits=sum(map(self.shown.foresaw, new)),
            refused=refused,
        )
        for name, number in (("taken", made.taken), ("again", made.again), ("hits", made.hits)):
            self.totals[name] += number
        self.totals["refused"] += len(refused)
        return made

    def products(self) -> frozenset[str]:
        """The catalogue's products, read again when it was replaced."""
        feed = open_feed(shop_folder())
        stamp = feed.catalogue_file.stat().st_mtime
        if stamp != self._catalogue[0]:
            self._catalogue = (stamp, frozenset(feed.products()[PRODUCT].astype(str)))
        return self._catalogue[1]

    def _require_clock(self, open_day: date) -> None:
        last = self.journal.last_day()
        if last and last > open_day:
            raise HTTPException(
                503, f"The shop's clock has gone back: it says {open_day}, and rows of {last} were taken already."
            )


def sort_out(rows: Sequence[dict[str, Any]], open_day: date) -> tuple[list[Purchase], list[Refusal]]:
    """(the good rows, what is wrong with the others)."""
    good, refused = [], []
    for at, row in enumerate(rows):
        try:
            read = Purchase.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            refused.append(Refusal(row=at, reason=f"{where}: {first['msg']}"))
            continue
        reason = wrong_day(read.time.date(), open_day)
        if reason:
            refused.append(Refusal(row=at, reason=reason))
        else:
            good.append(read)
    return good, refused


def wrong_day(day: date, open_day: date) -> str:
    """Why a row of a day cannot be taken; empty if it can."""
    if day > open_day:
        return f"time: {day} has not come; the shop is open on {open_day}"
    return f"time: {day} is closed; the shop is open on {open_day}" if day < open_day else ""


purchases = router(Access.KNOWN)


@purchases.post(PATH, response_model=Taken)
async def take_purchases(request: Request, delivery: Delivery) -> Taken:
    """Take rows that customers have bought. The same row again changes nothing."""
    taking: Taking = request.app.state.taking

    def work() -> Taken:
        try:
            return taking.take(delivery)
        except OSError as error:
            raise HTTPException(503, f"Nothing was taken, the journal cannot be written: {error}") from error

    return await request.app.state.for_many.run(work)

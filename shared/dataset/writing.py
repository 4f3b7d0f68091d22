"""Writes a feed, whole or not at all: the real year's first preparation and an import call it."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from shared.columns import TIME, TRANSACTIONS
from shared.dataset.clock import set_known_through
from shared.dataset.day_files import SCHEMA, day_file, digest_file, digest_rows
from shared.dataset.shop import FORMAT
from shared.errors import UsageError
from shared.places import set_aside, write_atomically

Progress = Callable[[Iterable], Iterable]


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
            set_known_through(part, today)
        write_days(part, progress(by_day.groupby(by_day[TIME].dt.date, sort=True)), products, {"name": name})


@contextmanager
def staged(folder: Path, replace: bool = False) -> Iterator[Path]:
    """A folder to write a feed into, which takes its place when it is whole.

    Raises UsageError if there is a shop already; with `replace` that shop is set aside.
    """
    with building(folder) as part:
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


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A folder beside a feed's, to build in, which is gone afterwards."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
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
    written = {day.isoformat(): write_day(day_file(folder, day), rows) for day, rows in days}
    products.to_parquet(folder / "products.parquet", index=False)
    content = {"format": FORMAT, **about, "identity": digest_of_days(written), "days": written}
    write_record(folder, content)


def write_day(file: Path, rows: pd.DataFrame) -> dict[str, Any]:
    """Write a day's file; returns what its shop's record says of it."""
    pq.write_table(pa.Table.from_pandas(rows, SCHEMA, preserve_index=False), file)
    return {"rows": len(rows), "digest": digest_rows(rows), "file": digest_file(file)}


def digest_of_days(written: dict[str, dict[str, Any]]) -> str:
    """The digest of some days' rows: the same for the same days, wherever and whenever they are written."""
    known = {day: entry["digest"] for day, entry in written.items()}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def write_record(folder: Path, about: dict[str, Any]) -> None:
    """Write a shop's record, in one step: what it does not name is not part of the shop."""
    write_atomically(folder / "shop.json", json.dumps(about, indent=1).encode())

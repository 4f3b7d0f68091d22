"""Writes a feed, whole or not at all: the real year's first preparation and an import call it."""

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

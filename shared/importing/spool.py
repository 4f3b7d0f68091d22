"""Keeps an import's rows on disk, by month, until all are read; then brings them back as days."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME, TRANSACTIONS
from shared.dataset.day_files import SCHEMA
from shared.importing.exports import LINE, REASON, Chunk
from shared.text import one_line

QUARANTINE = "quarantine.parquet"
ROW = "row"
KEY = [CUSTOMER, BASKET, PRODUCT]


class Spool:
    """Rows below `folder`: those to learn from by month, those left out in one file with their reasons.

    Memory holds no more than a chunk when rows are kept, and a month when they are read.
    """

    def __init__(self, folder: Path, columns: list[str], quarantine: str = QUARANTINE) -> None:
        self._months = folder / "months"
        self._months.mkdir()
        self._columns = unlike(columns)
        self._quarantine = folder / quarantine
        self._writers: dict[Path, pq.ParquetWriter] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    def keep(self, taken: pd.DataFrame) -> None:
        """Keep rows to learn from."""
        if taken.empty:
            return
        table = pa.Table.from_pandas(taken[TRANSACTIONS], SCHEMA, preserve_index=False)
        months = taken[TIME].to_numpy().astype("datetime64[M]")
        for month in np.unique(months):
            self._write(self._months / f"{month}.parquet", table.filter(pa.array(months == month)))

    def set_apart(self, chunk: Chunk, reasons: np.ndarray) -> None:
        """Keep rows that are left out as they are in the export, as text: their number, the reason, their fields."""
        schema = pa.schema(
            [(ROW, pa.int64()), (REASON, pa.string()), (LINE, pa.string())]
            + [(name, pa.string()) for name in self._columns]
        )
        left_out = np.flatnonzero(reasons != "")
        if len(left_out):
            rows = chunk.table.take(pa.array(left_out))
            fields = [as_shown(column) for column in rows.columns]
            kept = [pa.array(chunk.numbers[left_out]), pa.array(reasons[left_out].astype(str)), nothing(len(left_out))]
            self._write(self._quarantine, pa.Table.from_arrays([*kept, *fields], schema=schema))
        if len(chunk.broken):
            size, broken = len(chunk.broken), chunk.broken
            lines = [
                pa.array(broken.index, pa.int64()),
                *(pa.array(broken[name], pa.string()) for name in (REASON, LINE)),
            ]
            empty = [nothing(size) for _ in self._columns]
            self._write(self._quarantine, pa.Table.from_arrays([*lines, *empty], schema=schema))

    def days(self) -> Iterator[tuple[date, pd.DataFrame]]:
        """The kept rows day by day, in order; repeated rows of a basket together. Only after all are kept."""
        for month in sorted(self._months.iterdir()):
            rows = merge_repeated(pq.read_table(month).to_pandas())
            rows = rows.sort_values(TIME, kind="stable")
            yield from rows.groupby(rows[TIME].dt.date, sort=True)

    def empty(self) -> None:
        """Forget all rows, to read them once more in another way."""
        self._open.close()
        self._open, self._writers = ExitStack(), {}
        shutil.rmtree(self._months)
        self._months.mkdir()
        self._quarantine.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the months. What was left out stays."""
        shutil.rmtree(self._months)

    def _write(self, path: Path, table: pa.Table) -> None:
        if path not in self._writers:
            self._writers[path] = self._open.enter_context(pq.ParquetWriter(path, table.schema))
        self._writers[path].write_table(table)


def unlike(columns: list[str]) -> list[str]:
    """Names for an export's columns beside ROW, REASON and LINE, each once.

    >>> unlike(["note", "row", "note"])
    ['note', 'source_row', 'note (2)']
    """
    names: list[str] = []
    for column in columns:
        name = one_line(f"source_{column}" if column in (ROW, REASON, LINE) else column)
        again = sum(known == name or known.startswith(f"{name} (") for known in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return names


def as_shown(column: pa.ChunkedArray) -> pa.Array:
    """A column's values as text for people, whatever they are."""
    return pa.array([None if value is None else str(value)[:1000] for value in column.to_pylist()], pa.string())


def nothing(size: int) -> pa.Array:
    """A column without values."""
    return pa.nulls(size, pa.string())


def merge_repeated(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per day, customer, basket and product: quantities and amounts are summed, the first time counts.

    >>> row = {"customer_id": "a", "basket_id": "b", "product_id": "p", "store_id": "s",
    ...        "time": pd.Timestamp("2017-01-01 10:00"), "quantity": 1.0, "amount": 2.0}
    >>> merge_repeated(pd.DataFrame([row, row]))[["quantity", "amount"]].to_numpy().tolist()
    [[2.0, 4.0]]
    """
    key = [rows[TIME].dt.normalize().rename("day"), *(rows[name] for name in KEY)]
    repeated = pd.concat(key, axis=1).duplicated(keep=False)
    if not repeated.any():
        return rows
    together = {STORE: "first", TIME: "min", QUANTITY: "sum", AMOUNT: "sum"}
    summed = rows[repeated].groupby([part[repeated] for part in key], sort=False).agg(together)
    return pd.concat([rows[~repeated], summed.reset_index()[TRANSACTIONS]], ignore_index=True)

"""Keeps an import's rows on disk, by month, until all are read; then brings them back as days."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME, TRANSACTIONS
from shared.dataset.day_files import SCHEMA
from shared.importing.exports import LINE, REASON

QUARANTINE = "quarantine.parquet"
ROW = "row"
KEY = [CUSTOMER, BASKET, PRODUCT]


class Spool:
    """Rows below `folder`: those to learn from by month, those left out in one file with their reasons.

    Memory holds no more than a chunk when rows are kept, and a month when they are read.
    """

    def __init__(self, folder: Path, columns: list[str]) -> None:
        self._months = folder / "months"
        self._months.mkdir()
        self._columns = {name: f"source_{name}" if name in (ROW, REASON, LINE) else name for name in columns}
        self._quarantine = folder / QUARANTINE
        self._writers: dict[Path, pq.ParquetWriter] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    def keep(self, taken: pd.DataFrame) -> None:
        """Keep rows to learn from."""
        for month, rows in taken[TRANSACTIONS].groupby(taken[TIME].dt.strftime("%Y-%m")):
            self._write(self._months / f"{month}.parquet", pa.Table.from_pandas(rows, SCHEMA, preserve_index=False))

    def set_apart(self, rows: pd.DataFrame, reasons: pd.Series, broken: pd.DataFrame) -> None:
        """Keep rows that are left out as they are in the export, as text: their number, the reason, their fields."""
        left_out = rows.loc[reasons.index].map(str, na_action="ignore").rename(columns=self._columns)
        numbered = left_out.assign(**{ROW: left_out.index, REASON: reasons, LINE: None})
        numbered = pd.concat([numbered, broken.assign(**{ROW: broken.index})]) if len(broken) else numbered
        schema = pa.schema(
            [(ROW, pa.int64()), (REASON, pa.string()), (LINE, pa.string())]
            + [(name, pa.string()) for name in self._columns.values()]
        )
        numbered = numbered.reindex(columns=schema.names)
        self._write(self._quarantine, pa.Table.from_pandas(numbered, schema, preserve_index=False))

    def days(self) -> Iterator[tuple[date, pd.DataFrame]]:
        """The kept rows day by day, in order; repeated rows of a basket together. Only after all are kept."""
        for month in sorted(self._months.iterdir()):
            rows = merge_repeated(pq.read_table(month).to_pandas())
            rows = rows.sort_values(TIME, kind="stable")
            yield from rows.groupby(rows[TIME].dt.date, sort=True)

    def remove(self) -> None:
        """Remove the months. What was left out stays."""
        shutil.rmtree(self._months)

    def _write(self, path: Path, table: pa.Table) -> None:
        if path not in self._writers:
            self._writers[path] = self._open.enter_context(pq.ParquetWriter(path, table.schema))
        self._writers[path].write_table(table)


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

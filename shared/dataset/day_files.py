"""A day's transactions as a Parquet file: where it lies, its columns, its digests."""

import hashlib
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME
from shared.errors import CheckFailed

# A day of the real year takes a quarter of a megabyte.
KEPT_DAYS = 64
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
    """One day's table. Raises CheckFailed if the file is damaged or does not have the feed's columns.

    Each version of a file is read once: a loop reads the same weeks every evening.
    """
    try:
        found = file.stat()
    except OSError:
        return parse_day(file, file)  # which says what is wrong
    return read_version(file, found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=KEPT_DAYS)
def read_version(file: Path, number: int, changed: int, size: int) -> pa.Table:
    """One day's table; inode, time of change and size tell versions of a file apart."""
    return parse_day(file, file)


def parse_day(source: Path | bytes, file: Path) -> pa.Table:
    """A day's table from its file or the bytes of it. Raises CheckFailed, naming `file`, if it is no such table."""
    try:
        readable = pa.BufferReader(source) if isinstance(source, bytes) else source
        return pq.read_table(readable, memory_map=True).cast(SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, OSError) as error:
        raise CheckFailed(
            f"{file} cannot be read as a day of the feed: {error}", fix="Bring that day again, from its source."
        ) from error


def day_file(folder: Path, day: date) -> Path:
    """Where a day's transactions lie."""
    return folder / "days" / f"{day.isoformat()}.parquet"


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

"""Opens a shop's export, CSV, Parquet or XLSX, and reads it chunk by chunk. The import calls it.

A chunk is two tables: the rows as the file has them, indexed by their number in the file, and the rows
that cannot be read at all (number, REASON, and the fields as LINE).
"""

import codecs
import csv
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shared.errors import CheckFailed, UsageError

CHUNK = 50_000
BLOCK = 1 << 20
REASON = "reason"
LINE = "line"
SEPARATORS = ",;\t|"
KINDS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet", ".xlsx": "xlsx"}

Chunk = tuple[pd.DataFrame, pd.DataFrame]
Numbered = tuple[int, list[Any]]


@dataclass(frozen=True)
class Export:
    """An opened export. Iterating reads it from the start, holding one chunk at a time."""

    path: Path
    columns: list[str]
    chunks: int
    read: Callable[[], Iterator[Chunk]]

    def __iter__(self) -> Iterator[Chunk]:
        """The chunks."""
        return self.read()

    def __length_hint__(self) -> int:
        """About how many chunks there are, for a progress bar."""
        return self.chunks

    def require(self, columns: Iterable[str | None]) -> None:
        """Raise UsageError if a column that was named is missing, or there twice."""
        for name in filter(None, columns):
            if self.columns.count(name) != 1:
                how = "twice" if name in self.columns else "not"
                raise UsageError(
                    f"The column {name!r} is {how} in {self.path.name}. Its columns: {', '.join(self.columns)}.",
                    fix="Name one of these; mind upper and lower case, and --separator for a CSV.",
                )


def open_export(path: Path, encoding: str | None = None, separator: str | None = None) -> Export:
    """Open an export by its suffix. Raises UsageError (no such file, unknown kind) or CheckFailed (damaged, empty)."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", fix="Name the file that the shop's system exported.")
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path.name} is of no known kind; known are {', '.join(KINDS)}.", fix="Export it as CSV.")
    if not path.stat().st_size:
        raise CheckFailed(f"{path} is empty.", fix="Export it again.")
    if kind == "csv":
        check_separator(separator)
        return open_csv(path, encoding or "utf-8-sig", separator)
    return open_parquet(path) if kind == "parquet" else open_xlsx(path)


def digest_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_csv(path: Path, encoding: str, separator: str | None) -> Export:
    """A CSV, whose encoding is checked from the first byte to the last before anything is read."""
    check_encoding(path, encoding)
    csv.field_size_limit(BLOCK)
    with path.open(encoding=encoding, newline="") as file:
        header = file.readline()
    separator = separator or max(SEPARATORS, key=header.count)
    columns = next(csv.reader([header], delimiter=separator), [])

    def read() -> Iterator[Chunk]:
        with path.open(encoding=encoding, newline="") as file, damage(path, csv.Error):
            lines = csv.reader(file, delimiter=separator)
            next(lines)
            rows = ((lines.line_num, fields) for fields in lines if fields)
            yield from chunks_of(rows, columns)

    return Export(path, columns, path.stat().st_size // (CHUNK * max(len(header), 40)) + 1, read)


def check_separator(separator: str | None) -> None:
    """Raise UsageError for a separator that is not one character."""
    if separator is not None and (len(separator) != 1 or separator in "\r\n"):
        raise UsageError(f"A separator is one character, not {separator!r}.", fix="Pass --separator ';', for example.")


def check_encoding(path: Path, encoding: str) -> None:
    """Raise CheckFailed, naming byte and line, if a text is not in its encoding; UsageError for an unknown one."""
    try:
        if not codecs.lookup(encoding)._is_text_encoding:
            raise LookupError(encoding)
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        raise UsageError(f"No encoding is called {encoding!r}.", fix="Try utf-8, cp1252, latin-1 or utf-16.") from error
    before, lines = 0, 1
    with path.open("rb") as file:
        for block in chain(iter(lambda: file.read(BLOCK), b""), [b""]):
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                # What the decoder held back from the block before comes first in error.object.
                at = before - (len(error.object) - len(block)) + error.start
                line = lines + error.object[: error.start].count(b"\n")
                raise CheckFailed(
                    f"{path.name} is not {error.encoding}: byte {at:,}, in line {line:,}, is "
                    f"0x{error.object[error.start]:02x}.",
                    fix="Pass its --encoding, such as cp1252, latin-1 or utf-16, or export it as UTF-8.",
                ) from error
            before, lines = before + len(block), lines + block.count(b"\n")


def open_parquet(path: Path) -> Export:
    """A Parquet file."""
    with damage(path, pa.ArrowException, OSError):
        file = pq.ParquetFile(path)
    rows = file.metadata.num_rows

    def read() -> Iterator[Chunk]:
        first = 1
        with damage(path, pa.ArrowException, OSError):
            for batch in file.iter_batches(CHUNK):
                table = batch.to_pandas()
                table.index = pd.RangeIndex(first, first + len(table))
                yield table, no_lines()
                first += len(table)

    return Export(path, file.schema_arrow.names, rows // CHUNK + 1, read)


def open_xlsx(path: Path) -> Export:
    """An XLSX workbook: its first sheet, and those further ones that have the same header."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    damages = (zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError, EOFError)

    def header_of(sheet: Any) -> list[str]:
        header = [str(value or "") for value in next(sheet.iter_rows(values_only=True), ())]
        while header and not header[-1]:
            header.pop()
        return [name or f"column {number}" for number, name in enumerate(header, start=1)]

    with damage(path, *damages):
        book = load_workbook(path, read_only=True, data_only=True)
        columns = header_of(book.worksheets[0])
        sheets = [sheet for sheet in book.worksheets if header_of(sheet) == columns]
        length = sum(sheet.max_row or 0 for sheet in sheets)

    def rows() -> Iterator[Numbered]:
        values = chain.from_iterable(sheet.iter_rows(min_row=2, values_only=True) for sheet in sheets)
        for number, row in enumerate(values, start=2):
            fields = list(row[: len(columns)])
            if any(value is not None for value in fields):
                yield number, fields + [None] * (len(columns) - len(fields))

    def read() -> Iterator[Chunk]:
        with damage(path, *damages):
            yield from chunks_of(rows(), columns)

    return Export(path, columns, length // CHUNK + 1, read)


def chunks_of(rows: Iterator[Numbered], columns: list[str]) -> Iterator[Chunk]:
    """Chunks of numbered rows; those with more or fewer fields than there are columns are set apart."""
    while part := list(islice(rows, CHUNK)):
        good = [row for row in part if len(row[1]) == len(columns)]
        table = pd.DataFrame([fields for _, fields in good], [number for number, _ in good], columns)
        broken = {number: fields for number, fields in part if len(fields) != len(columns)}
        yield table, broken_lines(broken, len(columns))


def broken_lines(broken: dict[int, list[Any]], columns: int) -> pd.DataFrame:
    """The rows that have a wrong number of fields. Raises CheckFailed if the reason is a quote that stays open."""
    for number, fields in broken.items():
        if any("\n" in field for field in fields):
            raise CheckFailed(
                f"A quote that is opened before line {number:,} is not closed where it should be.",
                fix="Export the file again, or mend the quote.",
            )
    reasons = [f"{len(fields)} fields instead of {columns}" for fields in broken.values()]
    return pd.DataFrame({REASON: reasons, LINE: [",".join(fields) for fields in broken.values()]}, list(broken))


def no_lines() -> pd.DataFrame:
    """Nothing that could not be read."""
    return broken_lines({}, 0)


@contextmanager
def damage(path: Path, *errors: type[Exception]) -> Iterator[None]:
    """Tell what a reader says of a damaged file."""
    try:
        yield
    except errors as error:
        kind = KINDS[path.suffix.lower()].upper()
        raise CheckFailed(
            f"{path.name} is damaged or cut off, or no {kind} file: {error}", fix="Copy or export it again."
        ) from error

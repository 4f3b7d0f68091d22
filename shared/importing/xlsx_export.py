"""Reads an XLSX workbook as an export: its first sheet, and those further ones that have the same header."""

import datetime
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from shared.errors import CheckFailed
from shared.importing.exports import CHUNK, Chunk, Export, Numbered, chunks_of, damage, header_names

# What is read at once and not row by row: shared texts, styles, the list of sheets.
MOST_AT_ONCE = 256 << 20
# Beyond this size a part that was packed a hundredfold is no table, but a trap.
MOST_PACKED, MOST_TIMES = 64 << 20, 100
# A double holds whole numbers exactly up to here.
EXACT = 2**53


def open_xlsx(path: Path) -> Export:
    """A workbook. Raises CheckFailed if it is damaged, holds no table, or would fill the memory."""
    with damage(path):
        check_sizes(path)
        book = open_book(path)
        if not book.worksheets:
            raise CheckFailed(f"{path.name} holds no sheet with a table.", fix="Export a sheet of rows and columns.")
        columns = header_of(book.worksheets[0])
        if not columns:
            raise CheckFailed(
                f"The first sheet of {path.name} has no header in its first row.", fix="Put the column names there."
            )
        places = [place for place, sheet in enumerate(book.worksheets) if header_of(sheet) == columns]
        length = sum(book.worksheets[place].max_row or 0 for place in places)
        left = [sheet.title for place, sheet in enumerate(book.worksheets) if place not in places]
        book.close()
    notes = (f"sheets with another header, not read: {', '.join(left)}",) if left else ()
    return Export(path, columns, length // CHUNK + 1, partial(read_rows, path, places, columns), notes)


def open_book(path: Path) -> Any:
    """The workbook, to be read row by row; what its sheets claim to be their size does not count."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    for sheet in book.worksheets:
        sheet.reset_dimensions()
    return book


def check_sizes(path: Path) -> None:
    """Raise CheckFailed for a workbook that unpacks to more than memory should hold."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            at_once = "worksheets/" not in part.filename and not part.filename.startswith("xl/media/")
            packed = part.file_size > MOST_PACKED and part.file_size > MOST_TIMES * max(part.compress_size, 1)
            if packed or (at_once and part.file_size > MOST_AT_ONCE):
                raise CheckFailed(
                    f"{path.name} is {path.stat().st_size / 1e6:.1f} MB and its part {part.filename} unpacks to "
                    f"{part.file_size / 1e6:,.0f} MB, which is more than a table needs.",
                    fix="Export it as CSV.",
                )


def header_of(sheet: Any) -> list[str]:
    """A sheet's column names, up to the last one that has any."""
    cells = list(next(sheet.iter_rows(values_only=True), ()))
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return header_names(cells)


def read_rows(path: Path, places: list[int], columns: list[str]) -> Iterator[Chunk]:
    """The rows of the sheets at these places, chunk by chunk; they are numbered through."""
    with damage(path):
        book = open_book(path)
        sheets = [book.worksheets[place] for place in places]
        values = chain.from_iterable(sheet.iter_rows(min_row=2, values_only=True) for sheet in sheets)
        rows: Iterator[Numbered] = (
            (number, list(row[: len(columns)]))
            for number, row in enumerate(values, start=2)
            if any(value is not None for value in row)
        )
        yield from chunks_of(rows, len(columns), 0, cell_column)
        book.close()


def cell_column(values: Iterable[Any]) -> pa.Array:
    """A column's cells: times if all are, numbers if all are, else text that says the same."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds and kinds <= {datetime.datetime}:
        return pa.array(values, pa.timestamp("us"))
    if kinds == {int} and all(abs(value) < 2**63 for value in values if value is not None):
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, float} and all(abs(value) < EXACT for value in values if value is not None):
        return pa.array(values, pa.float64())
    return pa.array([None if value is None else cell_text(value) for value in values], pa.string())


def cell_text(value: Any) -> str:
    """A cell as text. A number of more digits than a double holds stays visible as such, with its exponent.

    >>> cell_text(7.0), cell_text(1.5), cell_text(1.2345678901234568e17), cell_text(datetime.date(2017, 3, 1))
    ('7', '1.5', '1.2345678901234568e+17', '2017-03-01')
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) if abs(value) < EXACT else repr(value)
    return str(value)

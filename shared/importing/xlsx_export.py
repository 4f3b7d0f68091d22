"""Reads an XLSX workbook as an export: its first sheet with a table, and further ones that have the same header."""

import datetime
import zipfile
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from shared.errors import CheckFailed
from shared.importing.exports import (
    CHUNK,
    MOST_ABOVE,
    Chunk,
    Export,
    Numbered,
    chunks_of,
    damage,
    header_names,
    tell_above,
)

# What is read at once and not row by row: shared texts, styles, the list of sheets.
MOST_AT_ONCE = 256 << 20
# Beyond this size a part that was packed a hundredfold is no table, but a trap.
MOST_PACKED, MOST_TIMES = 64 << 20, 100
# A double holds whole numbers exactly up to here.
EXACT = 2**53


def open_xlsx(path: Path, wanted: Collection[str] = ()) -> Export:
    """A workbook. Its table is on the first sheet that has all `wanted` columns, or else on the first that has any.

    Sheets that are hidden are not read. Raises CheckFailed if it is damaged, holds no table, or would fill the memory.
    """
    with damage(path):
        check_sizes(path)
        book = open_book(path)
        shown = {place: sheet for place, sheet in enumerate(book.worksheets) if sheet.sheet_state == "visible"}
        if not shown:
            raise CheckFailed(f"{path.name} holds no sheet with a table.", fix="Export a sheet of rows and columns.")
        tops = {place: find_header(sheet, wanted) for place, sheet in shown.items()}
        first = min(tops, key=lambda place: (not set(wanted) <= set(tops[place][1]), not tops[place][1], place))
        columns = tops[first][1]
        if not columns:
            raise CheckFailed(f"{path.name} has no header on any sheet.", fix="Put the column names above the rows.")
        tables = {
            place: Table(row, placed(columns, names))
            for place, (row, names) in tops.items()
            if same_table(names, columns, wanted)
        }
        length = sum(book.worksheets[place].max_row or 0 for place in tables)
        notes = sheet_notes(book.worksheets, shown, tables)
        from_1904 = book.epoch.year == 1904
        book.close()
    notes = (*notes, *tell_above(tables[first].header_row - 1, columns))
    read = partial(read_rows, path, tables, columns)
    return Export(path, columns, length // CHUNK + 1, read, notes, days_from_1904=from_1904)


class Table(NamedTuple):
    """A sheet's table: the number of its header's row, and where each column of the export is in it, -1 for nowhere."""

    header_row: int
    places: list[int]


def same_table(names: list[str], columns: list[str], wanted: Collection[str]) -> bool:
    """Whether a sheet's header is the export's, or has each `wanted` column once, in another order, or beside others.

    Upper and lower case are the same where that leaves one column.
    """
    mine, all_of = [name.casefold() for name in names], [name.casefold() for name in columns]
    return mine == all_of or (bool(wanted) and all(find_column(name, names) >= 0 for name in wanted))


def find_column(name: str, names: list[str]) -> int:
    """Where a column is; -1 if it is nowhere, or in several places."""
    exact = [at for at, other in enumerate(names) if other == name]
    found = exact or [at for at, other in enumerate(names) if other.casefold() == name.casefold()]
    return found[0] if len(found) == 1 else -1


def placed(columns: list[str], names: list[str]) -> list[int]:
    """Where each of the export's columns is on a sheet; -1 where it has no such column."""
    same = [name.casefold() for name in columns] == [name.casefold() for name in names]
    return list(range(len(columns))) if same else [find_column(name, names) for name in columns]


def sheet_notes(sheets: list[Any], shown: Collection[int], read: Collection[int]) -> tuple[str, ...]:
    """Which sheets are read and which are not, where there are several."""
    kinds = {
        "sheets read": [sheet.title for place, sheet in enumerate(sheets) if place in read],
        "sheets with another header, not read": [
            sheet.title for place, sheet in enumerate(sheets) if place in shown and place not in read
        ],
        "hidden sheets, not read": [sheet.title for place, sheet in enumerate(sheets) if place not in shown],
    }
    return tuple(f"{kind}: {', '.join(titles)}" for kind, titles in kinds.items() if titles and len(sheets) > 1)


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


def find_header(sheet: Any, wanted: Collection[str]) -> tuple[int, list[str]]:
    """(number of the row with a sheet's column names, those names up to the last one): the first row that holds
    anything, or one soon after it that has all `wanted`."""
    tops = islice(sheet.iter_rows(values_only=True), MOST_ABOVE)
    found = [(number, names) for number, row in enumerate(tops, start=1) if (names := names_in(row))]
    exact = [(number, names) for number, names in found if set(wanted) <= set(names)]
    named = exact or [(at, names) for at, names in found if all(find_column(name, names) >= 0 for name in wanted)]
    return next(iter([*named, *found]), (1, []))


def names_in(row: Iterable[Any]) -> list[str]:
    """The column names in a row, up to the last cell that holds anything."""
    cells = list(row)
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return header_names(cells)


def read_rows(path: Path, tables: dict[int, Table], columns: list[str]) -> Iterator[Chunk]:
    """The rows of some sheets, chunk by chunk; they are numbered through."""
    with damage(path):
        book = open_book(path)
        values = chain.from_iterable(
            ([row[at] if 0 <= at < len(row) else None for at in table.places] for row in rows_below(book, place, table))
            for place, table in tables.items()
        )
        first = next(iter(tables.values())).header_row + 1
        rows: Iterator[Numbered] = (
            (number, row) for number, row in enumerate(values, start=first) if any(cell is not None for cell in row)
        )
        yield from chunks_of(rows, len(columns), 0, cell_column)
        book.close()


def rows_below(book: Any, place: int, table: Table) -> Iterator[tuple[Any, ...]]:
    """The rows below a sheet's header."""
    found: Iterator[tuple[Any, ...]] = book.worksheets[place].iter_rows(min_row=table.header_row + 1, values_only=True)
    return found


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

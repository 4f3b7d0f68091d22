"""A workbook's table is found on whichever sheet it is, and its cells keep every digit."""

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from shared.errors import CheckFailed
from shared.importing import xlsx_export
from shared.importing.exports import Export
from shared.importing.xlsx_export import cell_column, check_sizes, find_column, names_in, open_xlsx, placed, same_table

HEADER = ["who", "what"]


def opened(
    path: Path, sheets: dict[str, list[list[Any]]], wanted: tuple[str, ...] = (), hidden: tuple[str, ...] = ()
) -> Export:
    """A workbook of some sheets, opened."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
        for row in rows:
            sheet.append(row)
    book.save(path / "a.xlsx")
    return open_xlsx(path / "a.xlsx", wanted)


def rows_of(export: Export) -> list[tuple[Any, ...]]:
    """(number, *values) of each row."""
    return [
        (int(number), *values)
        for chunk in export
        for number, *values in zip(chunk.numbers, *(column.to_pylist() for column in chunk.table.columns), strict=True)
    ]


def test_rows_of_several_sheets_are_numbered_through_and_empty_ones_are_none(tmp_path: Path) -> None:
    export = opened(
        tmp_path, {"one": [["title"], [], HEADER, ["a", "p"], [], ["b", None]], "two": [HEADER, ["c", "q"]]}, ("who",)
    )
    assert rows_of(export) == [(4, "a", "p"), (6, "b", None), (7, "c", "q")]
    assert export.notes == ("sheets read: one, two", "the header: the line that begins with 'who'; 2 lines above it")


def test_a_sheet_with_the_wanted_columns_comes_before_the_first_one(tmp_path: Path) -> None:
    sheets = {"notes": [["about"], ["x"]], "empty": [], "sales": [HEADER, ["a", "p"]], "old": [HEADER, ["z", "p"]]}
    export = opened(tmp_path, sheets, ("who", "what"), hidden=("old",))
    assert export.columns == HEADER
    assert rows_of(export) == [(2, "a", "p")]
    assert export.notes == (
        "sheets read: sales",
        "sheets with another header, not read: notes, empty",
        "hidden sheets, not read: old",
    )


def test_without_wanted_columns_the_first_sheet_that_has_any_counts(tmp_path: Path) -> None:
    export = opened(tmp_path, {"empty": [], "sales": [HEADER, ["a", "p"]], "other": [["z"], ["q"]]})
    assert (export.columns, rows_of(export)) == (HEADER, [(2, "a", "p")])


def test_columns_in_another_order_or_beside_others_are_found_on_each_sheet(tmp_path: Path) -> None:
    sheets = {"one": [HEADER, ["a", "p"]], "two": [["What", "note", "WHO"], ["q", "x", "b"]]}
    assert rows_of(opened(tmp_path, sheets, ("who", "what"))) == [(2, "a", "p"), (3, "b", "q")]
    assert rows_of(opened(tmp_path, sheets)) == [(2, "a", "p")]


def test_one_sheet_needs_no_words(tmp_path: Path) -> None:
    assert opened(tmp_path, {"one": [HEADER, ["a", "p"]]}).notes == ()


def test_a_workbook_without_a_header_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="no header on any sheet"):
        opened(tmp_path, {"one": [], "two": [[None]]})


def test_a_header_is_looked_for_in_the_first_twenty_rows(tmp_path: Path) -> None:
    assert opened(tmp_path, {"one": [["x"]] * 19 + [HEADER, ["a", "p"]]}, ("who",)).columns == HEADER
    assert opened(tmp_path, {"one": [["x"]] * 20 + [HEADER, ["a", "p"]]}, ("who",)).columns == ["x"]


def test_a_header_of_the_same_letters_comes_before_one_of_another_case(tmp_path: Path) -> None:
    export = opened(tmp_path, {"one": [["WHO", "of what"], ["who", "what"], ["a", "p"]]}, ("who",))
    assert rows_of(export) == [(3, "a", "p")]
    assert opened(tmp_path, {"one": [["x"], ["WHO"], ["a"]]}, ("who",)).columns == ["WHO"]


def test_a_column_is_found_once_or_not() -> None:
    names = ["Who", "who", "WHAT", "when", "When", "x", "x"]
    assert [find_column(name, names) for name in ("who", "Who", "what", "WHEN", "x", "y")] == [1, 0, 2, -1, -1, -1]
    assert placed(["a", "b"], ["A", "B"]) == [0, 1]
    assert placed(["a", "b", "c"], ["B", "a"]) == [1, 0, -1]


def test_another_header_is_the_same_table_only_if_each_wanted_column_is_there() -> None:
    assert same_table(["A", "b"], ["a", "B"], ())
    assert not same_table(["b", "a"], ["a", "b"], ())
    assert same_table(["b", "x", "a"], ["a", "b"], ("a", "b"))
    assert not same_table(["b", "x"], ["a", "b"], ("a", "b"))


def test_names_end_with_the_last_cell_that_holds_anything() -> None:
    assert names_in(["a", None, "b", None, ""]) == ["a", "column 2", "b"]
    assert names_in([None, ""]) == []


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        ([1, None], pa.int64(), [1, None]),
        ([1, 2.5], pa.float64(), [1.0, 2.5]),
        ([2**53, 1.5], pa.string(), [str(2**53), "1.5"]),
        ([2**53 - 1, 1.5], pa.float64(), [float(2**53 - 1), 1.5]),
        ([2**63, 1], pa.string(), [str(2**63), "1"]),
        ([2**63 - 1, 1], pa.int64(), [2**63 - 1, 1]),
        ([1e17, 1.0], pa.string(), ["1e+17", "1"]),
        ([datetime.datetime(2017, 3, 1), None], pa.timestamp("us"), [datetime.datetime(2017, 3, 1), None]),
        ([datetime.datetime(2017, 3, 1), "soon"], pa.string(), ["2017-03-01 00:00:00", "soon"]),
        ([True, 1], pa.string(), ["True", "1"]),
        ([None], pa.string(), [None]),
    ],
)
def test_cells_have_the_type_that_holds_all_of_them(cells: list[Any], kind: pa.DataType, values: list[Any]) -> None:
    column = cell_column(cells)
    assert (column.type, column.to_pylist()) == (kind, values)


def part(name: str, size: int, packed: bool = True) -> Callable[[Path], None]:
    """Makes an archive with one part."""

    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
            archive.writestr(name, b"0" * size)

    return make


@pytest.mark.parametrize(
    ("make", "refused"),
    [
        (part("xl/worksheets/sheet1.xml", 1001), True),
        (part("xl/worksheets/sheet1.xml", 1000), False),
        (part("xl/worksheets/sheet1.xml", 5000, packed=False), False),
        (part("xl/sharedStrings.xml", 2001, packed=False), True),
        (part("xl/sharedStrings.xml", 2000, packed=False), False),
        (part("xl/media/picture.png", 2001, packed=False), False),
    ],
)
def test_a_part_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, make: Callable[[Path], None], refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_export, "MOST_AT_ONCE", 2000)
    monkeypatch.setattr(xlsx_export, "MOST_PACKED", 1000)
    monkeypatch.setattr(xlsx_export, "MOST_TIMES", 10)
    make(tmp_path / "a.xlsx")
    if not refused:
        check_sizes(tmp_path / "a.xlsx")
        return
    with pytest.raises(CheckFailed, match="more than a table needs"):
        check_sizes(tmp_path / "a.xlsx")

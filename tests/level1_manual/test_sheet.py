"""A sheet that people edit by hand, with a program for sheets."""

import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from level1_manual import workplace
from level1_manual.runbook import numbers_used
from level1_manual.sheet import add_row, numbers, rows
from shared.errors import IntegrityError, Locked, UsageError
from shared.release.number import next_release


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A sheet with 1.0 and 1.1."""
    path = tmp_path / "models.xlsx"
    for number in range(2):
        add_row(path, [f"1.{number}", f"2017-06-0{5 + number}", "0.3", "operator", ""])
    return path


def edit(path: Path, *more: list[Any], **cells: Any) -> None:
    """Do by hand: append rows, change cells."""
    book = load_workbook(path)
    for row in more:
        book.worksheets[0].append(row)
    for cell, value in cells.items():
        book.worksheets[0][cell] = value
    book.save(path)


def following(path: Path) -> str:
    return next_release(numbers(path), 1)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ([[" "], [None, None, ""], [None, None, None, None, "ask Jo about this one"]], "1.2"),
        ([["rolled back to 1.0, see mail"]], "1.2"),
        ([["1.2 (broken)"], ["v1.3"]], "1.4"),
        ([[1.2, datetime(2017, 6, 7), 0.31, "me"]], "1.3"),
        ([["1,2"]], "1.3"),
        ([[f"1.{number}"] for number in range(2, 10)] + [[1.1, datetime(2017, 8, 1), 0.8, "me", "was 1.10"]], "1.11"),
        ([[f"1.{number}"] for number in range(2, 20)] + [[1.2]], "1.21"),
        ([[1.1, "2017-06-07", "", "me", "back again"]], "names row 4"),
        ([["=A2+0.1", "=TODAY()", "0.8", "me", ""]], "names row 4"),
        ([[datetime(2017, 10, 1), "2017-06-07", "0.8", "me", "1.10, as the program sees it"]], "names row 4"),
        ([[True]], "1.2"),
    ],
)
def test_what_people_type_is_understood_or_named(sheet: Path, more: list[list[Any]], wanted: str) -> None:
    edit(sheet, *more)
    if wanted.startswith("names"):
        with pytest.raises(UsageError, match=r"models\.xlsx, row 4: ") as told:
            following(sheet)
        assert "'1.10 with an apostrophe" in told.value.fix
        return
    assert following(sheet) == wanted
    add_row(sheet, [wanted, "2017-08-02", "0.3", "operator", ""])
    assert rows(sheet)[-1][:2] == [wanted, "2017-08-02"]


def test_a_number_1_0_is_the_release_1_0(sheet: Path) -> None:
    edit(sheet, A2=1.0)
    assert [row[0] for row in rows(sheet)] == ["1.0", "1.1"]


@pytest.mark.parametrize("day", ["2017-06-05", datetime(2017, 6, 5), "05.06.2017", "2017/06/05"])
def test_a_day_is_found_however_it_was_typed(sheet: Path, day: Any) -> None:
    edit(sheet, B2=day)
    assert rows(sheet)[0][:2] == ["1.0", "2017-06-05"]


def test_another_sheet_that_was_open_when_it_was_saved(sheet: Path) -> None:
    book = load_workbook(sheet)
    book.create_sheet("budget", 0)["A1"] = "item"
    book.active = 0
    book.save(sheet)
    add_row(sheet, ["1.2", "2017-06-07", "0.3", "operator", ""])
    assert [row[0] for row in rows(sheet)] == ["1.0", "1.1", "1.2"]
    assert load_workbook(sheet)["budget"].max_row == 1


def test_columns_that_were_moved_and_a_title_above(sheet: Path) -> None:
    book = load_workbook(sheet)
    book.worksheets[0].insert_cols(1)
    book.worksheets[0].insert_rows(1, 2)
    book.worksheets[0]["A1"] = "Our models"
    book.save(sheet)
    add_row(sheet, ["1.2", "2017-06-07", "0.3", "operator", "note"])
    assert rows(sheet)[-1] == ["1.2", "2017-06-07", "0.3", "operator", "note"]


@pytest.mark.parametrize("kept", [0, 100, -200])
def test_a_file_that_was_cut_is_named(sheet: Path, kept: int) -> None:
    sheet.write_bytes(sheet.read_bytes()[:kept])
    before = sheet.read_bytes()
    with pytest.raises(IntegrityError, match=r"models\.xlsx cannot be read as a sheet"):
        rows(sheet)
    with pytest.raises(IntegrityError):
        add_row(sheet, ["1.2", "", "", "", ""])
    assert sheet.read_bytes() == before


@pytest.mark.parametrize("name", ["~$models.xlsx", ".~lock.models.xlsx#"])
def test_a_sheet_that_is_open_elsewhere_is_read_and_not_written(sheet: Path, name: str) -> None:
    sheet.with_name(name).write_text("")
    before = sheet.read_bytes()
    with pytest.raises(Locked, match="open in an office program"):
        add_row(sheet, ["1.2", "", "", "", ""])
    assert len(rows(sheet)) == 2
    assert sheet.read_bytes() == before


def test_of_two_writers_both_rows_stay(sheet: Path) -> None:
    writers = [threading.Thread(target=add_row, args=(sheet, [f"1.{n}", "", "", "", ""])) for n in range(2, 8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(row[0] for row in rows(sheet)) == [f"1.{number}" for number in range(8)]


def test_the_models_that_lie_about_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    for folder in (workplace.laptop(), workplace.server()):
        folder.mkdir(parents=True)
    (workplace.server() / "model-1.6.pkl.bak").write_text("")
    (workplace.laptop() / "model_1.4.pkl").write_text("")
    (workplace.laptop() / "model.pkl").write_text("")
    assert numbers_used() == {"1.4", "1.6"}


def test_a_clock_before_1980_changes_nothing(sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    add_row(sheet, ["1.2", "1970-01-02", "0.3", "operator", ""])
    assert rows(sheet)[-1][0] == "1.2"

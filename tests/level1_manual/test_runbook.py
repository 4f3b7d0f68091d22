"""Level 1's story: a person carries out the runbook."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from level1_manual.runbook import read_steps
from level1_manual.sheet import add_row, rows


@pytest.mark.story
def test_the_runbook_ends_with_a_recommendation(home: Path) -> None:
    command = [sys.executable, "-m", "stories.level1", "--as-of", "2017-06-04", "--customer", "7"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Customer 7 is now recommended" in told
    assert "bought " in told.split("now recommended")[1]
    actions = [json.loads(line) for line in (home / "level1" / "actions.jsonl").read_text().splitlines()]
    assert [action["number"] for action in actions] == [1, 2, 3, 4, 5, 6]
    assert (home / "level1" / "server" / "model.pkl").read_bytes() == (
        home / "level1" / "laptop" / "model.pkl"
    ).read_bytes()
    [row] = rows(home / "level1" / "laptop" / "models.xlsx")
    assert row[:2] == ["1.0", "2017-06-05"]
    assert 0.2 < float(row[2]) < 0.4


def test_the_runbook_names_every_step() -> None:
    assert [step.number for step in read_steps()] == [1, 2, 3, 4, 5, 6]


def test_a_cell_of_the_spreadsheet_never_becomes_a_formula(tmp_path: Path) -> None:
    sheet = tmp_path / "models.xlsx"
    add_row(sheet, ["1.0", "2017-06-05", "0.3", "operator", "=HYPERLINK(1)"])
    cell = load_workbook(sheet).active["E2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")

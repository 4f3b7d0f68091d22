"""Add a row to models.xlsx, the way a person types it: what they believe to be live from now on."""

import argparse
from datetime import date
from pathlib import Path

from openpyxl import Workbook, load_workbook

from level1_manual.evaluate import NUMBER
from level1_manual.workplace import laptop
from shared.program import run_program

SHEET = "models.xlsx"
HEADER = ["release", "live since", "NDCG@10", "who", "note"]


def add_row(path: Path, row: list[str]) -> None:
    """Append a row of plain text; a text that looks like a formula stays a text."""
    book = load_workbook(path) if path.exists() else Workbook()
    sheet = book.active
    if not path.exists():
        sheet.append(HEADER)
    at = sheet.max_row + 1
    for column, text in enumerate(row, start=1):
        cell = sheet.cell(at, column, text)
        cell.data_type = "s"
    book.save(path)


def rows(path: Path) -> list[list[str]]:
    """The rows of the spreadsheet without its header."""
    if not path.exists():
        return []
    values = load_workbook(path, read_only=True).active.iter_rows(min_row=2, values_only=True)
    return [[str(value) for value in row] for row in values]


def main() -> None:
    """Type the row."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--release", required=True)
    arguments.add_argument("--live-since", type=date.fromisoformat, required=True)
    arguments.add_argument("--who", default="operator")
    arguments.add_argument("--note", default="")
    typed = arguments.parse_args()
    number = (laptop() / NUMBER).read_text().strip()
    add_row(laptop() / SHEET, [typed.release, typed.live_since.isoformat(), number, typed.who, typed.note])
    print(f"{laptop() / SHEET} says that {typed.release} is live since {typed.live_since}")


if __name__ == "__main__":
    run_program(main)

"""Add a row to models.xlsx, the way a person types it: what they believe to be live from now on."""

import argparse
from datetime import date

from level1_manual.evaluate import NUMBER
from level1_manual.sheet import add_row, numbers
from level1_manual.workplace import laptop
from shared.errors import UsageError
from shared.program import run_program

SHEET = "models.xlsx"


def main() -> None:
    """Type the row."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--release", required=True)
    arguments.add_argument("--live-since", type=date.fromisoformat, required=True)
    arguments.add_argument("--who", default="operator")
    arguments.add_argument("--note", default="")
    typed = arguments.parse_args()
    if typed.release in numbers(laptop() / SHEET):
        taken = f"{laptop() / SHEET} has a release {typed.release} already."
        raise UsageError(taken, fix="Take the next free number; the copied model stays.")
    number = (laptop() / NUMBER).read_text().strip()
    add_row(laptop() / SHEET, [typed.release, typed.live_since.isoformat(), number, typed.who, typed.note])
    print(f"{laptop() / SHEET} says that {typed.release} is live since {typed.live_since}")


if __name__ == "__main__":
    run_program(main)

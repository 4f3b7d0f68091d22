"""What was seen of a level, day by day: a line a day, and the day's answers beside it. Verdicts are drawn from it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from shared.places import write_atomically


class Diary:
    """A level's days below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, day: date, entry: dict[str, Any], answers: pd.DataFrame) -> None:
        """Write a day down; a later version of the same day takes its place."""
        (self.folder / "answers").mkdir(parents=True, exist_ok=True)
        answers.to_parquet(self.folder / "answers" / f"{day}.parquet", index=False)
        write_atomically(self._file(day), json.dumps(entry).encode())

    def days(self) -> list[date]:
        """The days that were written down, in order."""
        return sorted(date.fromisoformat(file.stem) for file in self.folder.glob("????-??-??.json"))

    def read(self, day: date) -> dict[str, Any]:
        """A day."""
        return dict(json.loads(self._file(day).read_bytes()))

    def entries(self) -> list[dict[str, Any]]:
        """All days, in order."""
        return [self.read(day) for day in self.days()]

    def answers(self, day: date) -> pd.DataFrame:
        """A day's answers, a row a shopper."""
        return pd.read_parquet(self.folder / "answers" / f"{day}.parquet")

    def note(self, name: str, content: dict[str, Any]) -> None:
        """Keep what is known of all days together."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / f"{name}.json", json.dumps(content).encode())

    def noted(self, name: str) -> dict[str, Any]:
        """What was kept under a name; empty if nothing was."""
        file = self.folder / f"{name}.json"
        return dict(json.loads(file.read_bytes())) if file.exists() else {}

    def _file(self, day: date) -> Path:
        return self.folder / f"{day}.json"

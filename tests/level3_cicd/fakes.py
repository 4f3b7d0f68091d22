"""Stand-ins for what a run of level 3's pipeline speaks to."""

import json
from pathlib import Path
from typing import Any


class FakeEvidence:
    """A record of a run in memory."""

    run_id = "a run"

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}

    def keep(self, name: str, content: Any) -> None:
        self.kept[name] = json.loads(json.dumps(content))

    def keep_numbers(self, bundle: Path) -> None:
        self.kept["bundle"] = bundle

    def show_table(self, key: str, rows: list[dict[str, Any]], description: str) -> None:
        self.shown[key] = rows

    def show_link(self, key: str, link: str, text: str) -> None:
        self.shown[key] = link

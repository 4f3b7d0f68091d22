"""A level's process and its service without a level: what the season asks of them can be looked at, in no time."""

import os
from pathlib import Path
from typing import Any, ClassVar

import pytest

from comparison import level_play
from shared.dataset.feed import Feed
from tests.conftest import write_checkerboard

GOOD = [f"p{number:02}" for number in range(10)]


class FakeProcess:
    """A level that does what it is told."""

    def __init__(self, level: int, folder: Path) -> None:
        self.level, self.home, self.code, self.asked = level, folder / "home", folder / "code", []
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.number = 0.3
        self.pid = os.getpid()

    def start(self) -> None:
        self.asked.append("start")

    def stop(self) -> None:
        self.asked.append("stop")

    def ask(self, question: str, on_release: Any = None, **more: Any) -> dict[str, Any]:
        self.asked.append(f"{question} {more.get('rung', '')}".strip())
        if question == "begin" and on_release:
            on_release("digest", Path("/bundle"))
        known = {
            "state": {"alarms": [], "called_live": "digest", "trainings": 1, "cpu": 1.0},
            "places": {"configurations": [], "service": str(self.home), "address": {"port": 1, "pid": self.pid}},
            "look": {"look": {"number": self.number, "where": "the sheet"}},
            "live_on": {"live_on": ["digest"] * len(more.get("days", []))},
        }.get(question, {"did": []})
        planned = self.answers.get(self.asked[-1], [])
        return {**known, **(planned.pop(0) if planned else {})}


class FakeAddress:
    """A service that answers everybody the same."""

    products: list[str] | None = GOOD
    ports: ClassVar[list[int | None]] = []

    def __init__(self, port: int | None) -> None:
        FakeAddress.ports.append(port)

    def version(self) -> dict[str, Any]:
        return {"release": "1.0", "bundle_digest": "digest"} if self.products is not None else {}

    def lists(self, customers: list[str]) -> dict[str, list[str]]:
        return dict.fromkeys(customers, FakeAddress.products or [])

    def is_alive(self) -> bool:
        return True

    is_ready = is_alive

    def close(self) -> None: ...


def with_stand_ins(monkeypatch: pytest.MonkeyPatch, home: Path, days: int) -> Feed:
    """A home with a small shop of so many days, whose season is played by stand-ins."""
    monkeypatch.setenv("MLOPS_HOME", str(home))
    monkeypatch.setattr(level_play, "LevelProcess", FakeProcess)
    monkeypatch.setattr(level_play, "make_working_copy", lambda code: code.mkdir())
    monkeypatch.setattr(level_play, "Address", FakeAddress)
    monkeypatch.setattr(FakeAddress, "products", GOOD)
    return write_checkerboard(home / "shop", days=days)

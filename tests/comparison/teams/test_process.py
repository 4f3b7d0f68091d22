"""What a level's process answers, with a team that writes down who asked."""

import io
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from comparison.teams import process
from comparison.teams.process import Conversation, Desk, cpu_seconds
from comparison.teams.team import Did, Look, Places
from level3_cicd.rollout.switch import running_service
from shared.errors import CheckFailed, UsageError
from shared.service.process import find
from shared.service.waiting import wait_until


@dataclass
class Fake:
    """A team without a level."""

    level: int = 3
    did: list[Did] = field(default_factory=list)
    asked: list[tuple] = field(default_factory=list)
    places: Places = field(default_factory=lambda: Places(Path("/level3"), (Path("/config.toml"),)))

    def begin(self, as_of: date) -> None:
        self.asked.append(("begin", as_of))
        self.did.append(Did("git push", "person"))

    def scheduled(self, as_of: date, days_open: int) -> None:
        self.asked.append(("scheduled", as_of, days_open))

    def release(self, as_of: date, by: str) -> None:
        self.asked.append(("release", by))

    def go_back(self, as_of: date) -> None:
        raise UsageError("Level 3 has no command to go back.")

    def accept(self, as_of: date) -> None:
        self.did.append(Did("accept", "person", 3, "no"))
        raise CheckFailed("half-way")

    def repeat(self, as_of: date) -> None: ...

    def take_again(self, as_of: date) -> None: ...

    def look(self, as_of: date) -> Look:
        if as_of.day == 1:
            raise ValueError("no report")
        return Look(0.3, "the sheet")

    def alarms(self, known: int) -> list[dict[str, str]]:
        return [{"incident": "drift"}][known:]

    def called_live(self) -> str:
        return "digest"

    def trainings(self) -> int:
        return 4

    def live_on(self, day: date) -> str | None:
        return "digest" if day.day > 1 else None


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    launched: list[tuple] = []

    def launch(folder: Path, module: str, port: int, words: tuple) -> tuple:
        launched.append((folder, module, words))
        return SimpleNamespace(port=1, pid=2), None

    monkeypatch.setattr(process, "launch_service", launch)
    monkeypatch.setattr(process, "stop", lambda folder: launched.append((folder, "stop")))
    monkeypatch.setattr(process, "read_record", lambda folder: SimpleNamespace(port=1, pid=2))
    return launched


def test_the_service_is_there_before_the_first_release_unless_a_person_starts_it(started: list) -> None:
    desk = Desk(Fake())  # type: ignore[arg-type]
    answer = desk.answer({"ask": "begin", "as_of": "2017-06-04"})
    assert answer["did"] == [{"words": "git push", "by": "person", "code": 0, "told": ""}]
    assert started == [(Path("/level3"), "stop"), (Path("/level3"), process.SERVING, ("--level", "3"))]
    started.clear()
    Desk(Fake(level=1)).answer({"ask": "begin", "as_of": "2017-06-04"})  # type: ignore[arg-type]
    assert not started
    Desk(Fake(level=1)).answer({"ask": "start_service"})  # type: ignore[arg-type]
    assert started[-1] == (Path("/level3"), "level1_manual.serve", ())


def test_what_is_asked_is_done_by_the_team(started: list) -> None:
    team = Fake()
    desk = Desk(team)  # type: ignore[arg-type]
    desk.answer({"ask": "scheduled", "as_of": "2017-06-04", "days_open": 7})
    desk.answer({"ask": "act", "rung": "release", "as_of": "2017-06-04"})
    assert team.asked == [("scheduled", date(2017, 6, 4), 7), ("release", "person")]
    assert desk.answer({"ask": "act", "rung": "go_back", "as_of": "2017-06-04"})["lacks"].startswith("Level 3 has no")
    answer = desk.answer({"ask": "act", "rung": "accept", "as_of": "2017-06-04"})
    assert "lacks" not in answer
    assert answer["did"][0]["code"] == 3
    assert desk.answer({"ask": "look", "as_of": "2017-06-04"})["look"] == {"number": 0.3, "where": "the sheet"}
    assert desk.answer({"ask": "look", "as_of": "2017-06-01"})["look"]["where"] == "ValueError: no report"
    state = desk.answer({"ask": "state", "known_alarms": 0})
    assert (state["alarms"], state["called_live"], state["trainings"]) == ([{"incident": "drift"}], "digest", 4)
    assert desk.answer({"ask": "live_on", "days": ["2017-06-01", "2017-06-02"]})["live_on"] == [None, "digest"]
    places = desk.answer({"ask": "places"})
    assert (places["configurations"], places["address"]) == (["/config.toml"], {"port": 1, "pid": 2})
    desk.answer({"ask": "stop_service"})
    assert started == [(Path("/level3"), "stop")]


def test_a_release_waits_until_the_season_says_go_on() -> None:
    told, heard = io.StringIO(), io.StringIO('{"go": "on"}\n')
    conversation = Conversation(heard, told)
    conversation.release_waits("digest", Path("/bundle"))
    assert told.getvalue() == '{"waits": "digest", "path": "/bundle"}\n'
    assert conversation.hear() is None


def test_cpu_seconds_grow() -> None:
    before = cpu_seconds()
    sum(number * number for number in range(2_000_000))
    assert cpu_seconds() > before


@pytest.mark.thorough
def test_the_seasons_service_is_the_one_that_a_levels_check_after_a_switch_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    level = tmp_path / "level3"
    desk = Desk(Fake(places=Places(level, ())))  # type: ignore[arg-type]
    try:
        address = desk.answer({"ask": "start_service"})["address"]
        assert wait_until(lambda: running_service(level) is not None and find(level) is not None, 60)
        found = running_service(level)
        assert found is not None
        assert (found.pid, found.port) == (address["pid"], address["port"])
    finally:
        desk.answer({"ask": "stop_service"})
    assert running_service(level) is None

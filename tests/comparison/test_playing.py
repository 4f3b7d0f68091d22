"""A level's season and its customers, with a team that serves a model of its own: no level is played."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from comparison import season
from comparison.customers import AT_ONCE, Service, shop
from comparison.teams.team import Team
from shared.dataset.clock import known_through
from shared.dataset.feed import Feed, open_feed
from shared.dataset.writing import write_feed
from shared.errors import DependencyDown
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to, read_pointer
from shared.service.app import create_app
from shared.service.follower import Follower
from tests.conftest import FIRST_DAY, make_products, make_transactions

OPENING = FIRST_DAY + timedelta(days=20)


class Fake(Team):
    """A team that trains once a week, and whose records are right."""

    level = 3
    module = "none: no process is started"

    def release(self, as_of: date) -> None:
        self.actions.append(f"trained through {as_of}")
        model = Frecency().fit(open_feed(self.folder.parent / "shop").through(as_of), as_of=as_of)
        number = f"1.{len(self.made)}"
        folder = self.folder / "bundles" / number
        self.made[number] = write_bundle(folder, model, make_products(), Evidence("data", "code"))
        self.strikes(folder)
        point_to(self.folder, Pointer(number, f"bundles/{number}", self.made[number]))
        self.service.app = self.service.app or create_app(3, Follower(self.folder))

    def recorded_live(self, day: date) -> str | None:
        return self.pointer_digest()


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feed:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    write_feed(tmp_path / "shop", make_transactions(customers=AT_ONCE + 5), make_products(), name="checkerboard")
    return open_feed(tmp_path / "shop")


def test_a_season_lets_each_day_know_only_the_day_before(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[date] = []
    monkeypatch.setattr(Fake, "morning", lambda self, day, opened: known.append(known_through(feed.folder)))
    monkeypatch.setattr(season, "ask_for_real", lambda team, customer: {"customer": customer})
    monkeypatch.setattr(season, "team_of", lambda level: Fake)
    [played] = season.play([3], "c00", opening=OPENING, days=3)
    assert known == [OPENING + timedelta(days=at - 1) for at in range(3)]
    assert [day.day for day in played.days] == [OPENING + timedelta(days=at) for at in range(3)]
    assert {day.shoppers for day in played.days} == {AT_ONCE + 5}  # more than are asked for at once
    assert all(day.ndcg > 0 for day in played.days)
    assert {day.digest for day in played.days} == {played.made["1.0"]} == set(played.deployed.values())
    assert played.actions == [f"trained through {OPENING - timedelta(days=1)}"]
    assert (played.answer, played.starts_again) == ({"customer": "c00"}, True)


def test_a_team_trains_weekly_and_the_incident_strikes_on_its_day(feed: Feed) -> None:
    struck: list[Path] = []
    team = Fake(struck.append, OPENING + timedelta(days=7))
    assert team.pointer_digest() == ""
    team.begin(OPENING - timedelta(days=1))
    for number in range(9):
        team.morning(OPENING + timedelta(days=number), OPENING)
        team.evening(OPENING + timedelta(days=number))
    assert list(team.made) == ["1.0", "1.1"]
    assert struck == [team.folder / "bundles" / "1.1"]


def test_a_service_that_is_down_or_refuses_leaves_shoppers_without_a_list(feed: Feed) -> None:
    down = Service()
    day = shop(down, feed, OPENING)
    assert (day.digest, day.version, day.ndcg, day.shoppers) == ("", {}, 0.0, AT_ONCE + 5)
    down.app = create_app(3, Follower(feed.folder.parent / "level3"))  # nothing is deployed there
    assert down.ask(["c00"]).empty
    assert down.version() == {}


def test_the_service_is_asked_as_a_process_and_stopped_whatever_happens(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[Path] = []

    class Running:
        def recommend(self, customer: str, k: int) -> dict[str, Any]:
            return {"customer": customer, "k": k}

    def fails(*given: Any) -> Running:
        raise DependencyDown("it does not start")

    monkeypatch.setattr(season, "stop", stopped.append)
    monkeypatch.setattr(season, "start", lambda *given: Running())
    team = Fake(lambda stored: None, OPENING)
    assert season.ask_for_real(team, "c00") == {"customer": "c00", "k": 3}
    monkeypatch.setattr(season, "start", fails)
    assert season.ask_for_real(team, "c00") == {}
    assert stopped == [team.service_folder] * 2


def test_a_list_is_of_the_pointers_release_after_it_was_switched(feed: Feed) -> None:
    team = Fake(lambda stored: None, date.max)
    for number in (0, 1):
        team.release(OPENING + timedelta(days=number))
        shop(team.service, feed, OPENING + timedelta(days=number + 1))
        pointer = read_pointer(team.folder)
        assert pointer is not None
        assert team.service.version()["release"] == pointer.release == f"1.{number}"
    assert isinstance(team.service.ask(["c01"]), pd.DataFrame)

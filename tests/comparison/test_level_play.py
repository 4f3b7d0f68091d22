"""A level's days, with a process and a service that are stand-ins: what is asked in which order, and what follows."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from comparison import level_play
from comparison.diary import Diary
from comparison.incidents.by_name import make
from comparison.level_play import LevelPlay
from comparison.people import habits_of
from comparison.world import World
from shared.dataset.clock import known_through
from shared.dataset.feed import Feed, open_feed
from tests.comparison.stand_ins import GOOD, FakeAddress, FakeProcess
from tests.conftest import FIRST_DAY, write_checkerboard

OPENING = FIRST_DAY + timedelta(days=15)  # a Monday


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    write_checkerboard(tmp_path / "world", days=60)
    return open_feed(tmp_path / "world")


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_play, "LevelProcess", FakeProcess)
    monkeypatch.setattr(level_play, "make_working_copy", lambda code: None)
    monkeypatch.setattr(level_play, "Address", FakeAddress)
    monkeypatch.setattr(FakeAddress, "products", GOOD)
    monkeypatch.setattr(FakeAddress, "ports", [])


def play_of(tmp_path: Path, feed: Feed, level: int = 3, name: str = "nothing", strike: int = 100) -> LevelPlay:
    world = World(feed, make(name, OPENING + timedelta(days=strike), feed))
    folder, diary = tmp_path / f"level{level}", Diary(tmp_path / "diary")
    return LevelPlay(level, folder, world, habits_of("usual"), OPENING, diary)


def played(play: LevelPlay, days: int) -> list[dict[str, Any]]:
    play.begin()
    for number in range(days):
        play.play(OPENING + timedelta(days=number))
    return play.diary.entries()


def failed(words: str, by: str = "machine", code: int = 3) -> dict[str, Any]:
    return {"did": [{"words": words, "by": by, "code": code, "told": "no"}]}


def test_each_day_knows_the_day_before_and_is_written_down(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed)
    entries = played(play, 3)
    assert known_through(play.shop) == OPENING + timedelta(days=1)
    assert [entry["day"] for entry in entries] == [str(OPENING + timedelta(days=number)) for number in range(3)]
    assert (entries[0]["made"], entries[0]["shoppers"], entries[0]["bad"]) == (["digest"], 20, 0)
    asked = [one for one in play.process.asked if one in ("begin", "scheduled")]  # type: ignore[attr-defined]
    assert asked == ["begin", "scheduled", "scheduled"]
    assert play.records([OPENING]) == ["digest"]
    assert play.restarts()
    play.stop()
    assert play.process.asked[-1] == "stop"  # type: ignore[attr-defined]


def test_a_failed_job_calls_a_person_the_next_working_morning(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed)
    play.process.answers = {"scheduled": [failed("mlops pipeline run")]}  # type: ignore[attr-defined]
    entries = played(play, 4)
    [signal] = entries[1]["signals"]
    assert (signal["kind"], signal["by"], signal["words"]) == ("failed job", "machine", "no")
    assert "act repeat" in play.process.asked  # type: ignore[attr-defined]


def test_customers_complain_and_the_ladder_ends_with_what_the_supplier_says(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed, name="renumbered-products", strike=1)
    FakeAddress.products = ["0p01", *GOOD[1:]]
    play.process.answers = {"act go_back": [{"lacks": "no such command", "did": []}]}  # type: ignore[attr-defined]
    entries = played(play, 8)
    assert entries[0]["signals"][0]["about"] == "a product that is not sold"
    assert entries[0]["dead"] == 20
    asked = [one for one in play.process.asked if one.startswith("act")]  # type: ignore[attr-defined]
    assert asked == ["act repeat", "act go_back", "act take_again"]
    brought = [one["words"] for one in entries[7]["did"] if one["by"] == "supplier"]
    assert brought == [f"brings {OPENING + timedelta(days=number)} again" for number in range(7)]
    assert entries[2]["did"][0]["words"] == "go_back: no such command"
    assert play.world.incident.mended == OPENING + timedelta(days=7)
    assert open_feed(play.shop).day(OPENING).equals(feed.day(OPENING))


def test_a_service_that_is_down_has_failed_everybody(tmp_path: Path, feed: Feed) -> None:
    FakeAddress.products = None
    [entry] = played(play_of(tmp_path, feed), 1)
    assert (entry["failed"], entry["bad"], entry["ndcg"]) == (20, 20, 0.0)
    assert entry["signals"][0]["words"] == "20 of 20 customers: no answer"


def test_alarms_are_heard_once(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed, level=4)
    alarm = {"incident": "quality", "kind": "quality", "what": "worse"}
    play.process.answers = {"state": [{"alarms": [alarm]}]}  # type: ignore[attr-defined]
    entries = played(play, 2)
    assert [(one["about"], one["hurts"]) for one in entries[0]["signals"]] == [("quality", True)]
    assert entries[1]["signals"] == []


def test_a_person_looks_and_works_through_the_runbook_when_it_is_time(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed, level=1)
    play.begin()
    for number in range(29):
        play.process.number = 0.3 if number < 20 else 0.2  # type: ignore[attr-defined]
        play.play(OPENING + timedelta(days=number))
    asked = play.process.asked  # type: ignore[attr-defined]
    assert asked.count("look") == 2
    assert asked.count("act release") == 1
    assert play.diary.read(OPENING + timedelta(days=28))["signals"][0]["words"] == "the sheet shows 0.200, after 0.300"


def test_a_deaf_service_is_sent_a_signal_and_administrators_restart_it(
    tmp_path: Path, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(level_play.os, "kill", lambda pid, number: sent.append((pid, number)) if number else None)
    play = play_of(tmp_path, feed, name="deaf-service", strike=1)
    FakeAddress.products = None  # so that somebody complains
    entries = played(play, 8)
    assert sent == [(os.getpid(), level_play.DEAF)]
    assert entries[1]["struck"] == "service"
    assert any(one["words"] == "administrators restart the service" for entry in entries for one in entry["did"])


def test_at_level_1_the_old_process_keeps_the_address_that_customers_know(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed, level=1, name="deaf-service", strike=1)
    play.begin()
    (play.process.home / "service.json").write_text("{}")
    play.play(OPENING)
    play.process.answers = {  # type: ignore[attr-defined]
        "places": [{"address": {"port": 7, "pid": os.getpid()}}, {"address": {"port": 8, "pid": os.getpid()}}]
    }
    play.play(OPENING + timedelta(days=1))
    assert not (play.process.home / "service.json").exists()
    assert FakeAddress.ports[-1] == 7
    play._held = {"port": 7, "pid": 2**22 - 7}  # that process has ended
    play.stop()
    assert play._held == {}


def test_a_service_that_never_ran_cannot_go_deaf_and_answers_nobody(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed, name="deaf-service", strike=0)
    play.process.answers = {"places": [{"address": {}}, {"address": {}}]}  # type: ignore[attr-defined]
    [entry] = played(play, 1)
    assert entry["struck"] == ""
    assert FakeAddress.ports == [None]


def test_another_catalogue_comes_in_the_morning_of_day_0(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed, name="new-assortment", strike=1)
    played(play, 2)
    assert open_feed(play.shop).products()["product_id"].str.startswith("N").sum() == 6


def test_memory_is_written_down_and_read_on_resuming(tmp_path: Path, feed: Feed) -> None:
    play = play_of(tmp_path, feed)
    play.process.answers = {"scheduled": [failed("mlops pipeline run")]}  # type: ignore[attr-defined]
    played(play, 2)
    play.remember()
    later = play_of(tmp_path, feed)
    later.resume()
    assert later.person == play.person
    assert later.process.asked[:2] == ["start", "start_service"]  # type: ignore[attr-defined]

"""A loop that is dead: the service tells it, once, and `/readyz` and `/metrics` say so."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from level3_cicd.ledger import append, rows_of
from level4_monitoring import serve
from level4_monitoring.alarms import alarm_file
from level4_monitoring.dead_loop import Loop, dead_since
from level4_monitoring.past import DEAD
from shared.dataset.clock import known_through
from shared.service.waiting import wait_until
from tests.conftest import write_checkerboard
from tests.level4_monitoring.fakes import decided
from tests.level4_monitoring.test_telemetry import deploy

MADE = datetime(2026, 3, 2, 5, tzinfo=UTC)
LATE = MADE + timedelta(hours=37)


def same(now: datetime) -> datetime:
    """A clock that stands still."""
    return now


@pytest.fixture
def level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Level 4's folder; its last tick was of the day before the one that the shop has reached."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.delenv("MLOPS_ALARMS", raising=False)
    write_checkerboard(tmp_path / "shop")
    known = known_through(tmp_path / "shop")
    append(tmp_path / "level4", replace(decided("hold", 0), as_of=known - timedelta(days=1), recorded_at=MADE))
    return tmp_path / "level4"


def test_a_loop_is_dead_when_its_last_tick_is_long_ago_and_a_day_is_due() -> None:
    tick = replace(decided("hold", 0), as_of=date(2017, 2, 8), recorded_at=MADE)
    due, done = date(2017, 2, 9), date(2017, 2, 8)
    assert dead_since([tick], due, MADE + timedelta(hours=36), 36) is None
    assert dead_since([tick], due, MADE + timedelta(hours=36, seconds=1), 36) == MADE
    assert dead_since([tick], done, LATE, 36) is None
    assert dead_since([], due, LATE, 36) is None


def test_it_is_told_once_for_each_last_tick(level: Path) -> None:
    loop = Loop(level, lambda: LATE)
    for _ in range(2):
        loop.look()
        Loop(level, lambda: LATE).look()  # as after a restart of the service
    assert len(alarm_file(level).read_text().splitlines()) == 1
    assert len(rows_of(level, step=DEAD)) == 1
    append(level, replace(decided("hold", 0), as_of=known_through(level.parent / "shop"), recorded_at=LATE))
    assert (loop.notes(), loop.dead_since()) == ({}, None)


def test_what_could_not_be_sent_is_sent_by_the_next_look(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bool] = []

    def send(title: str, body: str, addresses: list[str]) -> bool:
        sent.append(len(sent) > 0)
        return sent[-1]

    monkeypatch.setenv("MLOPS_ALARMS", "json://127.0.0.1:1/")
    monkeypatch.setattr("level4_monitoring.alarms.by_apprise", send)
    loop = Loop(level, lambda: LATE)
    for _ in range(3):
        loop.look()
    assert sent == [False, True]


def test_a_service_says_that_the_loop_is_dead(level: Path) -> None:
    deploy(level.parent)
    for now, said, dead in ((MADE, {"status": "ready"}, 0), (LATE, None, 1)):
        with TestClient(serve.app(lambda: date(2017, 2, 10), Loop(level, partial(same, now), 0.01))) as client:
            ready = client.get("/readyz").json()
            metrics = client.get("/metrics").text
            assert wait_until(alarm_file(level).exists, 5.0 if dead else 0.05) == bool(dead)
        assert said is None or ready == said
        assert dead == 0 or ready["loop"] == "no tick since 2026-03-02 05:00 UTC though a day is due"
        values = {one.name: one.value for family in text_string_to_metric_families(metrics) for one in family.samples}
        assert values["mlops_loop_dead"] == dead


def test_who_watches_goes_on_after_a_look_that_failed(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, stopped = [], threading.Event()

    def fail(self: Loop) -> None:
        looks.append(self)
        if len(looks) == 2:
            stopped.set()
        raise OSError("a full disk")

    monkeypatch.setattr(Loop, "look", fail)
    Loop(level, seconds=0.0).watch(stopped)
    assert len(looks) == 2

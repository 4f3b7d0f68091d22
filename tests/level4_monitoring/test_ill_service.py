"""A release whose service answers 5 % errors: the minute's look goes back, seen on a real process."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from level3_cicd.ledger import all_rows
from level4_monitoring.figures import read_samples
from level4_monitoring.health import look, watch
from level4_monitoring.past import HEALTH
from shared.model.frecency import Frecency
from shared.service.process import Process, start, stop
from shared.service.waiting import wait_until
from tests.level4_monitoring.fakes import SmallShop

pytestmark = pytest.mark.thorough


def deploy_two(home: Path) -> SmallShop:
    """A shop with two releases, of which the first is live."""
    made = SmallShop(home)
    for release, number in (("1.0", 38), ("1.1", 39)):
        made.train(release, number, Frecency())
    made.deploy("1.0", 38)
    return made


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallShop]:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.delenv("MLOPS_ALARMS", raising=False)
    made = deploy_two(tmp_path)
    yield made
    stop(made.level)


def ask(service: Process, times: int) -> list[int]:
    with httpx.Client(base_url=service.url, trust_env=False) as client:
        return [client.get(f"/recommendations/c{number % 20:02}").status_code for number in range(times)]


def test_a_deployment_that_answers_errors_is_rolled_back_by_the_second_look(shop: SmallShop) -> None:
    service = start(shop.level, "tests.level4_monitoring.failing_service", 0)
    assert set(ask(service, 120)) == {200}
    assert not look(shop.level, now=0.0).alarms
    shop.deploy("1.1", 39)
    answers = ask(service, 200)
    assert answers.count(500) == 10
    assert not look(shop.level, now=60.0).alarms  # the first look at this release: nothing to compare with
    assert ask(service, 200).count(500) == 10
    found = look(shop.level, now=120.0)
    assert [alarm.kind for alarm in found.alarms] == ["errors"]
    assert "roll back" in found.told
    assert wait_until(lambda: service.get("/version")["release"] == "1.0", 10.0)
    assert set(ask(service, 120)) == {200}
    [row] = [row for row in all_rows(shop.level) if row.step == HEALTH]
    assert (row.verdict, row.release, row.numbers["seen"]["live"]) == ("roll back", "1.0", "1.1")
    assert not look(shop.level, now=180.0).alarms


@pytest.mark.long
def test_watched_each_minute_it_is_rolled_back_within_two_minutes(shop: SmallShop) -> None:
    """By the real clock: it takes three looks, of which the first finds a service in good health."""
    service = start(shop.level, "tests.level4_monitoring.failing_service", 0)
    stopped = threading.Event()
    watching = threading.Thread(target=watch, args=(shop.level, stopped))
    watching.start()
    try:
        assert wait_until(lambda: bool(ask(service, 5) and read_samples(shop.level)), 70.0)
        shop.deploy("1.1", 39)
        began = time.monotonic()
        assert wait_until(lambda: bool(ask(service, 5)) and service.get("/version")["release"] == "1.0", 120.0)
        assert time.monotonic() - began < 120.0
    finally:
        stopped.set()
        watching.join()
    [row] = [row for row in all_rows(shop.level) if row.step == HEALTH]
    assert (row.verdict, row.release) == ("roll back", "1.0")

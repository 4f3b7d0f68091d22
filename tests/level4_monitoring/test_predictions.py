"""The prediction log, and the service that writes it."""

import json
import threading
from datetime import date, datetime
from pathlib import Path

import pytest
from fastapi import APIRouter, HTTPException
from fastapi.testclient import TestClient

from level4_monitoring import predictions, serve
from level4_monitoring.predictions import Served, Writer, joined_file, keep_joined, log_file, mark_file, read_log
from shared.errors import IntegrityError
from shared.model.frecency import Frecency
from shared.service.client import BY_AN_OPERATOR
from shared.service.recommendations import ASKED_BY
from shared.service.waiting import wait_until
from tests.level4_monitoring.fakes import SmallShop

MORNING = datetime(2017, 2, 1, 8)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallShop:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    made = SmallShop(tmp_path)
    made.train("1.0", 30, Frecency())
    made.deploy("1.0", 30)
    return made


def test_the_log_keeps_when_who_asked_for_how_many_and_what_answered(shop: SmallShop) -> None:
    with TestClient(serve.app(clock=lambda: MORNING)) as client:
        client.get("/recommendations/c00?k=3")
        client.post("/recommendations", json={"customers": ["c01", "c02"]})
        client.get("/recommendations/c03", headers=BY_AN_OPERATOR)
    served = read_log(shop.level, MORNING.date()).served
    assert [(one.customer, one.k, len(one.products), one.by) for one in served] == [
        ("c00", 3, 3, "customer"),
        ("c01", 10, 10, "customer"),
        ("c02", 10, 10, "customer"),
        ("c03", 10, 10, "operator"),
    ]
    assert {one.at for one in served} == {MORNING}
    assert {one.release for one in served} == {"1.0"}
    assert len({one.histories for one in served}) == 1
    assert [one.to_customer for one in served] == [True, True, True, False]


def test_our_own_client_says_that_no_customer_asks() -> None:
    assert BY_AN_OPERATOR == {ASKED_BY: "operator"}


def test_a_clock_of_days_only_is_their_beginning(shop: SmallShop) -> None:
    with TestClient(serve.app(clock=lambda: date(2017, 2, 1))) as client:
        client.get("/recommendations/c00")
    assert read_log(shop.level, date(2017, 2, 1)).served[0].at == datetime(2017, 2, 1)


def test_the_shops_clock_is_on_the_day_on_which_it_is_open(shop: SmallShop) -> None:
    assert serve.ShopClock()().date() == date(2017, 2, 10)


def test_questions_that_fail_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    with TestClient(serve.app(clock=lambda: MORNING)) as client:
        assert client.get("/recommendations/c00").status_code == 503
        assert client.get("/readyz").status_code == 503
        assert client.get("/recommendations/c00?k=0").status_code == 422
    assert read_log(tmp_path / "level4", MORNING.date()).errors == 1


def test_an_operators_failing_question_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    with TestClient(serve.app(clock=lambda: MORNING)) as client:
        client.get("/recommendations/c00", headers=BY_AN_OPERATOR)
    assert read_log(tmp_path / "level4", MORNING.date()).errors == 0


def test_an_answer_that_ends_in_an_exception_is_kept_and_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    app = serve.app(clock=lambda: MORNING)
    broken = APIRouter()

    @broken.get("/recommendations")
    def fail() -> None:
        raise RuntimeError("broken")

    @broken.get("/other")
    def fail_elsewhere() -> None:
        raise HTTPException(500)

    app.include_router(broken)
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/recommendations").status_code == 500
        assert client.get("/other").status_code == 500
    assert read_log(tmp_path / "level4", MORNING.date()).errors == 1


def test_an_error_that_cannot_be_kept_makes_nothing_worse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))

    def no_clock() -> datetime:
        raise OSError("the disk is full")

    with TestClient(serve.app(clock=no_clock)) as client:
        assert client.get("/recommendations/c00").status_code == 503


@pytest.mark.parametrize(
    "line",
    [
        '{"customer": "c00", "release": "1.0", "products": ["p1"]}',
        '{"format": 3, "error": 500}',
        '{"format": 2, "customer": "c00"}',
        '{"format": 2, "at": "8 o\'clock", "by": "", "customer": "", "k": 1, "release": "", "histories": "", '
        '"products": []}',
        "[1]",
        '{"customer": "c01", "rel',
        "\udcff",
    ],
)
def test_a_line_that_cannot_be_read_does_not_spoil_the_day(tmp_path: Path, line: str) -> None:
    Writer(tmp_path, lambda: MORNING, seconds=0.0).note_error(503)
    with log_file(tmp_path, MORNING.date()).open("ab") as file:
        file.write(line.encode(errors="surrogateescape") + b"\n")
    log = read_log(tmp_path, MORNING.date())
    assert (list(log.served), log.errors, log.unreadable) == ([], 1, 1)


def test_lists_are_in_the_order_in_which_they_were_served(tmp_path: Path) -> None:
    path = log_file(tmp_path, MORNING.date())
    path.parent.mkdir(parents=True)
    entry = {"format": 2, "by": "customer", "k": 1, "release": "1.0", "histories": "", "products": []}
    lines = [json.dumps({**entry, "customer": hour, "at": f"2017-02-01T{hour}:00:00"}) for hour in ("12", "09")]
    path.write_text("\n".join(lines))
    served = read_log(tmp_path, MORNING.date()).served
    assert [one.customer for one in served] == ["09", "12"]
    assert isinstance(served[0], Served)


def test_a_day_without_a_log(tmp_path: Path) -> None:
    assert read_log(tmp_path, MORNING.date()).served == []


def errors_on_disk(level: Path) -> int:
    path = log_file(level, MORNING.date())
    return path.read_bytes().count(b"error") if path.exists() else 0


def test_the_log_is_written_off_the_request_path_and_a_tick_in_the_same_process_sees_all_of_it(tmp_path: Path) -> None:
    writer = Writer(tmp_path, lambda: MORNING)
    for _ in range(3):
        writer.note_error(503)
    assert errors_on_disk(tmp_path) == 0
    assert read_log(tmp_path, MORNING.date()).errors == 3
    assert errors_on_disk(tmp_path) == 3
    writer.flush()
    assert errors_on_disk(tmp_path) == 3


def test_a_service_that_ends_writes_what_waits_and_one_that_was_killed_leaves_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    level = tmp_path / "level4"
    for kills in range(2):
        with TestClient(serve.app(clock=lambda: MORNING, log_seconds=3600.0)) as client:
            assert client.get("/recommendations/c00").status_code == 503
            assert wait_until(mark_file(level).exists, 5.0)
        assert errors_on_disk(level) == kills + 1
        assert (mark_file(level).exists(), read_log(level, MORNING.date()).gaps) == (False, kills)
        mark_file(level).write_text("a service that was killed")


def test_while_the_disk_is_full_what_comes_waits_and_the_oldest_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST_WAITING", 5)
    whole, stopped = predictions.write_all, threading.Event()

    def full(handle: int, content: bytes) -> None:
        whole(handle, content[:7])
        raise OSError(28, "No space left on device")

    writer = Writer(tmp_path, lambda: MORNING, seconds=0.01)
    for _ in range(8):
        writer.note_error(503)
    monkeypatch.setattr(predictions, "write_all", full)
    running = threading.Thread(target=writer.run, args=(stopped,))
    running.start()
    assert wait_until(lambda: writer._lost == 3, 5.0)
    monkeypatch.setattr(predictions, "write_all", whole)
    stopped.set()
    running.join()
    log = read_log(tmp_path, MORNING.date())
    assert (log.errors, log.gaps) == (5, 1)


def test_a_line_that_a_kill_cut_off_does_not_take_the_next_one_with_it(tmp_path: Path) -> None:
    path = log_file(tmp_path, MORNING.date())
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 2, "err')
    Writer(tmp_path, lambda: MORNING, seconds=0.0).note_error(503)
    log = read_log(tmp_path, MORNING.date())
    assert (log.errors, log.unreadable) == (1, 1)


def test_of_days_that_are_long_ago_the_lists_of_those_who_bought_are_kept(shop: SmallShop) -> None:
    for number in (31, 32):
        shop.serve(number, "1.0", ["c00", "c01", "c02"])

    def damaged(day: date) -> list[str]:
        raise IntegrityError(f"the file of {day} is damaged")

    keep_joined(shop.level, shop.day(61), damaged)
    assert len(read_log(shop.level, shop.day(31)).served) == 3
    keep_joined(shop.level, shop.day(61), lambda day: ["c01", "c09"])
    assert [one.customer for one in read_log(shop.level, shop.day(31)).served] == ["c01"]
    assert joined_file(shop.level, shop.day(31)).exists()
    assert not log_file(shop.level, shop.day(31)).exists()
    assert len(read_log(shop.level, shop.day(32)).served) == 3
    keep_joined(shop.level, shop.day(61), lambda day: [])
    assert len(read_log(shop.level, shop.day(31)).served) == 1

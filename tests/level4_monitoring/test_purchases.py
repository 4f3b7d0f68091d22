"""Purchases as they come: what is taken, what is refused and why, what survives, and what a tick says of it."""

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from level4_monitoring import purchases
from level4_monitoring.predictions import Writer
from level4_monitoring.purchases import (
    MOST_ROWS,
    Journal,
    LastLists,
    Purchase,
    differences,
    journal_file,
    read_journal,
    sort_out,
    write_all,
)
from level4_monitoring.seeing import tell_journal
from level4_monitoring.serve import app
from shared.columns import CUSTOMER, PRODUCT
from shared.dataset.clock import open_day
from shared.dataset.day_files import SCHEMA
from shared.dataset.feed import open_feed
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to
from shared.service.token import token_of
from tests.conftest import FIRST_DAY, make_products, make_transactions, write_checkerboard

DAY = FIRST_DAY + timedelta(days=40)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    write_checkerboard(tmp_path / "shop")
    model = Frecency().fit(make_transactions())
    digest = write_bundle(tmp_path / "level4" / "bundle", model, make_products(), Evidence("data", "code"))
    point_to(tmp_path / "level4", Pointer("1.0", "bundle", digest))
    return tmp_path


def row(
    customer: str = "c00", product: str = "p00", basket: str = "b1", day: date = DAY, **more: Any
) -> dict[str, Any]:
    return {"customer": customer, "product": product, "basket": basket, "time": f"{day}T10:00:00", **more}


def post(client: TestClient, home: Path, rows: list[Any]) -> Any:
    token = token_of(home / "level4")
    return client.post("/purchases", json={"rows": rows}, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def client(home: Path) -> Any:
    with TestClient(app(lambda: open_day(home / "shop"))) as made:
        yield made


def test_rows_are_taken_once_and_unknown_products_are_taken_and_counted(client: TestClient, home: Path) -> None:
    answer = post(client, home, [row(), row(), row(product="p02"), row(product="new")]).json()
    assert answer == {"taken": 3, "again": 1, "beside_catalogue": 1, "hits": 0, "refused": []}
    assert post(client, home, [row(), row(product="p04")]).json()["again"] == 1
    kept = read_journal(home / "level4", DAY)
    assert sorted(kept[PRODUCT]) == ["new", "p00", "p02", "p04"]
    assert list(kept.columns) == SCHEMA.names
    assert kept.dtypes.to_dict()["time"] == "datetime64[ms]"


def test_without_the_token_nothing_is_taken(client: TestClient, home: Path) -> None:
    assert client.post("/purchases", json={"rows": [row()]}).status_code == 401
    assert not journal_file(home / "level4", DAY).exists()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(day=DAY + timedelta(days=1)), "2017-02-11 has not come; the shop is open on 2017-02-10"),
        (row(day=DAY - timedelta(days=1)), "2017-02-09 is closed"),
        (row(customer=""), "customer: "),
        (row(product="a\x00"), "product: "),
        (row(basket="b" * 129), "basket: "),
        ({"customer": "c00"}, "basket: Field required"),
        (row(quantity=-1), "quantity: "),
        (row(amount="much"), "amount: "),
        (row(color="red"), "color: Extra inputs"),
        (row() | {"time": "2017-02-10T10:00:00+01:00"}, "time: Value error, a time without a zone"),
        (row() | {"time": "yesterday"}, "time: "),
    ],
)
def test_a_bad_row_comes_back_with_its_place_and_reason_and_the_good_ones_are_taken(
    client: TestClient, home: Path, bad: dict[str, Any], reason: str
) -> None:
    answer = post(client, home, [row(), bad, row(product="p02")]).json()
    assert answer["taken"] == 2
    [refused] = answer["refused"]
    assert refused["row"] == 1
    assert refused["reason"].startswith(reason) or reason in refused["reason"]


def test_ten_thousand_rows_are_taken_and_more_are_told_the_limit(client: TestClient, home: Path) -> None:
    many = [row(basket=f"basket-{number:08}", store="s" * 40) for number in range(MOST_ROWS)]
    assert post(client, home, many).json()["taken"] == MOST_ROWS
    told = post(client, home, [*many, row()])
    assert (told.status_code, "10000" in told.json()["detail"]) == (422, True)
    assert post(client, home, []).status_code == 422


def test_a_hit_is_a_product_of_the_customers_last_list(client: TestClient, home: Path) -> None:
    first = client.get("/recommendations/c00").json()["recommendations"][0]["product"]
    assert post(client, home, [row(product=first), row(product="p01", basket="b2")]).json()["hits"] == 1
    with TestClient(app(lambda: open_day(home / "shop"))) as restarted:
        assert post(restarted, home, [row(product=first, basket="b3")]).json()["hits"] == 1
        assert restarted.app.state.taking.totals["hits"] == 1  # type: ignore[attr-defined]


def test_a_list_that_is_older_than_a_day_or_an_operators_foresaw_nothing(home: Path) -> None:
    moment = datetime(2017, 2, 10, 12)
    lists = LastLists(home / "level4", lambda: moment)
    live: Any = type("Live", (), {"release": "1.0", "histories_digest": ""})
    operator: Any = type("Asked", (), {"by": "operator", "k": 10})
    Writer(home / "level4", lambda: moment, seconds=0.0).note(live, operator, {"c00": ["p00"]})
    lists.note(live, operator, {"c00": ["p00"]})
    assert not lists.foresaw(Purchase(**row()))
    customer: Any = type("Asked", (), {"by": "customer", "k": 10})
    lists.note(live, customer, {"c00": ["p00"]})
    assert lists.foresaw(Purchase(**row() | {"time": moment + timedelta(hours=24)}))
    assert not lists.foresaw(Purchase(**row() | {"time": moment + timedelta(hours=25)}))


def test_a_journal_that_was_cut_off_in_a_row_keeps_the_whole_ones_and_goes_on(client: TestClient, home: Path) -> None:
    post(client, home, [row(), row(product="p02")])
    file = journal_file(home / "level4", DAY)
    file.write_bytes(file.read_bytes()[:-20])
    assert len(read_journal(home / "level4", DAY)) == 1
    with TestClient(app(lambda: open_day(home / "shop"))) as restarted:
        answer = post(restarted, home, [row(), row(product="p02"), row(product="p04")]).json()
    assert (answer["taken"], answer["again"]) == (2, 1)
    assert len(read_journal(home / "level4", DAY)) == 3


def test_a_full_disk_takes_nothing_and_loses_nothing(
    client: TestClient, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client, home, [row()])

    def full(handle: int, content: bytes) -> None:
        os.write(handle, content[:30])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(purchases, "write_all", full)
    refused = post(client, home, [row(product="p02")])
    assert (refused.status_code, "No space left" in refused.json()["detail"]) == (503, True)
    monkeypatch.setattr(purchases, "write_all", write_all)
    assert post(client, home, [row(product="p02")]).json()["taken"] == 1
    assert sorted(read_journal(home / "level4", DAY)[PRODUCT]) == ["p00", "p02"]


def test_a_clock_that_goes_back_takes_nothing(home: Path) -> None:
    Journal(home / "level4").take(DAY + timedelta(days=1), [Purchase(**row(day=DAY + timedelta(days=1)))])
    with TestClient(app(lambda: open_day(home / "shop"))) as client:
        told = post(client, home, [row()])
    assert (told.status_code, "clock has gone back" in told.json()["detail"]) == (503, True)


def test_a_new_day_has_a_journal_of_its_own(home: Path) -> None:
    journal = Journal(home / "level4")
    for number in (0, 1, 0):
        journal.take(DAY + timedelta(days=number), [Purchase(**row())])
    assert [len(read_journal(home / "level4", DAY + timedelta(days=number))) for number in (0, 1, 2)] == [1, 1, 0]


def test_a_tick_says_by_how_many_rows_the_delivered_day_differs(client: TestClient, home: Path) -> None:
    last = DAY - timedelta(days=1)
    delivered = open_feed(home / "shop").day(last)
    assert differences(home / "level4", last, delivered) is None
    assert tell_journal(home / "level4", last, delivered) == []
    posted = [
        Purchase(customer=one.customer_id, basket=one.basket_id, product=one.product_id, time=one.time)
        for one in delivered.iloc[:-2].itertuples()
    ]
    Journal(home / "level4").take(last, [*posted, Purchase(**row())])
    assert differences(home / "level4", last, delivered) == (2, 1)
    assert tell_journal(home / "level4", last, delivered) == ["2 delivered rows not posted, 1 posted row not delivered"]


def test_another_catalogue_is_read_when_it_comes(client: TestClient, home: Path) -> None:
    assert post(client, home, [row(product="p99")]).json()["beside_catalogue"] == 1
    catalogue = make_products()
    catalogue.loc[0, PRODUCT] = "p99"
    catalogue.to_parquet(home / "shop" / "products.parquet", index=False)
    os.utime(home / "shop" / "products.parquet", (1, 1))
    assert post(client, home, [row(product="p99", basket="b2")]).json()["beside_catalogue"] == 0


def test_a_part_that_a_nearly_full_disk_takes_is_followed_by_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(
        purchases.os, "write", lambda handle, left: written.append(bytes(left[:3])) or min(3, len(left))
    )
    write_all(0, b"12345678")
    assert b"".join(written) == b"12345678"


def test_the_place_of_a_refusal_is_that_in_what_was_sent() -> None:
    good, refused = sort_out([row(), {}, row(), {"time": 1}], DAY)
    assert (len(good), [one.row for one in refused]) == (2, [1, 3])


def test_the_journals_customers_are_text(home: Path) -> None:
    Journal(home / "level4").take(DAY, [Purchase(**row(customer="007"))])
    assert read_journal(home / "level4", DAY)[CUSTOMER].tolist() == ["007"]

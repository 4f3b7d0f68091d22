"""The one door for days: a level's shop holds what was delivered, in files of its own."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from comparison.deliveries import deliver, deliver_catalogue, open_shop, put
from comparison.incidents.by_name import make
from comparison.world import World
from level3_cicd.validate import find_harm
from shared.columns import PRODUCT
from shared.dataset.clock import known_through
from shared.dataset.feed import Feed, open_feed
from shared.dataset.writing import write_feed
from tests.conftest import FIRST_DAY, make_products, make_transactions

OPENED = FIRST_DAY + timedelta(days=9)
CLOSED = FIRST_DAY + timedelta(days=12)


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    rows = make_transactions()
    write_feed(tmp_path / "world", rows[rows["time"].dt.date != CLOSED], make_products(), name="checkerboard")
    return open_feed(tmp_path / "world")


def opened(tmp_path: Path, feed: Feed, name: str = "nothing", strike: date = OPENED) -> tuple[Path, World]:
    world = World(feed, make(name, strike, feed))
    open_shop(tmp_path / "shop", world, OPENED)
    return tmp_path / "shop", world


def test_a_shop_holds_what_was_delivered_and_no_day_more(tmp_path: Path, feed: Feed) -> None:
    shop, world = opened(tmp_path, feed)
    assert open_feed(shop).last_day == OPENED == known_through(shop)
    assert sorted(file.stem for file in (shop / "days").iterdir())[-1] == str(OPENED)
    assert (
        deliver(shop, world, OPENED + timedelta(days=1))
        == feed.about["days"][str(OPENED + timedelta(days=1))]["digest"]
    )
    later = open_feed(shop)
    assert later.last_day == known_through(shop) == OPENED + timedelta(days=1)
    assert later.identity == feed.identity
    assert later.digest(later.last_day) == feed.digest(later.last_day)


def test_a_day_without_sales_has_no_file_and_passes_all_the_same(tmp_path: Path, feed: Feed) -> None:
    shop, world = opened(tmp_path, feed)
    assert deliver(shop, world, CLOSED) == ""
    assert known_through(shop) == CLOSED
    assert open_feed(shop).day(CLOSED).empty


def test_an_altered_day_is_whole_and_the_one_brought_again_has_a_name_of_its_own(tmp_path: Path, feed: Feed) -> None:
    day = OPENED + timedelta(days=1)
    shop, world = opened(tmp_path, feed, "renumbered-products", strike=day)
    deliver(shop, world, day)
    altered = open_feed(shop)
    assert altered.day(day)[PRODUCT].str.startswith("0p").all()
    assert altered.matches_record(day)
    assert set(find_harm(altered, [day])["check"]) == {"unknown products"}
    world.incident.asked(day + timedelta(days=2))
    put(shop, world, day)
    assert open_feed(shop).day(day).equals(feed.day(day))
    assert open_feed(shop).matches_record(day)
    assert len(list((shop / "days").glob(f"{day}*"))) == 2
    assert altered.file(day).exists()  # who is reading the older version goes on


def test_another_catalogue_is_another_file(tmp_path: Path, feed: Feed) -> None:
    shop, _world = opened(tmp_path, feed)
    before = open_feed(shop)
    deliver_catalogue(shop, make_products(25), OPENED)
    assert len(open_feed(shop).products()) == 25
    assert len(pd.read_parquet(before.catalogue_file)) == 20


def test_altering_the_future_changes_no_delivery_before_it(tmp_path: Path, feed: Feed) -> None:
    shop, world = opened(tmp_path, feed)
    digests = [deliver(shop, world, OPENED + timedelta(days=number)) for number in (1, 2)]
    later = World(feed, make("new-assortment", OPENED + timedelta(days=3), feed))
    open_shop(tmp_path / "other", later, OPENED)
    assert [deliver(tmp_path / "other", later, OPENED + timedelta(days=number)) for number in (1, 2)] == digests

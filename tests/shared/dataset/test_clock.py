"""The shop's clock bounds what a step may know of."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from shared.dataset.clock import (
    OLD_NAME,
    clock_file,
    going_ahead,
    known_through,
    open_day,
    require_known_day,
    set_known_through,
)
from shared.dataset.feed import open_feed, require_day
from shared.dataset.writing import write_feed
from shared.errors import IntegrityError, UsageError

REACHED, LAST = date(2017, 1, 20), date(2017, 2, 9)


@pytest.fixture
def shop(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> Path:
    write_feed(tmp_path / "shop", transactions, products, name="checkerboard")
    return tmp_path / "shop"


def test_without_a_written_day_the_shop_has_reached_its_last_one(shop: Path) -> None:
    assert (known_through(shop), open_day(shop)) == (LAST, date(2017, 2, 10))


def test_a_day_that_was_not_reached_is_refused_with_the_way_to_go_beyond_it(shop: Path) -> None:
    set_known_through(shop, REACHED)
    require_day(open_feed(shop), REACHED)
    with pytest.raises(UsageError, match=r"2017-01-21 is after 2017-01-20(.|\n)*--ahead"):
        require_day(open_feed(shop), date(2017, 1, 21))
    with going_ahead():
        require_day(open_feed(shop), date(2017, 1, 21))
        with pytest.raises(UsageError, match="outside of the shop's feed"):
            require_day(open_feed(shop), date(2017, 2, 10))
    with pytest.raises(UsageError, match="is after"):
        require_known_day(shop, LAST)


def test_a_shop_that_was_closed_on_its_last_day_has_reached_it_all_the_same(shop: Path) -> None:
    closed = LAST + timedelta(days=1)
    set_known_through(shop, closed)
    require_day(open_feed(shop), closed)
    with pytest.raises(UsageError, match=f"outside of the shop's feed, which goes from .* to {closed}"):
        require_day(open_feed(shop), closed + timedelta(days=1))


def test_where_there_is_no_shop_no_day_is_refused(tmp_path: Path) -> None:
    require_known_day(tmp_path / "shop", date(2030, 1, 1))


def test_what_an_older_version_wrote_is_read_and_replaced(shop: Path) -> None:
    (shop / OLD_NAME).write_text("2017-01-20\n")
    assert known_through(shop) == REACHED
    set_known_through(shop, date(2017, 1, 25))
    assert (known_through(shop), (shop / OLD_NAME).exists()) == (date(2017, 1, 25), False)


def test_a_file_without_a_day_is_told(shop: Path) -> None:
    clock_file(shop).write_text("soon")
    with pytest.raises(IntegrityError, match="does not hold a day"):
        known_through(shop)

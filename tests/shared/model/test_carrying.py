"""Histories that were carried forward are those that are gathered anew, to the bit."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from shared.dataset.purchases import purchases
from shared.dataset.time_split import split_by_time
from shared.model.carrying import carry
from shared.model.facts import count_products, counted, product_facts
from shared.model.histories import ARRAYS, Histories, gather, select, weights
from shared.model.taxonomy import Taxonomy

FIRST, DAYS = date(2017, 1, 1), 120


def growing_shop(seed: int, days: int = DAYS) -> pd.DataFrame:
    """A shop to which customers and products come as time goes on, with returns, closed days and longer names."""
    chance = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for _ in range(chance.integers(0, 12) if day % 13 else 0):
            customer, product = chance.integers(0, 5 + day), chance.integers(0, 4 + 3 * day)
            time = pd.Timestamp(FIRST + timedelta(days=day)) + pd.Timedelta(minutes=int(chance.integers(0, 1440)))
            quantity = float(chance.choice([1, 2, 1, 0, -1], p=[0.5, 0.2, 0.2, 0.05, 0.05]))
            rows.append((f"{chance.choice(['c', 'ä'])}{customer * 7 % 211}", f"{product * 11 % 397}", time, quantity))
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "time", "quantity"])


def assert_equal(one: Histories, other: Histories) -> None:
    assert one.day == other.day
    for name in ARRAYS:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.dtype == theirs.dtype, name
        np.testing.assert_array_equal(mine, theirs, err_msg=name)


@pytest.mark.parametrize("seed", range(3))
def test_carried_day_by_day_over_months_they_are_those_gathered_anew(seed: int) -> None:
    shop = growing_shop(seed)
    carried = gather(shop, FIRST)
    for day in range(1, DAYS):
        now = FIRST + timedelta(days=day)
        carried = carry(carried, shop[shop["time"].dt.date == now], now)
        if day % 7 == 0 or day == DAYS - 1:
            assert_equal(carried, gather(shop, now))
    assert len(carried.customers) > 30
    np.testing.assert_array_equal(count_products(carried).table, count_products(gather(shop, carried.day)).table)


def test_several_days_at_once_and_rows_of_other_days_change_nothing() -> None:
    shop = growing_shop(7)
    before, now = FIRST + timedelta(days=40), FIRST + timedelta(days=61)
    assert_equal(carry(gather(shop, before), shop, now), gather(shop, now))


def test_a_day_without_sales_moves_the_day_only() -> None:
    shop = growing_shop(1)
    before = gather(shop, FIRST + timedelta(days=60))
    after = carry(before, shop.iloc[:0], FIRST + timedelta(days=61))
    assert_equal(after, gather(shop[shop["time"] < "2017-03-03"], FIRST + timedelta(days=61)))


def test_later_days_and_returns_are_not_gathered() -> None:
    shop = growing_shop(2)
    through = FIRST + timedelta(days=50)
    known, _ = split_by_time(shop, through)
    assert_equal(gather(shop, through), gather(known, through))
    returned = shop.assign(quantity=-1.0)
    assert len(gather(returned, through).days) == 0
    assert purchases(returned).empty
    assert len(gather(known, through).days) == (known["quantity"] > 0).sum() < len(known)


def test_counts_are_of_the_histories_that_they_are_with() -> None:
    histories = counted(gather(growing_shop(3), FIRST + timedelta(days=90)))
    some = select(histories, np.array([0]))
    assert some.counts is None
    assert product_facts(some, Taxonomy.of(None)).ever.max() == 1
    assert product_facts(histories, Taxonomy.of(None)).ever.max() < 1


def test_a_half_life_is_applied_when_asked() -> None:
    days = [pd.Timestamp(2017, 1, day) for day in (1, 11)]
    bought = pd.DataFrame({"customer_id": "a", "product_id": "x", "time": days, "quantity": 1.0})
    histories = gather(bought, date(2017, 1, 21))
    for half_life in (10.0, 84.0):
        expected = 0.5 ** (20 / half_life) + 0.5 ** (10 / half_life)
        assert weights(histories, np.array([0]), half_life) == pytest.approx([expected])

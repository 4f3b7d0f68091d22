"""Drift by column: baskets are counted, chance is no drift, a change is found, and what cannot be judged is told."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from level3_cicd.drift import COLUMNS, Window, describe, drifted, judge, tell, window
from shared.columns import AMOUNT, BASKET, CUSTOMER, DEPARTMENT, NAME, PRODUCT, QUANTITY, STORE, TIME

FIRST = date(2017, 1, 2)
PRODUCTS = 300
BasketsOf = Callable[[date], pd.DataFrame]


def quiet_shop(rows_a_basket: int, seed: int, days: int = 100, rows: int = 150) -> dict[date, pd.DataFrame]:
    """A shop of about 150 rows a day in which nothing changes: 200 customers, 300 products, 3 stores; as baskets."""
    chance = np.random.default_rng(seed)
    size = chance.poisson(rows / rows_a_basket, days)
    day = np.repeat(np.arange(days), size)
    customer = chance.integers(0, 200, len(day))
    time = pd.Timestamp(FIRST) + pd.to_timedelta(day * 1440 + chance.integers(480, 1200, len(day)), unit="min")
    lines = np.repeat(np.arange(len(day)), 1 + chance.poisson(rows_a_basket - 1, len(day)))
    product = chance.zipf(1.3, len(lines)) % PRODUCTS
    price = np.exp(np.random.default_rng(0).normal(1, 0.8, PRODUCTS))
    table = pd.DataFrame(
        {
            CUSTOMER: [f"c{number}" for number in customer[lines]],
            BASKET: [f"b{number}" for number in lines],
            PRODUCT: [f"p{number}" for number in product],
            STORE: [f"s{number % 3}" for number in customer[lines]],
            TIME: time[lines],
            QUANTITY: 1.0,
            AMOUNT: price[product],
        }
    )
    in_order = table.groupby([CUSTOMER, BASKET])[TIME].min().dt.date.to_numpy()
    whole = describe(table, catalogue())
    every = [FIRST + timedelta(days=number) for number in range(days)]
    return {each: whole[in_order == each] for each in every}


def catalogue() -> pd.DataFrame:
    names = [f"p{number}" for number in range(PRODUCTS)]
    return pd.DataFrame({PRODUCT: names, NAME: names, DEPARTMENT: [f"d{number % 8}" for number in range(PRODUCTS)]})


def reader(shop: dict[date, pd.DataFrame]) -> BasketsOf:
    return lambda day: shop.get(day, shop[FIRST].iloc[:0])


def from_day(shop: dict[date, pd.DataFrame], start: date, change: Callable[[pd.DataFrame], pd.DataFrame]) -> BasketsOf:
    return lambda day: change(shop[day]) if day >= start else shop[day]


def doubled(baskets: pd.DataFrame) -> pd.DataFrame:
    return baskets.assign(amount=2 * baskets["amount"], amount_per_product=2 * baskets["amount_per_product"])


SIZES = [1, 3, 5, 10]
DAYS = [FIRST + timedelta(days=number) for number in range(36, 96)]


@pytest.mark.parametrize("rows_a_basket", SIZES)
def test_a_quiet_shop_of_150_rows_a_day_has_no_drift_on_60_days(rows_a_basket: int) -> None:
    shop = quiet_shop(rows_a_basket, seed=1)
    assert {day: drifted(judge(window(day, reader(shop)))) for day in DAYS} == {day: [] for day in DAYS}


@pytest.mark.parametrize("rows_a_basket", SIZES)
def test_amounts_doubled_from_a_day_on_are_found_within_two_days(rows_a_basket: int) -> None:
    shop = quiet_shop(rows_a_basket, seed=2)
    for start in DAYS[::12]:
        changed = from_day(shop, start, doubled)
        found = [drifted(judge(window(start + timedelta(days=number), changed))) for number in (0, 1)]
        assert {"amount", "amount_per_product"} & set(found[0] + found[1]), start


def test_a_day_with_few_baskets_is_looked_at_together_with_the_days_before() -> None:
    shop = quiet_shop(10, seed=1)
    few = {day: baskets.iloc[:4] for day, baskets in shop.items()}
    seen = window(DAYS[0], reader(few))
    assert (seen.days, len(seen.current)) == (4, 16)
    assert len(seen.reference) == 4 * len(seen.current)


def test_fewer_baskets_get_fewer_bins() -> None:
    baskets = pd.concat(quiet_shop(3, seed=1).values())

    def bins(number: int) -> int:
        found = judge(Window(baskets.iloc[:number], baskets.iloc[: 4 * number]))
        return {column.column: column.bins for column in found}["amount"]

    assert [bins(number) for number in (25, 50, 100, 225, 400)] == [2, 3, 5, 10, 10]


def test_where_too_few_baskets_are_to_be_had_it_is_told_from_how_many_on_it_can_be_judged() -> None:
    shop = {day: baskets.iloc[:2] for day, baskets in quiet_shop(10, seed=1).items()}
    found = judge(window(DAYS[0], reader(shop)))
    assert {column.verdict for column in found} == {"too few"}
    assert "14 baskets in 7 days, from 15 on it can be judged" in tell(found)
    assert tell(found).startswith("drift cannot be judged; ")


def test_a_text_whose_most_common_value_is_rare_needs_more_baskets() -> None:
    baskets = pd.concat(quiet_shop(1, seed=1).values()).assign(
        store=lambda rows: [f"s{n % 40}" for n in range(len(rows))]
    )
    store = judge(Window(baskets.iloc[:150], baskets.iloc[:600]))[-1]
    assert (store.column, store.verdict, store.needed) == ("store", "too few", 200)
    assert judge(Window(baskets.iloc[:200], baskets.iloc[:800]))[-1].verdict == "stable"


def test_a_day_is_compared_with_the_same_weekdays() -> None:
    def on_sundays(day: date) -> pd.DataFrame:
        return doubled(shop[day]) if day.weekday() == 6 else shop[day]

    shop = quiet_shop(1, seed=1)
    assert [drifted(judge(window(day, on_sundays))) for day in DAYS[:14]] == [[]] * 14


def test_a_day_without_baskets_and_a_shop_without_a_past_are_not_judged() -> None:
    shop = quiet_shop(3, seed=1)
    empty = window(date(2018, 1, 1), reader(shop))
    assert {column.verdict for column in judge(empty)} == {"too few"}
    assert {column.verdict for column in judge(window(FIRST, reader(shop)))} == {"too few"}


def test_a_column_that_never_changes_is_constant_and_one_that_begins_to_is_drift() -> None:
    baskets = pd.concat(quiet_shop(1, seed=1).values()).assign(hour=0.0, store="s1")
    seen = Window(baskets.iloc[:200], baskets.iloc[:800])
    verdicts = {column.column: column.verdict for column in judge(seen)}
    assert (verdicts["hour"], verdicts["store"]) == ("constant", "constant")
    assert "always the same: " in tell(judge(seen))
    moved = Window(seen.current.assign(hour=9.0, store="s2"), seen.reference)
    assert {"hour", "store"} <= set(drifted(judge(moved)))


def test_a_column_whose_values_stop_coming_is_silent() -> None:
    baskets = pd.concat(quiet_shop(1, seed=1).values())
    seen = Window(baskets.iloc[:200].assign(amount=np.nan), baskets.iloc[:800])
    assert {column.column: column.verdict for column in judge(seen)}["amount"] == "silent"
    assert "amount: silent" in tell(judge(seen))


def test_a_basket_is_one_row_whatever_it_holds() -> None:
    rows = pd.DataFrame(
        {
            CUSTOMER: ["a", "a", "a", "b"],
            BASKET: ["1", "1", "1", "1"],
            PRODUCT: ["p0", "p8", "p1", "p9"],
            STORE: "s1",
            TIME: pd.Timestamp("2017-01-02 09:30"),
            QUANTITY: [1.0, 1.0, 1.0, 0.0],
            AMOUNT: [2.0, 3.0, 4.0, 9.0],
        }
    )
    assert describe(rows, catalogue()).to_dict("records") == [
        {
            "basket_size": 3.0,
            "amount": 9.0,
            "amount_per_product": 3.0,
            "department": "d0",
            "hour": 9.5,
            "store": "s1",
        }
    ]
    assert list(describe(rows.iloc[:0], catalogue())) == list(COLUMNS)

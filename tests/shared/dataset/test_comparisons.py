"""Where each comparison of a day with the usual ones begins to find something: on made-up days, one fact at a time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from shared.columns import AMOUNT, PRODUCT, QUANTITY
from shared.dataset.checks import (
    Limits,
    check_catalogue,
    check_days,
    compare,
    compare_identifiers,
    compare_times,
    compare_units,
    noise,
)
from shared.dataset.feed import Feed
from shared.dataset.purchases import sold
from shared.dataset.reference import Profile, Reference, Window, profile
from shared.dataset.writing import write_feed
from tests.conftest import FIRST_DAY, make_products, make_transactions

LIMITS = Limits()
NONE = np.array([], dtype=np.uint64)


def usual(shares: dict[str, float] | None = None, rows: float = 1000, window: Window | None = None) -> Reference:
    """A reference whose rows are spread evenly over 1,000 seconds, one each."""
    known = {"customers": 0.9, "products": 0.9, "purchases": 0.5, "repeated": 0.0} | (shares or {})
    numbers = np.linspace(1, 100, 1000)
    stores = pd.Series({"a": 500, "b": 300, "c": 200})
    empty = Window(NONE, NONE, NONE, NONE, np.array([], dtype=np.int64))
    return Reference(rows, np.arange(1000), numbers, numbers, stores, window or empty, known)


def day_at(seconds: np.ndarray) -> Profile:
    """A day with a row at each of these seconds."""
    return Profile(NONE, NONE, NONE, NONE, np.sort(seconds), np.array([]), np.array([]), pd.Series(dtype=int))


def names(findings: list[tuple]) -> list[str]:
    return [finding[0] for finding in findings]


@pytest.mark.parametrize(
    ("jump", "found"),
    [(1.0, []), (3.0, []), (3.01, ["unit of amount"]), (1 / 3, []), (0.33, ["unit of amount"])],
)
def test_a_middle_value_may_be_three_times_the_usual_one_or_a_third(jump: float, found: list[str]) -> None:
    told = names(compare_units("amount", np.full(1000, jump), np.full(1000, 1.0), LIMITS))
    assert ("unit of amount" in told) == bool(found)


def test_where_the_usual_middle_is_nought_units_are_not_compared() -> None:
    usually = np.concatenate([np.zeros(900), np.ones(100)])
    assert compare_units("amount", usually, usually, LIMITS) == []


@pytest.mark.parametrize(("share", "found"), [(0.05, []), (0.2, ["unusual amount"])])
def test_more_than_a_twentieth_of_the_rows_above_what_is_usual_is_found(share: float, found: list[str]) -> None:
    values = np.ones(1000)
    values[: int(share * 1000)] = 50.0
    assert names(compare_units("amount", values, np.ones(1000), LIMITS)) == found


def test_a_constant_column_has_nothing_unusual() -> None:
    assert compare_units("amount", np.ones(1000), np.ones(1000), LIMITS) == []


@pytest.mark.parametrize(
    ("last", "share", "found"),
    [
        (999, 1.0, []),
        (975, 1.0, []),  # 2.4 % come later
        (960, 1.0, ["ends early"]),  # a quiet end: not busier before
        (960, 1.2, ["ends early"]),
        (960, 1.21, []),  # busier before: a holiday
        (650, 0.9, ["ends early"]),  # even a holiday's morning does not lose a third
        (750, 1.0, []),
    ],
)
def test_how_early_a_day_may_end(last: int, share: float, found: list[str]) -> None:
    today = day_at(np.resize(np.arange(last + 1), int(share * 1000)))
    assert names(compare_times(today, usual(), LIMITS)) == found


def test_few_moments_may_end_early_by_chance() -> None:
    assert compare_times(day_at(np.arange(0, 900, 20)), usual(rows=50), LIMITS) == []


@pytest.mark.parametrize(
    ("width", "rows", "found"),
    [(50, 1000, []), (70, 1000, ["hole in the day"]), (100, 1800, []), (170, 1800, ["hole in the day"])],
)
def test_how_large_a_hole_may_be_and_on_a_quiet_day(width: int, rows: int, found: list[str]) -> None:
    seconds = np.concatenate([np.arange(400), np.arange(400 + width, 1000)])
    assert names(compare_times(day_at(seconds), usual(rows=rows), LIMITS)) == found


def test_one_moment_or_two_say_nothing_of_a_hole_and_many_do() -> None:
    alone, both = day_at(np.array([999])), day_at(np.array([0, 999]))
    large = replace(LIMITS, largest_hole=-1.0, largest_quiet_hole=-1.0)
    assert compare_times(alone, usual(), large) == []
    assert compare_times(both, usual(), replace(large, most_after_the_end=1.0)) == []
    many = day_at(np.concatenate([np.arange(300), np.arange(900, 1000)]))
    assert compare_times(many, usual(), LIMITS)[0][2] == "60% come then"


@pytest.mark.parametrize(("hole", "found"), [(540, []), (570, ["hole in the day"])])
def test_of_few_moments_chance_leaves_larger_holes(hole: int, found: list[str]) -> None:
    seconds = np.concatenate([np.arange(0, 100, 10), 90 + hole + np.arange(0, 100, 10)])
    assert names(compare_times(day_at(seconds), usual(rows=20), LIMITS)) == found


def identified(known: int, new: int) -> tuple[Profile, Reference]:
    """A day of so many known and new customers, whose products and purchases are all known."""
    window = Window(np.arange(1000), np.arange(10), np.arange(10), np.arange(10), np.zeros(10, dtype=np.int64))
    customers = np.concatenate([np.arange(known), np.arange(5000, 5000 + new)])
    today = replace(day_at(np.arange(10)), customers=customers, products=np.arange(10), purchases=np.arange(10))
    return replace(today, contents=np.array([99])), usual({"customers": 1.0}, window=window)


@pytest.mark.parametrize(
    ("known", "new", "found"),
    [
        (80, 20, []),
        (79, 21, ["customers seen before"]),
        (25, 75, ["customers seen before"]),
        (24, 76, ["customers hardly seen before"]),
    ],
)
def test_how_many_customers_may_be_unknown(known: int, new: int, found: list[str]) -> None:
    assert names(compare_identifiers(*identified(known, new), LIMITS)) == found


def test_of_few_customers_chance_may_make_more_unknown() -> None:
    today, reference = identified(4, 3)
    assert names(compare_identifiers(today, usual({"customers": 0.9}, window=reference.window), LIMITS)) == []


@pytest.mark.parametrize(("same", "usually", "found"), [(5, 0.0, 0), (6, 0.0, 1), (6, 0.3, 0), (7, 0.3, 1)])
def test_how_many_rows_of_one_earlier_day_may_come_again(same: int, usually: float, found: int) -> None:
    window = Window(np.arange(10), np.arange(10), np.arange(10), np.arange(10), np.zeros(10, dtype=np.int64))
    contents = np.concatenate([np.arange(same), np.arange(100, 110 - same)])
    ten = np.arange(10)
    today = replace(day_at(ten), customers=ten, products=ten, purchases=ten, contents=contents)
    findings = compare_identifiers(today, usual({"repeated": usually}, window=window), LIMITS)
    assert names(findings) == ["delivered before"] * found


@pytest.mark.parametrize(("unknown", "found"), [(5, 0), (6, 1)])
def test_a_twentieth_of_the_rows_may_lack_in_the_catalogue(unknown: int, found: int) -> None:
    rows = pd.DataFrame({PRODUCT: ["known"] * (100 - unknown) + ["new"] * unknown})
    assert len(check_catalogue(rows, pd.Index(["known"]), LIMITS)) == found
    assert check_catalogue(rows, pd.Index([]), LIMITS) == []
    assert check_catalogue(rows.iloc[:0], pd.Index(["known"]), LIMITS) == []


@pytest.mark.parametrize(
    ("usually", "found"), [(99, []), (100, ["number of rows"]), (80, []), (4 * 400, []), (5 * 400, ["number of rows"])]
)
def test_the_number_of_rows_counts_from_a_hundred_usual_ones_on(usually: int, found: list[str]) -> None:
    rows = make_transactions(days=1, customers=20).iloc[:0] if usually <= 100 else make_transactions(days=1)
    rows = rows if usually <= 100 else pd.concat([rows] * 20).iloc[:400]
    told = names(compare(rows, usual(rows=usually), LIMITS))
    assert [name for name in told if name == "number of rows"] == found


def test_only_a_quantity_above_nought_is_a_purchase() -> None:
    rows = make_transactions(days=1).head(4).assign(**{QUANTITY: [0.0, 0.01, 1.0, 2.0]})
    assert sold(rows)[QUANTITY].tolist() == [0.01, 1.0, 2.0]


def test_noise_is_four_standard_errors() -> None:
    assert noise(0.5, 100) == pytest.approx(0.2)
    assert noise(0.5, 0) == 2.0


def test_findings_of_several_days_are_numbered_through(tmp_path) -> None:
    rows = make_transactions(days=40)
    write_feed(tmp_path / "shop", rows.assign(**{PRODUCT: "caf\ufffd"}), make_products(), name="odd")
    feed = Feed(tmp_path / "shop")
    found = check_days(feed, feed.days[:3])
    assert found.index.tolist() == list(range(len(found)))
    assert found["day"].nunique() == 3


def test_a_purchase_is_a_customer_with_a_product_and_content_sees_numbers_too() -> None:
    rows = make_transactions(days=2).head(40)
    seen, dearer = profile(rows), profile(rows.assign(**{AMOUNT: rows[AMOUNT] + 1}))
    swapped = profile(rows.assign(**{PRODUCT: rows[PRODUCT].to_numpy()[::-1]}))
    assert set(seen.purchases) == set(dearer.purchases)
    assert not set(seen.contents) & set(dearer.contents)
    assert set(seen.purchases) != set(swapped.purchases)


def test_a_shop_says_through_which_day_its_import_brought_it(tmp_path) -> None:
    write_feed(tmp_path / "shop", make_transactions(days=3), make_products(), name="small")
    feed = Feed(tmp_path / "shop")
    assert feed.imported_through is None
    feed.about["imported_through"] = FIRST_DAY.isoformat()
    assert feed.imported_through == FIRST_DAY

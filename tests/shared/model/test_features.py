"""Histories can be rewound and selected from, and features are what a person would count."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from shared.dataset.time_split import split_by_time
from shared.model.features import FEATURES, FREQUENCY, MONTH, RECENCY, candidates, features, product_facts, tally
from shared.model.histories import Histories, gather, rewind, select

EARLIER, LAST = date(2017, 1, 25), date(2017, 2, 9)


@pytest.fixture
def histories(transactions: pd.DataFrame) -> Histories:
    return gather(transactions, LAST, half_life=84.0)


def three_purchases() -> Histories:
    """One customer: milk on the 1st, 11th and 15th, bread on the 11th; asked on the 25th."""
    bought = [("milk", 1), ("milk", 11), ("bread", 11), ("milk", 15)]
    table = pd.DataFrame([("anna", product, pd.Timestamp(2017, 1, day), 1.0) for product, day in bought])
    table.columns = ["customer_id", "product_id", "time", "quantity"]
    return gather(table, EARLIER, half_life=84.0)


def seen(histories: Histories, popular: list[int]) -> pd.DataFrame:
    chosen = candidates(histories, np.array(popular, dtype=int), own=100)
    matrix = features(histories, product_facts(histories), chosen)
    return pd.DataFrame(matrix, columns=FEATURES, index=histories.products[chosen.product].astype(str))


def test_rewound_histories_are_those_of_that_day(transactions: pd.DataFrame, histories: Histories) -> None:
    expected = gather(split_by_time(transactions, EARLIER)[0], EARLIER, half_life=84.0)
    for name, array in rewind(histories, EARLIER).arrays().items():
        np.testing.assert_array_equal(array, getattr(expected, name), err_msg=name)


def test_rewound_before_the_first_day_nobody_has_a_history(histories: Histories) -> None:
    nothing = rewind(histories, date(2016, 1, 1))
    assert (len(nothing.product), nothing.starts.max()) == (0, 0)
    assert seen(nothing, [0, 1]).shape == (2 * len(histories.customers), len(FEATURES))


def test_selected_customers_keep_their_purchases(histories: Histories) -> None:
    chosen = select(histories, np.array([7, 2]))
    assert chosen.customers.tolist() == [b"c07", b"c02"]
    assert chosen.days.tolist() == [*select(histories, np.array([7])).days, *select(histories, np.array([2])).days]
    assert len(chosen.days) == chosen.times.sum() == 80


def test_features_are_what_a_person_counts() -> None:
    milk, bread = seen(three_purchases(), []).loc[["milk", "bread"]].to_dict("records")
    expected = {"times": 3, "since_last": 10, "since_first": 24, "gap": 7, "last_gap": 4, "share": 1.0}
    assert {name: milk[name] for name in expected} == expected
    assert milk["overdue"] == pytest.approx(10 / 7)
    assert milk["weight_14"] == pytest.approx(0.5 ** (24 / 14) + 0.5 ** (14 / 14) + 0.5 ** (10 / 14))
    assert (bread["share"], bread["visits_without"]) == (0.5, 1)
    assert np.isnan(bread["gap"])
    assert np.isnan(bread["last_gap"])
    assert (milk["visits"], milk["basket_size"], milk["since_visit"]) == (3, pytest.approx(4 / 3), 10)


def test_a_product_never_bought_has_no_history_of_its_own(histories: Histories) -> None:
    row = seen(select(histories, np.array([0])), [1]).loc["p01"]
    assert row[list(RECENCY)].isna().all()
    assert (row[list(FREQUENCY)] == 0).all()


def test_what_a_customer_shows_does_not_depend_on_the_company(histories: Histories) -> None:
    facts, popular = product_facts(histories), np.arange(4)

    def shown(rows: np.ndarray) -> np.ndarray:
        some = select(histories, rows)
        chosen = candidates(some, popular, own=5)
        return features(some, facts, chosen.keep(chosen.row == 0))

    np.testing.assert_array_equal(shown(np.array([3])), shown(np.array([3, 1, 2])))


def test_each_candidate_comes_once_and_own_ones_by_weight(histories: Histories) -> None:
    chosen = candidates(histories, np.arange(20), own=3)
    assert len(set(zip(chosen.row, chosen.product, strict=True))) == len(chosen.row) == 20 * 20
    few = candidates(histories, np.arange(0), own=3)
    assert np.bincount(few.row).tolist() == [3] * 20


def test_a_tally_counts_customers_and_not_purchases(histories: Histories) -> None:
    counted, active = tally(histories, MONTH)
    assert (counted.tolist(), active) == ([10] * 20, 20)

"""Histories can be rewound and selected from, and features are what a person would count."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from shared.dataset.time_split import split_by_time
from shared.model.candidates import candidates
from shared.model.facts import MONTH, product_facts, tally
from shared.model.features import FEATURES, FREQUENCY, RECENCY, features
from shared.model.histories import Histories, gather, rewind, select
from shared.model.same_kind import OF_KIND
from shared.model.taxonomy import Taxonomy

EARLIER, LAST = date(2017, 1, 25), date(2017, 2, 9)


@pytest.fixture
def histories(transactions: pd.DataFrame) -> Histories:
    return gather(transactions, LAST)


def three_purchases() -> Histories:
    """One customer: milk on the 1st, 11th and 15th, bread on the 11th; asked on the 25th."""
    bought = [("milk", 1), ("milk", 11), ("bread", 11), ("milk", 15)]
    table = pd.DataFrame([("anna", product, pd.Timestamp(2017, 1, day), 1.0) for product, day in bought])
    table.columns = ["customer_id", "product_id", "time", "quantity"]
    return gather(table, EARLIER)


NO_TYPES = Taxonomy.of(None)


def seen(histories: Histories, popular: list[int], taxonomy: Taxonomy = NO_TYPES) -> pd.DataFrame:
    chosen = candidates(histories, np.array(popular, dtype=int), own=100, half_life=84.0)
    matrix = features(histories, product_facts(histories, taxonomy), chosen)
    return pd.DataFrame(matrix, columns=FEATURES, index=histories.products[chosen.product].astype(str))


def test_rewound_histories_are_those_of_that_day(transactions: pd.DataFrame, histories: Histories) -> None:
    expected = gather(split_by_time(transactions, EARLIER)[0], EARLIER)
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
    facts, popular = product_facts(histories, NO_TYPES), np.arange(4)

    def shown(rows: np.ndarray) -> np.ndarray:
        some = select(histories, rows)
        chosen = candidates(some, popular, own=5, half_life=84.0)
        return features(some, facts, chosen.keep(chosen.row == 0))

    np.testing.assert_array_equal(shown(np.array([3])), shown(np.array([3, 1, 2])))


def test_each_candidate_comes_once_and_own_ones_by_weight(histories: Histories) -> None:
    chosen = candidates(histories, np.arange(20), own=3, half_life=84.0)
    assert len(set(zip(chosen.row, chosen.product, strict=True))) == len(chosen.row) == 20 * 20
    few = candidates(histories, np.arange(0), own=3, half_life=84.0)
    assert np.bincount(few.row).tolist() == [3] * 20


def test_a_tally_counts_customers_and_not_purchases(histories: Histories) -> None:
    counted, active = tally(histories, MONTH)
    assert (counted.tolist(), active) == ([10] * 20, 20)


def test_recency_and_frequency_count_what_is_alike() -> None:
    names = {"milk": "Milk, 1 l", "cream": "Milk, 2 l", "more": "Milk, 1 l", "bread": "Bread"}
    catalogue = pd.DataFrame({"product_id": list(names), "product_name": list(names.values())})
    bought = [("milk", 1), ("milk", 11), ("bread", 11), ("cream", 15)]
    rows = [("anna", product, pd.Timestamp(2017, 1, day), 1.0) for product, day in bought]
    rows.append(("berta", "more", pd.Timestamp(2017, 1, 2), 1.0))
    table = pd.DataFrame(rows, columns=["customer_id", "product_id", "time", "quantity"])
    histories = select(gather(table, EARLIER), np.array([0]))
    rows_by_product = seen(histories, [0, 1, 2, 3], Taxonomy.of(catalogue))
    more = rows_by_product.loc["more"]  # never bought by anna, but of the name of her milk
    assert (more["type_since"], more["name_since"], more["name_times"]) == (10, 14, 2)
    assert (more["type_different"], more["name_different"]) == (2, 1)
    assert (more["type_overdue"], more["name_overdue"]) == (pytest.approx(10 / 7), pytest.approx(1.4))
    assert more["type_weight"] == pytest.approx(0.5 ** (24 / 84) + 0.5 ** (14 / 84) + 0.5 ** (10 / 84))
    assert more["name_weight"] == pytest.approx(0.5 ** (24 / 84) + 0.5 ** (14 / 84))
    visited = sum(0.5 ** (days / 84) for days in (24, 14, 10))
    assert more["name_share"] == pytest.approx(more["name_weight"] / visited)
    assert rows_by_product.loc["bread", "type_since"] == 14


def test_a_type_never_bought_has_no_recency_and_a_product_without_type_misses_both(histories: Histories) -> None:
    anna = select(histories, np.array([0]))
    names = ["Even, a" if product % 2 == 0 else "Odd, a" for product in range(20)]
    catalogue = pd.DataFrame({"product_id": [f"p{at:02}" for at in range(20)], "product_name": names})
    assert seen(anna, [1], NO_TYPES)[list(OF_KIND)].isna().all(axis=None)
    stranger = seen(anna, [1], Taxonomy.of(catalogue)).loc["p01"]
    assert (stranger["type_weight"], stranger["name_times"]) == (0, 0)
    assert np.isnan(stranger["type_since"])


@pytest.mark.parametrize(
    ("columns", "same"),
    [
        ({"product_name": ["Rice, 1 kg", "Rice, 5 kg", "Tea"]}, [True, False]),
        ({"product_name": ["A", "B", "C"], "product_type": ["x", "y", "y"]}, [False, True]),
    ],
)
def test_a_type_is_the_shops_own_or_the_name_before_its_last_comma(columns: dict, same: list[bool]) -> None:
    taxonomy = Taxonomy.of(pd.DataFrame({"product_id": ["1", "2", "3"], **columns}))
    types, _ = taxonomy.codes_for(np.array([b"1", b"2", b"3", b"unheard of"]))
    assert [types[0] == types[1], types[1] == types[2]] == same
    assert types[3] == -1


def test_a_catalogue_without_types_has_none() -> None:
    taxonomy = Taxonomy.of(pd.DataFrame({"product_id": ["1", "2"], "product_name": ["A1", "A2"]}))
    assert not taxonomy.known
    assert taxonomy.codes_for(np.array([b"2"]))[0].tolist() == [-1]

"""One suite for all recommenders."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

from shared.columns import CUSTOMER, PRODUCT, RANK, SCORE
from shared.model.by_name import MODELS
from shared.model.frecency import Frecency
from shared.model.popular import Popular
from shared.model.ranker import Ranker
from tests.conftest import make_transactions

LAST = date(2017, 2, 9)


# Small leaves, so that there are trees even on the checkerboard.
RECOMMENDERS = {kind: form() for kind, form in MODELS.items()} | {"small ranker": Ranker(leaf_size=5, trees=10)}
# Those of scikit-learn's own checks that ask nothing of X. The rest of its `check_estimator` feeds a numeric matrix
# to `fit` (shapes, NaN, sparse, dtypes, number of features, feature names) and wants `predict` or `transform` of
# another; our X is a table of transactions, and what comes out is a table of lists. What those checks are after
# (not fitted, order of rows, subsets, the same twice) is tested below with such tables.
CHECKS = [
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_set_params,
]


@pytest.fixture(params=sorted(RECOMMENDERS))
def model(request: pytest.FixtureRequest) -> Popular:
    return clone(RECOMMENDERS[request.param])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learn_takes_it_for_an_estimator(model: Popular, check: Callable) -> None:
    check(type(model).__name__, model)


def test_parameters_can_be_cloned(model: Popular) -> None:
    assert clone(model).get_params() == model.get_params()


def test_making_one_does_no_work(model: Popular) -> None:
    assert vars(type(model)()) == type(model)().get_params()


def test_without_fit_there_are_no_lists(model: Popular) -> None:
    with pytest.raises(NotFittedError):
        model.recommend(["c00"])


def test_fit_leaves_parameters_and_transactions_alone(model: Popular, transactions: pd.DataFrame) -> None:
    before, parameters = transactions.copy(), model.get_params()
    assert model.fit(transactions) is model
    assert model.get_params() == parameters
    pd.testing.assert_frame_equal(transactions, before)


def test_fitting_again_forgets_the_first_time(model: Popular, transactions: pd.DataFrame) -> None:
    once = clone(model).fit(transactions).recommend(["c00"])
    twice = model.fit(transactions[transactions[PRODUCT] != "p00"]).fit(transactions).recommend(["c00"])
    pd.testing.assert_frame_equal(once, twice, check_exact=True)


@pytest.mark.parametrize("purchases", [1, 2, 25])
def test_hardly_any_data_is_enough(model: Popular, transactions: pd.DataFrame, purchases: int) -> None:
    few = transactions.iloc[:purchases]
    lists = model.fit(few).recommend([few[CUSTOMER].iloc[0], "nobody"], k=100)
    assert lists[CUSTOMER].nunique() == 2
    assert lists.groupby(CUSTOMER)[PRODUCT].nunique().max() <= few[PRODUCT].nunique()


def test_lists_are_ranked_and_hold_each_product_once(model: Popular, transactions: pd.DataFrame) -> None:
    lists = model.fit(transactions).recommend(["c03", "c00"], k=5)
    assert lists[CUSTOMER].drop_duplicates().tolist() == ["c03", "c00"]
    for _, rows in lists.groupby(CUSTOMER):
        assert rows[RANK].tolist() == [1, 2, 3, 4, 5]
        assert rows[SCORE].is_monotonic_decreasing
        assert rows[PRODUCT].is_unique


def test_the_order_of_rows_changes_nothing(model: Popular, transactions: pd.DataFrame) -> None:
    shuffled = transactions.sample(frac=1, random_state=3)
    customers = sorted(transactions[CUSTOMER].unique())
    first = clone(model).fit(transactions).recommend(customers)
    pd.testing.assert_frame_equal(first, clone(model).fit(shuffled).recommend(customers), check_exact=True)


def test_many_customers_get_what_each_gets_alone(model: Popular, transactions: pd.DataFrame) -> None:
    model.fit(transactions)
    together = model.recommend(["c05", "nobody", "c08"])
    alone = pd.concat([model.recommend([name]) for name in ("c05", "nobody", "c08")], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone, check_exact=True)


def test_an_unknown_customer_gets_what_is_popular(model: Popular, transactions: pd.DataFrame) -> None:
    popular = Popular().fit(transactions).recommend(["nobody"])
    assert model.fit(transactions).recommend(["nobody"])[PRODUCT].tolist() == popular[PRODUCT].tolist()


def test_a_list_is_no_longer_than_the_catalogue(model: Popular, transactions: pd.DataFrame) -> None:
    lists = model.fit(transactions[transactions[PRODUCT].isin(["p00", "p01"])]).recommend(["c00"], k=10)
    assert sorted(lists[PRODUCT]) == ["p00", "p01"]


def test_nobody_asked_gets_an_empty_table(model: Popular, transactions: pd.DataFrame) -> None:
    assert len(model.fit(transactions).recommend([])) == 0


def test_the_checkerboard_is_learned() -> None:
    model = Frecency().fit(make_transactions())
    lists = model.recommend([f"c{customer:02}" for customer in range(20)], k=5)
    own_colour = lists[CUSTOMER].str[1:].astype(int) % 2 == lists[PRODUCT].str[1:].astype(int) % 2
    assert own_colour.all()


def test_lately_counts_more_than_long_ago(transactions: pd.DataFrame) -> None:
    mine = transactions[transactions[CUSTOMER] == "c00"]
    last = mine.sort_values("time")[PRODUCT].iloc[-1]
    assert Frecency(half_life=1, popular_weight=0).fit(mine).recommend(["c00"], k=1)[PRODUCT].item() == last


def test_refresh_changes_histories_and_not_parameters(transactions: pd.DataFrame) -> None:
    early = transactions[transactions["time"] < "2017-01-20"]
    model = Frecency().fit(early)
    popularity = model.popularity_.copy()
    model.refresh(transactions)
    assert (model.histories_.day, model.trained_through_) == (LAST, date(2017, 1, 19))
    np.testing.assert_array_equal(model.popularity_, popularity)
    fresh = Frecency(popular_weight=0).fit(transactions).recommend(["c00"])
    stale = Frecency(popular_weight=0).fit(early).refresh(transactions).recommend(["c00"])
    assert stale[PRODUCT].tolist() == fresh[PRODUCT].tolist()


def test_reasons_are_the_history(transactions: pd.DataFrame) -> None:
    mine = transactions[(transactions[CUSTOMER] == "c00") & (transactions[PRODUCT] == "p02")]
    model = Frecency().fit(transactions)
    times = len(mine)
    ago = (pd.Timestamp(LAST) - mine["time"].max().normalize()).days
    assert model.explain("c00", "p02").startswith(f"bought {times} times, last {ago} day")
    assert model.explain("nobody", "p02") == "popular in the last 28 days"
    assert Frecency(popular_days=1).fit(transactions).explain("nobody", "p02") == "popular in the last 1 day"

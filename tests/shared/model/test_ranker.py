"""The ranker learns from label weeks, keeps what it learned in a bundle, and is Frecency until it can learn."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shared.dataset.feed import Feed
from shared.dataset.time_split import split_by_time
from shared.errors import IntegrityError
from shared.model.frecency import Frecency
from shared.model.holdout import hold_out
from shared.model.ranker import Ranker
from shared.release.bundle import Evidence, open_bundle, write_bundle

EVIDENCE = Evidence("data", "revision")


@pytest.fixture
def ranker(transactions: pd.DataFrame) -> Ranker:
    return Ranker(leaf_size=5, trees=20).fit(transactions)


def everybody(transactions: pd.DataFrame) -> list[str]:
    return [*sorted(transactions["customer_id"].unique()), "nobody"]


def test_it_learns_that_a_product_comes_back_when_its_turn_comes(ranker: Ranker, transactions: pd.DataFrame) -> None:
    # On the checkerboard each product is bought every tenth day: the longer ago, the sooner again.
    assert len(ranker.trees_) == 40  # of each of two boosters
    lists = ranker.recommend(everybody(transactions)[:-1], k=5)
    own_colour = lists["customer_id"].str[1:].astype(int) % 2 == lists["product_id"].str[1:].astype(int) % 2
    assert own_colour.all()


def test_a_bundle_gives_back_the_same_lists(ranker: Ranker, transactions: pd.DataFrame, products: pd.DataFrame) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.model.ranker.grow", None)
        copy = Ranker(**ranker.get_params()).with_parameters(ranker.parameters()).with_histories(ranker.histories_)
    names = everybody(transactions)
    pd.testing.assert_frame_equal(copy.recommend(names), ranker.recommend(names), check_exact=True)


def test_an_opened_bundle_recommends_the_same(
    ranker: Ranker, transactions: pd.DataFrame, products: pd.DataFrame, tmp_path: Path
) -> None:
    digest = write_bundle(tmp_path / "bundle", ranker, products, EVIDENCE)
    opened = open_bundle(tmp_path / "bundle", digest).model
    names = everybody(transactions)
    pd.testing.assert_frame_equal(opened.recommend(names), ranker.recommend(names), check_exact=True)
    assert opened.explain("c00", "p02") == ranker.explain("c00", "p02")


def test_the_same_rows_in_another_order_give_the_same_bundle(
    ranker: Ranker, transactions: pd.DataFrame, products: pd.DataFrame, tmp_path: Path
) -> None:
    shuffled = transactions.sample(frac=1, random_state=5)
    again = Ranker(leaf_size=5, trees=20).fit(shuffled)
    digests = [
        write_bundle(tmp_path / name, model, products, EVIDENCE) for name, model in (("a", ranker), ("b", again))
    ]
    assert digests[0] == digests[1]


def test_trees_that_know_other_features_are_refused(
    ranker: Ranker, products: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(ranker.trees_, "width", np.array(99))
    monkeypatch.setattr("shared.release.bundle.golden_lists", lambda model: {})
    write_bundle(tmp_path / "bundle", ranker, products, EVIDENCE)
    with pytest.raises(IntegrityError, match="know 99 features"):
        open_bundle(tmp_path / "bundle")


def test_refresh_trains_nothing(transactions: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    early = split_by_time(transactions, date(2017, 2, 6))[0]
    ranker = Ranker(leaf_size=5, trees=20).fit(early)
    trees = ranker.trees_
    monkeypatch.setattr("shared.model.ranker.grow", None)
    ranker.refresh(transactions)
    assert ranker.trees_ is trees
    assert (ranker.histories_.day, ranker.trained_through_) == (date(2017, 2, 9), date(2017, 2, 6))


@pytest.mark.parametrize("last", [date(2017, 1, 1), date(2017, 1, 20), date(2017, 2, 4)])
def test_without_a_label_week_it_is_frecency(transactions: pd.DataFrame, last: date) -> None:
    early = split_by_time(transactions, last)[0]
    names = everybody(early)
    expected = Frecency().fit(early).recommend(names)
    pd.testing.assert_frame_equal(Ranker().fit(early).recommend(names), expected, check_exact=True)


def test_a_customer_who_shopped_once_has_a_list(ranker: Ranker, transactions: pd.DataFrame) -> None:
    once = transactions.iloc[:1].assign(customer_id="new", product_id="unheard of", basket_id="b")
    lists = ranker.refresh(pd.concat([transactions, once])).recommend(["new"], k=10)
    assert len(lists) == 10
    assert ranker.explain("new", "unheard of").startswith("bought 1 time")


@pytest.mark.story
def test_on_the_real_year_it_is_better_than_frecency(real_shop: Path) -> None:
    holdout = hold_out(Feed(real_shop).through(date(2017, 5, 21)), date(2017, 5, 21))
    ranker, frecency = (
        holdout.judge(model.fit(holdout.known, as_of=holdout.known_through))["ndcg_at_10"]
        for model in (Ranker(), Frecency())
    )
    assert ranker > frecency

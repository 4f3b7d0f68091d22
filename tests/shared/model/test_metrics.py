"""Metrics at their edges."""

import numpy as np
import pandas as pd
import pytest

from shared.model.metrics import score_customers, summarize


def lists(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "rank"])


def bought(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "product_id"])


def test_a_hit_on_the_second_rank_is_discounted() -> None:
    scores = score_customers(lists(("a", "x", 1), ("a", "y", 2)), bought(("a", "y")), k=2)
    assert scores.loc["a", "ndcg"] == pytest.approx(1 / np.log2(3))
    assert scores.loc["a", ["precision", "recall", "hit"]].tolist() == [0.5, 1.0, 1.0]


def test_a_full_list_of_hits_is_perfect_whatever_else_was_bought() -> None:
    purchases = bought(*[("a", f"p{number}") for number in range(30)])
    perfect = lists(*[("a", f"p{number}", number + 1) for number in range(10)])
    assert score_customers(perfect, purchases).loc["a", "ndcg"] == pytest.approx(1.0)


def test_who_got_no_list_scores_zero_and_counts() -> None:
    scores = score_customers(lists(("a", "x", 1)), bought(("a", "x"), ("b", "x")))
    assert scores["ndcg"].to_dict() == {"a": 1.0, "b": 0.0}


def test_who_bought_nothing_does_not_count() -> None:
    assert score_customers(lists(("a", "x", 1), ("b", "x", 1)), bought(("a", "x"))).index.tolist() == ["a"]


def test_ranks_beyond_k_do_not_count() -> None:
    assert score_customers(lists(("a", "y", 1), ("a", "x", 2)), bought(("a", "x")), k=1)["hit"].item() == 0


def test_with_nobody_there_is_no_number() -> None:
    assert np.isnan(summarize(lists(("a", "x", 1)), bought(), 10)["ndcg_at_10"])

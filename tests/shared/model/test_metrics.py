"""Metrics at their edges."""

import numpy as np
import pandas as pd
import pytest

from shared.model.metrics import coverage, score_customers, summarize


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


def test_all_metrics_of_three_customers_counted_by_hand() -> None:
    """a: two of four products hit, on ranks 1 and 3 of three; b: none; c: no list."""
    shown = lists(("a", "x", 1), ("a", "q", 2), ("a", "y", 3), ("b", "q", 1))
    purchases = bought(("a", "x"), ("a", "x"), ("a", "y"), ("a", "z"), ("a", "w"), ("b", "z"), ("c", "x"))
    scores = score_customers(shown, purchases, k=3)
    assert scores["precision"].tolist() == pytest.approx([2 / 3, 0, 0])
    assert scores["recall"].tolist() == pytest.approx([2 / 4, 0, 0])
    assert scores["hit"].tolist() == [1, 0, 0]
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert scores["ndcg"].tolist() == pytest.approx([(1 + 1 / 2) / ideal, 0, 0])
    means = summarize(shown, purchases, catalogue_size=6, k=3)
    assert means["recall_at_3"] == pytest.approx(1 / 6)
    assert (means["coverage_at_3"], means["customers"]) == (0.5, 3.0)


def test_coverage_counts_products_and_not_entries_on_the_first_ranks() -> None:
    shown = lists(*[(customer, f"p{rank}", rank) for customer in "ab" for rank in range(1, 13)])
    assert coverage(shown, catalogue_size=20) == 10 / 20
    assert coverage(shown, catalogue_size=20, k=1) == 1 / 20
    assert coverage(shown, catalogue_size=0, k=1) == 1

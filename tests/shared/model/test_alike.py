"""Fair comparisons: what both sides know, and how long their lists are."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from shared.errors import CheckFailed
from shared.model.alike import require_same_knowledge, score_alike

KNOWN = date(2017, 3, 1)


def side(trained: int, histories: int) -> Any:
    """A model whose training and histories end so many days after the last known day."""
    through = [KNOWN + timedelta(days=days) for days in (trained, histories)]
    return SimpleNamespace(trained_through_=through[0], histories_=SimpleNamespace(day=through[1]))


@pytest.mark.parametrize(
    ("trained", "histories", "fair"),
    [(0, 0, True), (-30, 0, True), (1, 0, False), (0, -1, False), (0, 1, False), (-30, -1, False)],
)
def test_both_sides_know_the_same_days_and_none_that_judges_them(trained: int, histories: int, fair: bool) -> None:
    sides = {"live": side(0, 0), "candidate": side(trained, histories)}
    if fair:
        require_same_knowledge(sides, KNOWN)
        return
    with pytest.raises(CheckFailed, match="No fair comparison: candidate was trained"):
        require_same_knowledge(sides, KNOWN)


def lists(length: int) -> pd.DataFrame:
    """Two customers' lists of so many products."""
    ranks = range(1, length + 1)
    return pd.DataFrame(
        [(who, f"p{rank}", rank) for who in "ab" for rank in ranks], columns=["customer_id", "product_id", "rank"]
    )


@pytest.mark.parametrize(("one", "other", "fair"), [(3, 3, True), (3, 10, True), (2, 3, False), (3, 2, False)])
def test_lists_of_at_least_k_products_are_cut_to_k_and_shorter_ones_refused(one: int, other: int, fair: bool) -> None:
    bought = pd.DataFrame({"customer_id": ["a", "b"], "product_id": ["p1", "p4"]})
    if fair:
        scores = score_alike({"live": lists(one), "candidate": lists(other)}, bought, k=3)
        assert [side.to_dict() for side in scores.values()] == [{"a": 1.0, "b": 0.0}] * 2
        return
    with pytest.raises(CheckFailed, match="has fewer than 3 products for 2 of 2 customers"):
        score_alike({"live": lists(one), "candidate": lists(other)}, bought, k=3)

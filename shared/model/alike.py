"""A fair comparison of models: same customers, same k, same days, histories through the same day.

Level 3's evaluation and level 4's shadow call it. What is not alike is refused, not scored: lists of ten products
beside lists of three once looked like a gain of a third.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd

from shared.columns import CUSTOMER, RANK
from shared.errors import CheckFailed
from shared.model.metrics import score_customers
from shared.model.popular import Popular


def require_same_knowledge(sides: Mapping[str, Popular], known_through: date) -> None:
    """Refuse models whose histories end on another day, or that were trained on days that judge them."""
    for name, model in sides.items():
        if model.histories_.day != known_through or model.trained_through_ > known_through:
            raise CheckFailed(
                f"No fair comparison: {name} was trained through {model.trained_through_} and has histories through "
                f"{model.histories_.day}; what judges it begins after {known_through}.",
                fix="Bring the histories of both sides to the same day; for a newer release pass a later --as-of.",
            )


def list_lengths(lists: pd.DataFrame, customers: Iterable[str]) -> pd.Series:
    """The length of each customer's list; 0 for one who has none."""
    return lists.groupby(CUSTOMER).size().reindex(list(customers), fill_value=0)


def cut(lists: Mapping[str, pd.DataFrame], customers: Iterable[str], k: int) -> dict[str, pd.DataFrame]:
    """The first k of each list. Raises CheckFailed where a side has fewer for anybody."""
    customers = list(customers)
    for name, mine in lists.items():
        lengths = list_lengths(mine[mine[RANK] <= k], customers)
        if len(lengths) and lengths.min() < k:
            short = int((lengths < k).sum())
            raise CheckFailed(
                f"No fair comparison: {name} has fewer than {k} products for {short} of {len(lengths)} customers.",
                fix="Compare lists of the same length.",
            )
    return {name: mine[mine[RANK] <= k] for name, mine in lists.items()}


def score_alike(lists: Mapping[str, pd.DataFrame], bought: pd.DataFrame, k: int) -> dict[str, pd.Series]:
    """NDCG@k by customer of each side, on all who bought. Raises CheckFailed for lists of different length."""
    same = cut(lists, bought[CUSTOMER].unique(), k)
    return {name: score_customers(mine, bought, k)["ndcg"] for name, mine in same.items()}

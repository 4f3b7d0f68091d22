"""What a model is judged on: the last week before `as_of`, which it has not seen."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from shared.columns import CUSTOMER
from shared.dataset.purchases import count_products, purchases, require_purchases
from shared.dataset.time_split import split_by_time
from shared.model.metrics import summarize
from shared.model.popular import Popular

HOLDOUT_DAYS = 7


@dataclass(frozen=True)
class Holdout:
    """Transactions through `known_through`, and what customers bought in the week after it."""

    known: pd.DataFrame
    known_through: date
    bought: pd.DataFrame

    def judge(self, model: Popular, k: int = 10) -> dict[str, float]:
        """The metrics of a model's lists for those who shopped in the held-out week."""
        return self.measure(model.recommend(self.bought[CUSTOMER].unique(), k), k)

    def measure(self, lists: pd.DataFrame, k: int = 10) -> dict[str, float]:
        """The metrics of lists that were made for those who shopped in the held-out week."""
        return summarize(lists, self.bought, count_products(self.known), k)


def hold_out(transactions: pd.DataFrame, as_of: date, days: int = HOLDOUT_DAYS) -> Holdout:
    """Hold out the last `days` days through `as_of`. Raises CheckFailed if nothing is known before them."""
    known_through = as_of - timedelta(days=days)
    known, after = split_by_time(split_by_time(transactions, as_of)[0], known_through)
    require_purchases(known, known_through)
    require_purchases(after, as_of)
    return Holdout(known, known_through, purchases(after))

"""Which of frecency's settings suits the last days? `retrain` asks before it trains.

In quiet times another half-life wins by a hair when it is chosen and loses afterwards: the live setting stays unless
another one is 1 % better on the last 14 known days, each with its own histories.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from shared.columns import CUSTOMER
from shared.dataset.feed import Feed
from shared.dataset.purchases import purchases
from shared.model.frecency import Frecency
from shared.model.histories import Histories, rewind
from shared.model.metrics import score_customers

HALF_LIVES = (28.0, 42.0, 84.0, 168.0)
UNSOLD_DAYS = 14
DAYS = 14
LEAST_GAIN = 0.01
MOST_CUSTOMERS = 200


@dataclass(frozen=True)
class Setting:
    """Frecency's parameters that are chosen."""

    half_life: float
    unsold_days: int = 0

    def __str__(self) -> str:
        left_out = f", without products unsold for {self.unsold_days} days" if self.unsold_days else ""
        return f"half-life {self.half_life:.0f}{left_out}"


def choose(live: Setting, score: Callable[[Setting], float]) -> Setting:
    """First the half-life, then whether unsold products are left out; `score` is asked once for each setting.

    >>> choose(Setting(84), {28: 0.2, 42: 0.203, 84: 0.202, 168: 0.199}.get and (lambda s: 0.2 + s.half_life / 1e6))
    Setting(half_life=84, unsold_days=0)
    """
    kept = score(live)
    half_lives = [Setting(half_life, live.unsold_days) for half_life in HALF_LIVES if half_life != live.half_life]
    best, scored = better(live, kept, half_lives, score)
    other = Setting(best.half_life, 0 if best.unsold_days else UNSOLD_DAYS)
    return better(best, scored, [other], score)[0]


def better(
    now: Setting, scored: float, others: Iterable[Setting], score: Callable[[Setting], float]
) -> tuple[Setting, float]:
    """The best of some settings if it is surely worth a change, with its score; else the one that is."""
    best, found = max(((other, score(other)) for other in others), key=lambda pair: pair[1])
    return (best, found) if found >= (1 + LEAST_GAIN) * scored else (now, scored)


@dataclass(frozen=True)
class Evening:
    """A day to be judged on: a model with the histories of its morning, and what a part of the customers bought."""

    model: Frecency
    bought: pd.DataFrame

    def score(self, setting: Setting) -> tuple[float, int]:
        """(the sum of NDCG@10, the number of customers) with a setting."""
        asked = self.model.set_params(half_life=setting.half_life, unsold_days=setting.unsold_days)
        asked.with_histories(self.model.histories_)
        ndcg = score_customers(asked.recommend(self.bought[CUSTOMER].unique()), self.bought)["ndcg"]
        return float(ndcg.sum()), len(ndcg)


def evenings(feed: Feed, known: Histories, popular: tuple[float, int]) -> list[Evening]:
    """The last days that histories know of, each with those of its morning. popular: weight and days."""
    days = [known.day - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return [made for day in days if (made := evening(feed, known, day, popular))]


def evening(feed: Feed, known: Histories, day: date, popular: tuple[float, int]) -> Evening | None:
    """One day to be judged on; None if nobody bought. Of many customers, the same part is taken each time."""
    bought = purchases(feed.day(day))
    customers = np.sort(bought[CUSTOMER].unique().astype(str))
    if not len(customers):
        return None
    some = customers[:: max(1, -(-len(customers) // MOST_CUSTOMERS))]
    weight, days = popular
    model = Frecency(popular_weight=weight, popular_days=days).learn(rewind(known, day - timedelta(days=1)))
    return Evening(model, bought[bought[CUSTOMER].isin(some)])


def mean_score(judged: list[Evening], setting: Setting) -> float:
    """NDCG@10 with a setting, over all customers of all days."""
    sums = np.array([one.score(setting) for one in judged]).sum(axis=0)
    return float(sums[0] / sums[1])

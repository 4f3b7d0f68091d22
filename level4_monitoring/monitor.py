"""One day's monitoring: how good was what was served, and has the shop changed?"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from level3_cicd.monitor import PSI_LIMIT, describe, report
from level4_monitoring.predictions import read_served
from shared.columns import CUSTOMER
from shared.dataset.feed import Feed
from shared.dataset.purchases import purchases
from shared.model.metrics import score_customers

REFERENCE_WEEKS = 4


@dataclass(frozen=True)
class Day:
    """What was seen on a day. `served` and `bought` are those who were both served and bought."""

    day: date
    served: pd.DataFrame
    bought: pd.DataFrame
    ndcg: float
    hit_rate: float
    customers: int
    drift: dict[str, float]

    @property
    def drifted(self) -> list[str]:
        """The columns whose distribution moved."""
        return [name for name, value in self.drift.items() if value > PSI_LIMIT]


def monitor(level: Path, feed: Feed, day: date) -> Day:
    """Join the prediction log with the day's purchases, and report on drift against the same weekdays before."""
    today = feed.day(day)
    served = read_served(level, day)
    bought = purchases(today)
    bought = bought[bought[CUSTOMER].isin(served[CUSTOMER])]
    scores = score_customers(served, bought)
    products = feed.products()
    reference = pd.concat([feed.day(day - timedelta(weeks=week)) for week in range(1, REFERENCE_WEEKS + 1)])
    html = level / "reports" / "latest.html"
    compared = len(today) and len(reference)
    drift = report(describe(today, products), describe(reference, products), html) if compared else {}
    return Day(day, served, bought, float(scores["ndcg"].mean()), float(scores["hit"].mean()), len(scores), drift)

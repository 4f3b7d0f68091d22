"""One day's monitoring: how good was what was served, and has the shop changed?"""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from level3_cicd.drift import describe, judge, window
from level3_cicd.monitor import show
from level4_monitoring.predictions import read_served
from shared.columns import CUSTOMER
from shared.dataset.feed import Feed
from shared.dataset.purchases import purchases
from shared.model.metrics import score_customers


@dataclass(frozen=True)
class Day:
    """What was seen on a day. `served` and `bought` are those who were both served and bought."""

    day: date
    served: pd.DataFrame
    bought: pd.DataFrame
    ndcg: float
    hit_rate: float
    customers: int
    drift: dict[str, dict[str, Any]]

    @property
    def drifted(self) -> list[str]:
        """The columns whose distribution moved."""
        return [name for name, column in self.drift.items() if column["verdict"] == "drift"]


def monitor(level: Path, feed: Feed, day: date) -> Day:
    """Join the prediction log with the day's purchases, and report on drift against the same weekdays before."""
    today = feed.day(day)
    served = read_served(level, day)
    bought = purchases(today)
    bought = bought[bought[CUSTOMER].isin(served[CUSTOMER])]
    scores = score_customers(served, bought)
    drift = watch_columns(feed, day, level / "reports" / "latest.html")
    return Day(day, served, bought, float(scores["ndcg"].mean()), float(scores["hit"].mean()), len(scores), drift)


def watch_columns(feed: Feed, day: date, page: Path) -> dict[str, dict[str, Any]]:
    """The verdict on each column of the day's baskets, by its name; and the page."""
    products = feed.products()
    seen = window(day, lambda each: describe(feed.day(each), products))
    found = judge(seen)
    show(seen, found, page)
    return {column.column: asdict(column) for column in found}

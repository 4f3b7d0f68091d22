"""An Evidently report, when a person thinks of it: has the shop changed, and how good were the lists?"""

import math
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from shared.columns import AMOUNT, BASKET, CUSTOMER, DEPARTMENT, PRODUCT, QUANTITY, TIME
from shared.dataset.feed import Feed, open_feed, require_day
from shared.dataset.purchases import count_products, purchases, require_purchases, sold
from shared.errors import UsageError
from shared.model.metrics import summarize
from shared.places import shop_folder
from shared.release.pointer import require_pointer
from shared.service.follower import load

DAYS = 7
REFERENCE_WEEKS = 4
COMMON = 20
PSI_LIMIT = 0.2


@dataclass(frozen=True)
class Monitored:
    """The verdict of a report. `judged`: the release's NDCG@10 when the gate looked at it."""

    as_of: date
    release: str
    judged: float
    drifted: list[str]
    drift: dict[str, float]
    metrics: dict[str, float]
    report: Path

    def data(self) -> "Monitored":
        """All of it, for JSON."""
        return self

    def describe(self) -> str:
        """The report in words."""
        verdict = f"drift in {', '.join(self.drifted)}" if self.drifted else "no column has drifted"
        scored = f"NDCG@10 {self.metrics['ndcg_at_10']:.3f}, and {self.judged:.3f} when it was judged"
        return (
            f"Release {self.release} in the week through {self.as_of}: {scored}; {verdict}.\n"
            f"  Where: {self.report}\n  Next:  open it in a browser; at this level nobody is told by itself"
        )


def monitor_model(level: Path, as_of: date) -> Monitored:
    """Report on the shop's last week; nobody is told by itself."""
    return monitor(level, open_feed(shop_folder()), as_of)


def monitor(level: Path, feed: Feed, as_of: date) -> Monitored:
    """Report on the last week, against the four weeks before it, and on how good the live release's lists were.

    Level 3 keeps no served lists: they are made again, from histories that know nothing of the week.
    """
    require_day(feed, as_of)
    first = as_of - timedelta(days=DAYS - 1)
    current = feed.between(first, as_of)
    reference = feed.between(first - timedelta(weeks=REFERENCE_WEEKS), first - timedelta(days=1))
    for rows in (current, reference):
        require_purchases(rows, as_of)
    products = feed.products()
    live = load(level, require_pointer(level))
    model = live.bundle.model
    day_before = first - timedelta(days=1)
    if model.trained_through_ > day_before:
        raise UsageError(
            f"The live release {live.release} was trained through {model.trained_through_}: it has seen of the week "
            f"through {as_of}.",
            fix=f"Pass --as-of with a day from {model.trained_through_ + timedelta(days=DAYS)} on.",
        )
    if model.histories_.day > day_before:
        model.refresh(feed.through(day_before), as_of=day_before)
    bought = purchases(current)
    lists = model.recommend(bought[CUSTOMER].unique())
    metrics = summarize(lists, bought, count_products(feed.through(day_before)))
    page = level / "reports" / f"{as_of}.html"
    title = f"Release {live.release}: its lists for those who shopped from {first} to {as_of}, and what they bought"
    drift = report(describe(current, products), describe(reference, products), page, metrics, title)
    judged = live.bundle.manifest["metrics"].get("ndcg_at_10", math.nan)
    return Monitored(
        as_of, live.release, judged, [name for name, value in drift.items() if value > PSI_LIMIT], drift, metrics, page
    )


def describe(transactions: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """The columns that a drift report looks at; rare departments together, as few rows would raise false alarms."""
    bought = sold(transactions)
    department = bought[PRODUCT].map(products.set_index(PRODUCT)[DEPARTMENT]).fillna("unknown")
    common = products[DEPARTMENT].value_counts().index[:COMMON]
    return pd.DataFrame(
        {
            "department": department.where(department.isin(common), "other"),
            "basket_size": bought.groupby([CUSTOMER, BASKET])[PRODUCT].transform("size").astype(float),
            "amount": bought[AMOUNT],
            "quantity": bought[QUANTITY].clip(upper=100),
            "hour": bought[TIME].dt.hour.astype(float),
        }
    )


def report(
    current: pd.DataFrame,
    reference: pd.DataFrame,
    html: Path | None = None,
    scores: dict[str, float] | None = None,
    title: str = "",
) -> dict[str, float]:
    """The drift of each column, by Evidently, which is imported here; see `report.report`."""
    os.environ["DO_NOT_TRACK"] = "true"
    from level3_cicd.tools.evidently_report import report

    return report(current, reference, PSI_LIMIT, html, scores, title)

"""The shadow: what a challenger would have recommended to those who were served, scored by what they bought."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from level3_cicd.tools.registry import fetch
from level4_monitoring.refresh import up_to_date
from shared.columns import CUSTOMER
from shared.dataset.feed import Feed
from shared.model.metrics import score_customers
from shared.release.bundle import open_bundle
from shared.release.pointer import require_pointer


@dataclass(frozen=True)
class Evidence:
    """Paired NDCG@10 of champion and challenger, over all days that the challenger was watched."""

    release: str
    days: int
    pairs: int
    champion: float
    difference: float
    deviation: float


def score_day(level: Path, release: str, feed: Feed, day: date, served: pd.DataFrame, bought: pd.DataFrame) -> None:
    """Score a challenger on a day, with histories through the day before, beside what was served. Kept per day."""
    folder, entry = fetch(level, release)
    before = day - timedelta(days=1)
    histories = up_to_date(level, require_pointer(level), feed, before)
    model = open_bundle(folder, entry.bundle_digest, histories).model
    customers = served[CUSTOMER].unique()
    bought = bought[bought[CUSTOMER].isin(customers)]
    pairs = pd.DataFrame(
        {
            "champion": score_customers(served, bought)["ndcg"],
            "challenger": score_customers(model.recommend(customers), bought)["ndcg"],
        }
    )
    path = pairs_file(level, release, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    pairs.to_parquet(path)


def read_evidence(level: Path, release: str) -> Evidence:
    """What is known of a challenger so far."""
    files = sorted(pairs_file(level, release, date.min).parent.glob("*.parquet"))
    pairs = pd.concat([pd.read_parquet(file) for file in files])
    difference = pairs["challenger"] - pairs["champion"]
    return Evidence(
        release=release,
        days=len(files),
        pairs=len(pairs),
        champion=float(pairs["champion"].mean()),
        difference=float(difference.mean()),
        deviation=float(difference.std(ddof=1)),
    )


def pairs_file(level: Path, release: str, day: date) -> Path:
    """Where a day's pairs are kept."""
    return level / "shadow" / release / f"{day}.parquet"

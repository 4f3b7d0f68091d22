"""An Evidently report, when a person thinks of it: has the shop changed, and how good were the lists?"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from level3_cicd.drift import REFERENCE_WEEKS, ColumnDrift, Window, describe, drifted, judge, tell
from shared.columns import CUSTOMER
from shared.dataset.feed import Feed, open_feed, require_day
from shared.dataset.purchases import count_products, purchases
from shared.errors import UsageError
from shared.model.metrics import summarize
from shared.model.popular import Popular
from shared.places import shop_folder
from shared.release.pointer import require_pointer
from shared.service.follower import Live, load
from shared.text import count

DAYS = 7


@dataclass(frozen=True)
class Monitored:
    """The verdict of a report.

    judged: the release's NDCG@10 when the gate looked at it. metrics: of its lists in the week; empty if nobody
    bought. notes: what could not be judged, and why.
    """

    as_of: date
    release: str
    judged: float
    drifted: list[str]
    drift: list[ColumnDrift]
    metrics: dict[str, float]
    report: Path
    notes: list[str] = field(default_factory=list)

    def data(self) -> "Monitored":
        """All of it, for JSON."""
        return self

    def describe(self) -> str:
        """The report in words."""
        judged = "not known" if math.isnan(self.judged) else f"{self.judged:.3f}"
        scored = f"NDCG@10 {self.metrics.get('ndcg_at_10', math.nan):.3f}, and {judged} when it was judged"
        lines = [
            f"Release {self.release} in the week through {self.as_of}: "
            f"{scored if self.metrics else 'its lists cannot be judged'}; {tell(self.drift)}.",
            *(f"  Note:  {note}" for note in self.notes),
            f"  Where: {self.report}",
            "  Next:  open it in a browser; at this level nobody is told by itself",
        ]
        return "\n".join(lines)


def monitor_model(level: Path, as_of: date, dry_run: bool = False) -> Monitored:
    """Report on the shop's last week; nobody is told by itself. A report decides nothing: a dry run is one, too."""
    return monitor(level, open_feed(shop_folder()), as_of)


def monitor(level: Path, feed: Feed, as_of: date) -> Monitored:
    """Report on the last week, against the four weeks before it, and on how good the live release's lists were.

    Raises UsageError where nothing is live, or where what is live has seen of the week.
    """
    require_day(feed, as_of)
    first = as_of - timedelta(days=DAYS - 1)
    live = load(level, require_pointer(level))
    model = as_it_was_before(live, feed, first, as_of)
    metrics, notes = score_lists(model, feed, first, as_of)
    seen, products = window_of(feed, first, as_of), feed.products()
    notes += about_reference(feed, first)
    baskets = Window(describe(seen[0], products), describe(seen[1], products), DAYS)
    drift = judge(baskets)
    page = level / "reports" / f"{as_of}.html"
    title = f"Release {live.release}: its lists for those who shopped from {first} to {as_of}, and what they bought"
    show(baskets, drift, page, metrics, title)
    judged = live.bundle.manifest["metrics"].get("ndcg_at_10", math.nan)
    return Monitored(as_of, live.release, judged, drifted(drift), drift, metrics, page, notes)


def as_it_was_before(live: Live, feed: Feed, first: date, as_of: date) -> Popular:
    """The live model with histories through the day before a week, as it would have served it."""
    model, day_before = live.bundle.model, first - timedelta(days=1)
    if model.trained_through_ > day_before:
        raise UsageError(
            f"The live release {live.release} was trained through {model.trained_through_}: it has seen of the week "
            f"through {as_of}.",
            fix=f"Pass --as-of with a day from {model.trained_through_ + timedelta(days=DAYS)} on.",
        )
    if model.histories_.day > day_before:
        model.refresh(feed.through(day_before), as_of=day_before)
    return model


def score_lists(model: Popular, feed: Feed, first: date, as_of: date) -> tuple[dict[str, float], list[str]]:
    """(the metrics of the lists for those who bought in a week, why there are none).

    Level 3 keeps no served lists: they are made again, from histories that know nothing of the week.
    """
    bought = purchases(feed.between(first, as_of))
    if bought.empty:
        return {}, [f"Nobody bought anything from {first} to {as_of}, so there is nothing to judge the lists by."]
    lists = model.recommend(bought[CUSTOMER].unique())
    return summarize(lists, bought, count_products(feed.through(first - timedelta(days=1)))), []


def window_of(feed: Feed, first: date, as_of: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a week, and those of the four weeks before it."""
    before = first - timedelta(weeks=REFERENCE_WEEKS)
    return feed.between(first, as_of), feed.between(before, first - timedelta(days=1))


def about_reference(feed: Feed, first: date) -> list[str]:
    """What a reader must know of the weeks that the week is compared with."""
    days = min((first - feed.first_day).days, 7 * REFERENCE_WEEKS)
    if days == 7 * REFERENCE_WEEKS:
        return []
    known = count(max(days, 0), "day")
    return [f"The shop began on {feed.first_day}: the week is compared with {known} instead of four weeks."]


def show(
    seen: Window, found: Sequence[ColumnDrift], page: Path, scores: dict[str, float] | None = None, title: str = ""
) -> None:
    """Write the page, by Evidently, which is imported here."""
    os.environ["DO_NOT_TRACK"] = "true"
    from level3_cicd.tools.evidently_report import report

    report(seen, found, page, scores, title)

"""The shadow: what another release would have recommended to all who bought, beside the live one, day by day.

Both answer with 10 products each, from the same histories through the day before; served lists play no part. Each
day's pairs are kept in a file; one that is missing or damaged is made again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from level4_monitoring.confidence import summarize_pairs
from level4_monitoring.config import LoopConfig
from level4_monitoring.day import Day
from level4_monitoring.past import Past
from level4_monitoring.refresh import up_to_date
from level4_monitoring.verdicts import Comparison, Kind
from shared.columns import CUSTOMER
from shared.dataset.purchases import purchases
from shared.errors import IntegrityError
from shared.model.metrics import score_customers
from shared.model.popular import Popular
from shared.release.bundle import open_bundle

LIVE, OTHER = "live", "other"


@dataclass(frozen=True)
class Rivals:
    """Two releases that are compared. began: the last day before the first pair; digest: of the other's bundle."""

    kind: Kind
    live: str
    other: str
    digest: str
    began: date

    def file(self, level: Path, day: date) -> Path:
        """Where a day's pairs are kept."""
        return level / "shadow" / f"{self.other}-beside-{self.live}" / f"{day}.parquet"


def rivals(past: Past, day: date, config: LoopConfig) -> Rivals | None:
    """The comparison that is under way: a new champion with the retired one, or a challenger with the champion."""
    live, retired, challenger = past.live, past.retired(day, config.retired.most_days), past.challenger()
    if live is None:
        return None
    if retired:
        return Rivals("retired", live.release, retired.release, retired.bundle_digest, live.as_of)
    if challenger:
        return Rivals("challenger", live.release, challenger.release, challenger.bundle_digest, challenger.as_of)
    return None


def watch(level: Path, between: Rivals, day: Day, config: LoopConfig, fetch: Callable[[str], Path]) -> Comparison:
    """Compare on this day, and on earlier ones whose pairs are missing. fetch: brings a release's bundle again."""
    if day.live is None:
        return so_far(level, between, day, config)
    try:
        other = open_other(level, between, fetch)
    except IntegrityError as error:
        return replace(so_far(level, between, day, config), damage=error.what)
    pairs = {}
    for known in days_compared(between, day):
        found = read_pairs(between.file(level, known))
        if found is None:
            found = score_pairs(*at_morning_of(level, known, day, other), purchases(day.feed.day(known)))
            keep_pairs(between.file(level, known), found)
        pairs[known] = found
    return compare(between, day.day, pairs, config)


def so_far(level: Path, between: Rivals, day: Day, config: LoopConfig) -> Comparison:
    """What is known from the days whose pairs are kept."""
    found = {known: read_pairs(between.file(level, known)) for known in days_compared(between, day)}
    return compare(between, day.day, {known: pairs for known, pairs in found.items() if pairs is not None}, config)


def open_other(level: Path, between: Rivals, fetch: Callable[[str], Path]) -> Popular:
    """The other release's model from the level's own store, or fetched anew. Raises IntegrityError if it is damaged."""
    try:
        return open_bundle(level / "bundles" / between.other, between.digest).model
    except IntegrityError:
        return open_bundle(fetch(between.other), between.digest).model


def days_compared(between: Rivals, day: Day) -> list[date]:
    """The days with purchases since the comparison began."""
    return [known for known in day.feed.days if between.began < known <= day.day]


def at_morning_of(level: Path, known: date, day: Day, other: Popular) -> tuple[Popular, Popular]:
    """Both models with the histories of a day's morning."""
    assert day.live is not None and day.pointer is not None  # noqa: S101, PT018  `watch` asks only then
    before = known - timedelta(days=1)
    if day.live.histories_.day != before:
        day.live.with_histories(up_to_date(level, day.pointer, day.feed, before))
    return day.live, other.with_histories(day.live.histories_)


def score_pairs(live: Popular, other: Popular, bought: pd.DataFrame) -> pd.DataFrame:
    """NDCG@10 of both models for each customer who bought: columns customer_id, live, other."""
    customers = bought[CUSTOMER].unique()
    scores = {
        name: score_customers(model.recommend(customers), bought)["ndcg"]
        for name, model in ((LIVE, live), (OTHER, other))
    }
    return pd.DataFrame(scores).rename_axis(CUSTOMER).reset_index()


def keep_pairs(file: Path, pairs: pd.DataFrame) -> None:
    """Keep a day's pairs, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    pairs.to_parquet(part, index=False)
    part.replace(file)


def read_pairs(file: Path) -> pd.DataFrame | None:
    """A day's pairs; None if they are not there or damaged."""
    try:
        pairs = pd.read_parquet(file, columns=[CUSTOMER, LIVE, OTHER])
    except Exception:  # noqa: BLE001  whatever is wrong with it, it is made again
        return None
    scores = pairs[[LIVE, OTHER]].to_numpy(dtype=float)
    return pairs if bool(((scores >= 0) & (scores <= 1)).all()) else None


def compare(between: Rivals, today: date, pairs: dict[date, pd.DataFrame], config: LoopConfig) -> Comparison:
    """The evidence so far."""
    together = pd.concat([pd.DataFrame(columns=[CUSTOMER, LIVE, OTHER]), *pairs.values()])
    early = [mine for day, mine in pairs.items() if (day - between.began).days <= config.challenger.most_days]
    first = pd.concat([pd.DataFrame(columns=[CUSTOMER]), *early])
    difference = (together[OTHER] - together[LIVE]).to_numpy(dtype=float)
    found = summarize_pairs(together[CUSTOMER].to_numpy(dtype=np.str_), difference)
    return Comparison(
        kind=between.kind,
        release=between.other,
        live=between.live,
        began=between.began,
        days=days_since(between, today),
        pairs=found.pairs,
        customers=found.customers,
        mean=float(together[LIVE].astype(float).mean()) if found.pairs else 0.0,
        difference=found.mean if found.pairs else 0.0,
        deviation=found.deviation if found.pairs else 0.0,
        early_pairs=len(first),
        early_customers=int(first[CUSTOMER].nunique()),
    )


def days_since(between: Rivals, day: date) -> int:
    """Which day of the comparison it is."""
    return (day - between.began).days

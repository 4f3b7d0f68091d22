"""How sure a comparison of two releases is: the numbers that a decision rests on. Pure."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from level4_monitoring.confidence import radius
from level4_monitoring.config import LoopConfig

Kind = Literal["challenger", "retired"]


@dataclass(frozen=True)
class Comparison:
    """A release beside the live one, on all customers who bought, day by day.

    kind: a challenger, or the release that the live one retired. began: the last day before the first pair;
    days: since then. mean: the live release's NDCG@10; difference: `release` - `live`; deviation: of one pair,
    clustered by customer (see confidence.py). early_pairs, early_customers: of the first 28 days.
    damage: why the release cannot be used, if so.
    """

    kind: Kind
    release: str
    live: str
    began: date
    days: int
    pairs: int = 0
    customers: int = 0
    mean: float = 0.0
    difference: float = 0.0
    deviation: float = 0.0
    early_pairs: int = 0
    early_customers: int = 0
    damage: str = ""


@dataclass(frozen=True)
class Interval:
    """Where the true difference is, at all times at once, with the probability that was asked for."""

    low: float
    high: float


def bounds(compared: Comparison, config: LoopConfig) -> Interval:
    """The interval of a comparison by now; without limits before there are two pairs."""
    judged = config.retired if compared.kind == "retired" else config.challenger
    if compared.pairs < 2:
        return Interval(-math.inf, math.inf)
    deviation = max(compared.deviation, config.pairs.least_deviation)
    half = radius(compared.pairs, deviation, judged.error, judged.planned)
    return Interval(compared.difference - half, compared.difference + half)


def enough(pairs: int, customers: int, config: LoopConfig) -> bool:
    """Whether there is enough to decide anything."""
    return pairs >= config.pairs.least and customers >= config.pairs.least_customers


def is_undecided(compared: Comparison, config: LoopConfig) -> bool:
    """Whether a challenger had its time: 28 days, or 90 where 28 brought too few pairs."""
    early = enough(compared.early_pairs, compared.early_customers, config)
    limits = config.challenger
    return compared.days >= (limits.most_days if early else limits.most_days_of_a_small_shop)


def days_until_decided(pairs_a_day: float, gain: float, deviation: float, config: LoopConfig) -> int | None:
    """After how many days a true difference `gain` is surely above 0, if chance adds nothing; None: not in time.

    pairs_a_day: customers who buy. For the docs' table of what a shop of some size can see.
    """
    limits = config.challenger
    late = (
        limits.most_days if pairs_a_day * limits.most_days >= config.pairs.least else limits.most_days_of_a_small_shop
    )
    for day in range(limits.from_day, late + 1):
        pairs = int(pairs_a_day * day)
        sure = gain > radius(pairs, max(deviation, config.pairs.least_deviation), limits.error, limits.planned)
        if pairs >= config.pairs.least and sure:
            return day
    return None

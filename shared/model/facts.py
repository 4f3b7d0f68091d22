"""What is known of each product, whoever the customer: popularity, how often it is bought again, and its kind.

The ranker counts them when histories change, not when it is asked.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from shared.model.histories import Histories, ProductCounts, day_number
from shared.model.taxonomy import Taxonomy

WEEK, MONTH, EVER = 7, 28, 1 << 16


@dataclass(frozen=True)
class ProductFacts:
    """What is known of each of p products; arrays (p,). type and name are codes, -1 for none."""

    week: np.ndarray
    month: np.ndarray
    trend: np.ndarray
    ever: np.ndarray
    repeat_rate: np.ndarray
    usual_gap: np.ndarray
    type: np.ndarray
    name: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def product_facts(histories: Histories, taxonomy: Taxonomy) -> ProductFacts:
    """Popularity (share of the shoppers) over 1 and 4 weeks and ever, its trend, repeat rate, usual gap in days."""
    counts = histories.counts or count_products(histories)
    week, month, ever, repeated, span, gaps = counts.table
    weekly, monthly, all_time = np.maximum(counts.active, 1)
    types, names = taxonomy.codes_for(histories.products)
    return ProductFacts(
        week=week / weekly,
        month=month / monthly,
        trend=(week + 1) / (month / (MONTH / WEEK) + 1),
        ever=ever / all_time,
        # Three doubtful customers more, so that a product with one buyer has no rate of 0 or 1.
        repeat_rate=(repeated + 0.5) / (ever + 3),
        usual_gap=ratio(span.astype(float), gaps),
        type=types,
        name=names,
    )


def counted(histories: Histories) -> Histories:
    """The same histories with their products counted."""
    return histories if histories.counts else replace(histories, counts=count_products(histories))


def count_products(histories: Histories) -> ProductCounts:
    """How many customers bought each product lately, ever and again, and in which gaps."""
    size = len(histories.products)
    tallies = [tally(histories, days) for days in (WEEK, MONTH, EVER)]
    repeated = np.bincount(histories.product[histories.times > 1], minlength=size)
    # As floats the sums are exact: they are far below 2 ** 53.
    span = np.bincount(histories.product, histories.last - histories.first, size)
    gaps = np.bincount(histories.product, histories.times - 1, size)
    table = np.array([*(bought for bought, _ in tallies), repeated, span, gaps]).astype(np.int64)
    return ProductCounts(table.reshape(6, size), np.array([active for _, active in tallies], dtype=np.int64))


def tally(histories: Histories, days: int) -> tuple[np.ndarray, int]:
    """(how many customers bought each product in the last `days` days, how many customers bought anything then)."""
    recent = histories.last > day_number(histories.day) - days
    active = int(np.count_nonzero(np.bincount(histories.customer[recent])))
    return np.bincount(histories.product[recent], minlength=len(histories.products)), active


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole; NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole != 0)

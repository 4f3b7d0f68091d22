"""A new assortment: do customers buy products that nobody bought before? Pure; level 4's tick may ask it every day.

Renamed and replaced products leave every column's distribution as it is (`drift` is blind to them), but nobody has
bought them in the last eight weeks. Measured on the real year: 10 % of the products renamed is seen on the first day
(docs/decisions/0007-the-assortment-alarm.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from shared.columns import PRODUCT
from shared.dataset.purchases import sold

Verdict = Literal["stable", "new assortment", "blind", "too few"]
KNOWN_DAYS = 56
REFERENCE_WEEKS = 4
# From this day of a shop on, each of the same weekdays in four weeks had eight weeks before it.
FIRST_JUDGED_DAY = KNOWN_DAYS + 7 * REFERENCE_WEEKS
LIMIT = 2.0
# Where so many rows are usually of products new to all, a renaming cannot be told from a usual day.
BLIND_ABOVE = 0.3


@dataclass(frozen=True)
class Assortment:
    """The verdict on a day. share, usual: of rows with a product that nobody bought for 56 days; usual: the mean of
    the same weekday in four weeks. limit: the share from which on it is new.
    """

    verdict: Verdict
    share: float | None
    usual: float | None
    limit: float | None
    days: int

    def __str__(self) -> str:
        if self.share is None:
            return "assortment: nobody bought anything"
        if self.usual is None or self.limit is None:
            of = f"{self.days} of {REFERENCE_WEEKS} same weekdays known, from day {FIRST_JUDGED_DAY} of the shop on"
            return f"assortment: too few days to judge ({of})"
        new = f"{self.share:.1%} of rows are of products that nobody bought for {KNOWN_DAYS} days"
        return f"assortment: {self.verdict}, {new} (usually {self.usual:.1%}, limit {self.limit:.1%})"


def new_share(rows: pd.DataFrame, before: pd.DataFrame) -> float | None:
    """The share of a day's rows whose product nobody bought in the rows `before` it (56 days); None for no rows.

    >>> day = pd.DataFrame({"product_id": ["a", "b"], "quantity": [1.0, 1.0]})
    >>> new_share(day, day.iloc[:1])
    0.5
    """
    bought = sold(rows)[PRODUCT]
    known = pd.Index(sold(before)[PRODUCT].unique())
    return float((known.get_indexer(bought) < 0).mean()) if len(bought) else None


def judge(share: float | None, same_weekdays: Sequence[float | None]) -> Assortment:
    """The verdict on a day's share, beside those of the same weekday in the four weeks before it."""
    known = [before for before in same_weekdays if before is not None and not math.isnan(before)]
    if share is None or len(known) < REFERENCE_WEEKS:
        return Assortment("too few", share, None, None, len(known))
    usual = float(np.mean(known))
    limit = LIMIT * usual
    verdict: Verdict = "blind" if usual > BLIND_ABOVE else "new assortment" if share > limit else "stable"
    return Assortment(verdict, share, usual, limit, len(known))

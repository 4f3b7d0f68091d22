"""The days on which customers shopped, whatever they bought. The ranker counts with them."""

from dataclasses import dataclass

import numpy as np

from shared.model.histories import Histories, decay


@dataclass(frozen=True)
class Visits:
    """v visits of n customers, sorted by customer and day: whose, and on which day (since 1970-01-01).

    until (n, d + 1): how often each customer had shopped before the day `first` + column.
    """

    customer: np.ndarray
    day: np.ndarray
    first: int
    until: np.ndarray

    def since(self, customer: np.ndarray, day: np.ndarray) -> np.ndarray:
        """How often customers shopped on or after a day each."""
        return self.until[customer, -1] - self.until[customer, day - self.first]

    def decayed(self, today: int, half_life: float) -> np.ndarray:
        """Each customer's number of visits, every one halved each `half_life` days before today (n,)."""
        return np.bincount(self.customer, decay(today - self.day, half_life), len(self.until))


def visits_of(histories: Histories) -> Visits:
    """The visits of all customers of some histories."""
    if not len(histories.days):
        nobody = np.zeros((len(histories.customers), 1), dtype=np.int32)
        return Visits(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32), 0, nobody)
    customer, _, days = histories.purchases
    first = int(histories.days.min())
    # A calendar with a tick for each day is several times as fast as sorting.
    calendar = np.zeros((len(histories.customers), int(histories.days.max()) - first + 2), dtype=bool)
    calendar[customer, days - (first - 1)] = True
    shopper, day = np.nonzero(calendar)
    return Visits(shopper, (day + first - 1).astype(np.int32), first, np.cumsum(calendar, axis=1, dtype=np.int32))

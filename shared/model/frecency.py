"""The recommenders: scikit-learn estimators that learn from transactions and rank products.

A model has two parts on two clocks. Its parameters are trained (`fit`); its customers' histories are
data that can be brought up to date without training (`refresh`).
"""

from typing import ClassVar, Self

import numpy as np

from shared.model.facts import tally
from shared.model.histories import Histories, day_number, positions, spread, weights
from shared.model.popular import LONGEST_LIST, Listed, Popular
from shared.text import count


class Frecency(Popular):
    """Recommends what the customer buys often and lately, then what is popular.

    A product's score is the customer's number of purchases, each halved every `half_life` days, plus
    `popular_weight` times the product's popularity. Products that nobody bought for `unsold_days` days are left out;
    with 0 none is.
    """

    kind: ClassVar[str] = "frecency"

    def __init__(
        self, half_life: float = 84.0, popular_weight: float = 2.0, popular_days: int = 28, unsold_days: int = 0
    ) -> None:
        super().__init__(popular_days)
        self.half_life = half_life
        self.popular_weight = popular_weight
        self.unsold_days = unsold_days

    def with_histories(self, histories: Histories) -> Self:
        """Use these histories from now on."""
        super().with_histories(histories)
        self._sells = np.full(len(self._catalogue), not self.unsold_days)
        if self.unsold_days:
            self._sells[self._in_catalogue[tally(histories, self.unsold_days)[0] > 0]] = True
            in_order = np.argsort(-self._popularity, kind="stable")
            self._by_popularity = in_order[self._sells[in_order]][:LONGEST_LIST]
        return self

    def explain(self, customer: str, product: str) -> str:
        """Why a product is recommended to a customer, in words."""
        return str(self._reasons(np.array([self._pair(customer, product)]))[0])

    def _reasons(self, pairs: np.ndarray) -> np.ndarray:
        history, reasons = self.histories_, super()._reasons(pairs)
        bought = np.flatnonzero(pairs >= 0)
        begin, end = history.ends[pairs[bought]], history.ends[pairs[bought] + 1]
        first, last = history.days[begin].astype(int), history.days[end - 1].astype(int)
        ago = day_number(history.day) - last
        for at, *facts in zip(bought, end - begin, ago, last - first, strict=True):
            reasons[at] = tell(*map(int, facts))
        return reasons

    def _pair(self, customer: str, product: str) -> int:
        history = self.histories_
        row = history.rows_of(np.array([customer.encode()]))[0]
        code = positions(history.products, np.array([product.encode()]))[0]
        if row < 0 or code < 0:
            return -1
        start, end = history.starts[row], history.starts[row + 1]
        at = int(np.searchsorted(history.product[start:end], code))
        return int(start) + at if at < end - start and history.product[start + at] == code else -1

    def _candidates(self, rows: np.ndarray, k: int) -> Listed:
        own_row, pair = pairs_of(self.histories_, rows)
        own = self._in_catalogue[self.histories_.product[pair]]
        own_row, pair, own = own_row[self._sells[own]], pair[self._sells[own]], own[self._sells[own]]
        weight = weights(self.histories_, pair, self.half_life)
        mine = Listed(own_row, own, weight + self.popular_weight * self._popularity[own], pair)
        popular = super()._candidates(rows, k)
        popular = popular._replace(score=self.popular_weight * popular.score)
        size = len(self._catalogue)
        # Pairs come by customer and product, and so do these: looking them up is cheaper than hashing them all.
        known, wanted = np.append(own_row * size + own, -1), popular.row * size + popular.product
        fresh = known[np.searchsorted(known[:-1], wanted)] != wanted
        return mine.and_also(popular.keep(fresh))


def tell(times: int, ago: int, span: int) -> str:
    """The history of a product in words; `span`: days from the first purchase to the last.

    >>> tell(3, 1, 14), tell(1, 0, 0)
    ('bought 3 times, last 1 day ago, every 7 days', 'bought 1 time, last 0 days ago')
    """
    every = round(span / (times - 1)) if times > 1 else 0
    text = f"bought {count(times, 'time')}, last {count(ago, 'day')} ago"
    return f"{text}, every {count(every, 'day')}" if every else text


def pairs_of(histories: Histories, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of the customers at `rows` (-1 for unknown): (index into rows, index of the pair)."""
    known = np.flatnonzero(rows >= 0)
    row, pair = spread(histories.starts, rows[known])
    return known[row], pair

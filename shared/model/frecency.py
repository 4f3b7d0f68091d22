"""The recommenders: scikit-learn estimators that learn from transactions and rank products.

A model has two parts on two clocks. Its parameters are trained (`fit`); its customers' histories are
data that can be brought up to date without training (`refresh`).
"""

from datetime import date
from typing import ClassVar

import numpy as np
import pandas as pd

from shared.model.histories import Histories, day_number, gather, positions, spread
from shared.model.popular import Popular
from shared.text import count


class Frecency(Popular):
    """Recommends what the customer buys often and lately, then what is popular.

    A product's score is the customer's number of purchases, each halved every `half_life` days, plus
    `popular_weight` times the product's popularity.
    """

    kind: ClassVar[str] = "frecency"

    def __init__(self, half_life: float = 84.0, popular_weight: float = 2.0, popular_days: int = 28) -> None:
        super().__init__(popular_days)
        self.half_life = half_life
        self.popular_weight = popular_weight

    def explain(self, customer: str, product: str) -> str:
        """Why a product is recommended to a customer, in words."""
        pair = self._pair(customer, product)
        if pair is None:
            return super().explain(customer, product)
        history = self.histories_
        times = int(history.times[pair])
        ago = day_number(history.day) - int(history.last[pair])
        text = f"bought {count(times, 'time')}, last {count(ago, 'day')} ago"
        if times > 1:
            every = round(int(history.last[pair] - history.first[pair]) / (times - 1))
            text += f", every {count(every, 'day')}" if every else ""
        return text

    def _gather(self, transactions: pd.DataFrame, as_of: date) -> Histories:
        return gather(transactions, as_of, self.half_life)

    def _pair(self, customer: str, product: str) -> int | None:
        history = self.histories_
        row, code = (
            history.rows_of(np.array([customer.encode()])),
            positions(history.products, np.array([product.encode()])),
        )
        if row[0] < 0 or code[0] < 0:
            return None
        start, end = history.starts[row[0]], history.starts[row[0] + 1]
        at = int(np.searchsorted(history.product[start:end], code[0]))
        return start + at if at < end - start and history.product[start + at] == code[0] else None

    def _candidates(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        own_row, pair = pairs_of(self.histories_, rows)
        own = self._own_product[pair]
        own_score = self.histories_.weight[pair] + self.popular_weight * self._popularity[own]
        row, product, score = super()._candidates(rows, k)
        size = len(self._catalogue)
        fresh = ~np.isin(row * size + product, own_row * size + own)
        return (
            np.concatenate([own_row, row[fresh]]),
            np.concatenate([own, product[fresh]]),
            np.concatenate([own_score, self.popular_weight * score[fresh]]),
        )


def pairs_of(histories: Histories, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of the customers at `rows` (-1 for unknown): (index into rows, index of the pair)."""
    known = np.flatnonzero(rows >= 0)
    row, pair = spread(histories.starts, rows[known])
    return known[row], pair

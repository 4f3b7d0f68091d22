"""The recommenders: scikit-learn estimators that learn from transactions and rank products.

A model has two parts on two clocks. Its parameters are trained (`fit`); its customers' histories are
data that can be brought up to date without training (`refresh`).
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from shared.columns import CUSTOMER, LISTS, PRODUCT, RANK, SCORE
from shared.dataset import sold, split_by_time
from shared.histories import Histories, day_number, day_numbers, gather, positions, spread, to_bytes

LONGEST_LIST = 100


class Popular(BaseEstimator):
    """Recommends to everybody what most customers bought in the last weeks."""

    kind: ClassVar[str] = "popular"

    def __init__(self, popular_days: int = 28) -> None:
        self.popular_days = popular_days

    def fit(self, transactions: pd.DataFrame, y: None = None, *, as_of: date | None = None) -> Self:
        """Learn from the transactions through `as_of` (their last day, if not given)."""
        as_of = as_of or last_day(transactions)
        self.trained_through_ = as_of
        self.products_, self.popularity_ = popularity(transactions, as_of, self.popular_days)
        return self.refresh(transactions, as_of=as_of)

    def refresh(self, transactions: pd.DataFrame, *, as_of: date | None = None) -> Self:
        """Bring the customers' histories up to date; the parameters stay."""
        as_of = as_of or last_day(transactions)
        return self.with_histories(self._gather(transactions, as_of))

    def with_histories(self, histories: Histories) -> Self:
        """Use these histories from now on."""
        self.histories_ = histories
        self._catalogue = np.union1d(self.products_, histories.products)
        self._popularity = np.zeros(len(self._catalogue))
        self._popularity[positions(self._catalogue, self.products_)] = self.popularity_
        self._by_popularity = np.argsort(-self._popularity, kind="stable")[:LONGEST_LIST]
        self._own_product = positions(self._catalogue, histories.products)[histories.product]
        return self

    def recommend(self, customers: Iterable[str], k: int = 10) -> pd.DataFrame:
        """The k best products for each customer, as a table of lists; ties go by product identifier.

        An unknown customer gets the popular products. A catalogue of fewer than k gives shorter lists.
        """
        check_is_fitted(self)
        names = list(customers)
        k = min(k, LONGEST_LIST)
        wanted = np.array([name.encode() for name in names], dtype=np.bytes_)
        row, product, score = self._candidates(self.histories_.rows_of(wanted), k)
        order = np.lexsort((product, -score, row))
        row, product, score = row[order], product[order], score[order]
        rank = np.arange(len(row)) - np.searchsorted(row, row) + 1
        best = rank <= k
        return pd.DataFrame(
            {
                CUSTOMER: np.array(names, dtype=object)[row[best]],
                PRODUCT: np.char.decode(self._catalogue[product[best]], "utf-8").astype(object),
                RANK: rank[best],
                SCORE: score[best],
            }
        )[LISTS]

    def explain(self, customer: str, product: str) -> str:
        """Why a product is recommended to a customer, in words."""
        return f"popular in the last {self.popular_days} days"

    def parameters(self) -> dict[str, np.ndarray]:
        """The trained part, as a bundle stores it."""
        return {"products": self.products_, "popularity": self.popularity_}

    def with_parameters(self, parameters: dict[str, np.ndarray]) -> Self:
        """Take over what another was taught."""
        for name, value in parameters.items():
            setattr(self, f"{name}_", value)
        return self

    def _gather(self, transactions: pd.DataFrame, as_of: date) -> Histories:
        return gather(transactions.iloc[:0], as_of, half_life=1.0)

    def _candidates(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        top = self._by_popularity[:k]
        row = np.repeat(np.arange(len(rows)), len(top))
        product = np.tile(top, len(rows))
        return row, product, self._popularity[product]


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


def last_day(transactions: pd.DataFrame) -> date:
    """The day of the latest transaction."""
    return date.fromordinal(int(day_numbers(transactions).max()) + date(1970, 1, 1).toordinal())


def popularity(transactions: pd.DataFrame, as_of: date, days: int) -> tuple[np.ndarray, np.ndarray]:
    """(products, share of the active customers who bought each) over the last `days` days, products sorted."""
    recent = split_by_time(sold(transactions), as_of - timedelta(days=days))[1]
    pairs = recent[[CUSTOMER, PRODUCT]].drop_duplicates()
    product, products = to_bytes(pairs[PRODUCT])
    return products, np.bincount(product, minlength=len(products)) / max(pairs[CUSTOMER].nunique(), 1)


def pairs_of(histories: Histories, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of the customers at `rows` (-1 for unknown): (index into rows, index of the pair)."""
    known = np.flatnonzero(rows >= 0)
    row, pair = spread(histories.starts, rows[known])
    return known[row], pair


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "day"), count(2, "day")
    ('1 day', '2 days')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

"""The model that recommends to everybody what most customers bought in the last weeks; the base of the others.

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
from shared.dataset.purchases import sold
from shared.dataset.time_split import split_by_time
from shared.model.histories import Histories, day_numbers, gather, positions, to_bytes

LONGEST_LIST = 100


class Popular(BaseEstimator):
    """Recommends to everybody what most customers bought in the last weeks."""

    kind: ClassVar[str] = "popular"

    def __init__(self, popular_days: int = 28) -> None:
        self.popular_days = popular_days

    def fit(
        self,
        transactions: pd.DataFrame,
        y: None = None,
        *,
        as_of: date | None = None,
        products: pd.DataFrame | None = None,
    ) -> Self:
        """Learn from the transactions through `as_of` (their last day, if not given); `products`: the catalogue."""
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

    def evidence(self) -> dict[str, str]:
        """What there is to say of how it was trained, for whoever judges it."""
        return {}

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


def last_day(transactions: pd.DataFrame) -> date:
    """The day of the latest transaction."""
    return date.fromordinal(int(day_numbers(transactions).max()) + date(1970, 1, 1).toordinal())


def popularity(transactions: pd.DataFrame, as_of: date, days: int) -> tuple[np.ndarray, np.ndarray]:
    """(products, share of the active customers who bought each) over the last `days` days, products sorted."""
    recent = split_by_time(sold(transactions), as_of - timedelta(days=days))[1]
    pairs = recent[[CUSTOMER, PRODUCT]].drop_duplicates()
    product, products = to_bytes(pairs[PRODUCT])
    return products, np.bincount(product, minlength=len(products)) / max(pairs[CUSTOMER].nunique(), 1)

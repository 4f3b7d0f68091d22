"""The model that recommends to everybody what most customers bought in the last weeks; the base of the others.

A model has two parts on two clocks. Its parameters are trained (`fit`); its customers' histories are
data that can be brought up to date without training (`refresh`).
"""

from collections.abc import Iterable
from datetime import date
from typing import ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from shared.columns import CUSTOMER, PRODUCT, RANK, REASON, SCORE
from shared.model.facts import counted, tally
from shared.model.histories import Histories, day_numbers, gather, positions, union
from shared.model.lessons import KeptLessons
from shared.text import count

LONGEST_LIST = 100


class Listed(NamedTuple):
    """Products that may be listed, arrays (c,): whose (index into those asked for), which (of the catalogue), how good.

    pair: the customer's pair with the product in the histories; -1 for one never bought.
    """

    row: np.ndarray
    product: np.ndarray
    score: np.ndarray
    pair: np.ndarray

    def keep(self, wanted: np.ndarray) -> Self:
        """Some of them."""
        return type(self)(*(column[wanted] for column in self))

    def and_also(self, others: Self) -> Self:
        """These and the others."""
        return type(self)(*map(np.concatenate, zip(self, others, strict=True)))


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
        kept: KeptLessons | None = None,
    ) -> Self:
        """Learn from the transactions through `as_of` (their last day, if not given).

        products: the catalogue; kept: where the lessons of earlier trainings lie. Not every model asks for them.
        """
        return self.learn(gather(transactions, as_of or last_day(transactions)), products, kept)

    def learn(
        self, histories: Histories, products: pd.DataFrame | None = None, kept: KeptLessons | None = None
    ) -> Self:
        """Learn from histories, as `fit` does from the transactions that they were gathered from."""
        self.trained_through_ = histories.day
        self.products_, self.popularity_ = popularity(histories, self.popular_days)
        return self.with_histories(histories)

    def refresh(self, transactions: pd.DataFrame, *, as_of: date | None = None) -> Self:
        """Bring the customers' histories up to date; the parameters stay."""
        return self.with_histories(gather(transactions, as_of or last_day(transactions)))

    def with_histories(self, histories: Histories) -> Self:
        """Use these histories from now on."""
        self.histories_ = counted(histories)
        self._catalogue = union(histories.products, self.products_)
        self._popularity = np.zeros(len(self._catalogue))
        self._popularity[positions(self._catalogue, self.products_)] = self.popularity_
        self._by_popularity = np.argsort(-self._popularity, kind="stable")[:LONGEST_LIST]
        self._in_catalogue = positions(self._catalogue, histories.products)
        return self

    def recommend(self, customers: Iterable[str], k: int = 10, reasons: bool = False) -> pd.DataFrame:
        """The k best products for each customer, as a table of lists; ties go by product identifier.

        An unknown customer gets the popular products. A catalogue of fewer than k gives shorter lists.
        With `reasons`, the table says in words why each product is in its list.
        """
        check_is_fitted(self)
        names = list(customers)
        k = min(k, LONGEST_LIST)
        wanted = np.array([name.encode() for name in names], dtype=np.bytes_)
        found = self._candidates(self.histories_.rows_of(wanted), k)
        order = np.lexsort((found.product, -found.score, found.row))
        row = found.row[order]
        rank = np.arange(len(row)) - np.searchsorted(row, row) + 1
        best = found.keep(order[rank <= k])
        lists = {
            CUSTOMER: np.array(names, dtype=object)[best.row],
            PRODUCT: np.char.decode(self._catalogue[best.product], "utf-8").astype(object),
            RANK: rank[rank <= k],
            SCORE: best.score,
        }
        return pd.DataFrame(lists | {REASON: self._reasons(best.pair)} if reasons else lists)

    def explain(self, customer: str, product: str) -> str:
        """Why a product is recommended to a customer, in words."""
        return str(self._reasons(np.array([-1]))[0])

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

    def _reasons(self, pairs: np.ndarray) -> np.ndarray:
        """Why products are listed, in words, given the pairs of the customers with them (-1: never bought)."""
        return np.full(len(pairs), f"popular in the last {count(self.popular_days, 'day')}", dtype=object)

    def _candidates(self, rows: np.ndarray, k: int) -> Listed:
        top = self._by_popularity[:k]
        product = np.tile(top, len(rows))
        return Listed(
            row=np.repeat(np.arange(len(rows)), len(top)),
            product=product,
            score=self._popularity[product],
            pair=np.full(len(product), -1),
        )


def last_day(transactions: pd.DataFrame) -> date:
    """The day of the latest transaction."""
    return date.fromordinal(int(day_numbers(transactions).max()) + date(1970, 1, 1).toordinal())


def popularity(histories: Histories, days: int) -> tuple[np.ndarray, np.ndarray]:
    """(products, share of the active customers who bought each) over the last `days` days, products sorted."""
    bought, active = tally(histories, days)
    lately = np.flatnonzero(bought)
    return histories.products[lately], bought[lately] / max(active, 1)

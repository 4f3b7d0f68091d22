"""What each customer bought so far: data, refreshed daily, apart from a model's parameters.

One row per pair (customer, product), grouped by customer, in arrays that a bundle can hold.
"""

from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np
import pandas as pd

from shared.columns import CUSTOMER, PRODUCT, TIME
from shared.dataset.purchases import sold

EPOCH = date(1970, 1, 1)
Purchases = tuple[np.ndarray, np.ndarray, np.ndarray]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_numbers(transactions: pd.DataFrame) -> np.ndarray:
    """Each row's day as days since 1970-01-01."""
    return transactions[TIME].to_numpy().astype("datetime64[D]").astype(np.int32)


@dataclass(frozen=True)
class Histories:
    """Purchases of n customers as m pairs with p distinct products, known through a day.

    customers (n,) and products (p,) are sorted bytes; starts (n + 1,) delimits each customer's pairs.
    Per pair: product (index into products), times (baskets with it), first and last (days since
    1970-01-01), weight (times, each purchase halved every `half_life` days before `through`).
    Per purchase, in the order of the pairs: days (since 1970-01-01).
    """

    through: np.ndarray
    half_life: np.ndarray
    customers: np.ndarray
    products: np.ndarray
    starts: np.ndarray
    product: np.ndarray
    times: np.ndarray
    first: np.ndarray
    last: np.ndarray
    weight: np.ndarray
    days: np.ndarray

    @property
    def customer(self) -> np.ndarray:
        """Each pair's customer, as an index."""
        return np.repeat(np.arange(len(self.customers)), np.diff(self.starts))

    @property
    def day(self) -> date:
        """The last day that these histories know of."""
        return date.fromisoformat(str(self.through.astype("datetime64[D]")))

    def rows_of(self, customers: np.ndarray) -> np.ndarray:
        """Positions of customers (bytes); -1 for the unknown."""
        return positions(self.customers, customers)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, as a bundle stores them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def positions(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each of `wanted` stands in the sorted `known`; -1 where it does not.

    >>> positions(np.array([b"a", b"c"]), np.array([b"c", b"b"])).tolist()
    [1, -1]
    """
    if not len(known):
        return np.full(len(wanted), -1)
    found = np.searchsorted(known, wanted).clip(max=len(known) - 1)
    return np.where(known[found] == wanted, found, -1)


def to_bytes(names: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """(codes, sorted distinct names as UTF-8 bytes)."""
    codes, distinct = pd.factorize(names)
    encoded = np.array([str(name).encode() for name in distinct], dtype=np.bytes_)
    order = np.argsort(encoded, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes], encoded[order]


def gather(transactions: pd.DataFrame, through: date, half_life: float) -> Histories:
    """Histories through a day; purchases with a quantity of zero or less do not count."""
    bought = sold(transactions)
    customer, customers = to_bytes(bought[CUSTOMER])
    product, products = to_bytes(bought[PRODUCT])
    day = day_numbers(bought)
    order = np.lexsort((day, product, customer))
    return collect(customers, products, (customer[order], product[order], day[order]), through, half_life)


def collect(
    customers: np.ndarray, products: np.ndarray, purchases: Purchases, through: date, half_life: float
) -> Histories:
    """Histories from purchases sorted by customer, product and day."""
    customer, product, day = purchases
    new_pair = np.ones(len(day), dtype=bool)
    new_pair[1:] = (np.diff(customer) != 0) | (np.diff(product) != 0)
    pair = np.flatnonzero(new_pair)
    ends = np.append(pair, len(day))[1:]
    age = day_number(through) - day
    return Histories(
        through=np.array(through, dtype="datetime64[D]").astype("datetime64[s]"),
        half_life=np.array(float(half_life)),
        customers=customers,
        products=products,
        starts=np.searchsorted(customer[pair], np.arange(len(customers) + 1)).astype(np.int64),
        product=product[pair].astype(np.int32),
        times=(ends - pair).astype(np.int32),
        first=day[pair],
        last=day[ends - 1],
        weight=np.add.reduceat(0.5 ** (age / half_life), pair),
        days=day.astype(np.uint16),
    )


def rewind(histories: Histories, through: date) -> Histories:
    """What the histories were on an earlier day, for the same customers and products."""
    customer, product, day = purchases_of(histories)
    known = day <= day_number(through)
    purchases = (customer[known], product[known], day[known])
    return collect(histories.customers, histories.products, purchases, through, float(histories.half_life))


def purchases_of(histories: Histories) -> Purchases:
    """(customer, product, day) of every purchase; customer and product are indices."""
    customer = np.repeat(histories.customer, histories.times)
    return customer, np.repeat(histories.product, histories.times), histories.days.astype(np.int32)


def select(histories: Histories, rows: np.ndarray) -> Histories:
    """The histories of the customers at `rows` only, in that order."""
    row, pair = spread(histories.starts, rows)
    ends = np.append(0, np.cumsum(histories.times, dtype=np.int64))
    return replace(
        histories,
        customers=histories.customers[rows],
        starts=np.searchsorted(row, np.arange(len(rows) + 1)),
        **{name: getattr(histories, name)[pair] for name in ("product", "times", "first", "last", "weight")},
        days=histories.days[spread(ends, pair)[1]],
    )


def spread(starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All members of the groups at `rows`, where `starts` delimits groups: (index into rows, index of the member).

    >>> [found.tolist() for found in spread(np.array([0, 2, 5]), np.array([1, 0]))]
    [[0, 0, 0, 1, 1], [2, 3, 4, 0, 1]]
    """
    start = starts[rows]
    length = starts[rows + 1] - start
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    return np.repeat(np.arange(len(rows)), length), np.repeat(start, length) + within

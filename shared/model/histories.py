"""What each customer bought so far: data, refreshed daily, apart from a model's parameters.

One row per pair (customer, product), grouped by customer, in arrays that a bundle holds and a service maps into its
memory. They hold the days of purchases and no weights: how fast a purchase is forgotten is a model's parameter.
"""

from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from shared.columns import CUSTOMER, PRODUCT, TIME
from shared.dataset.purchases import sold

EPOCH = date(1970, 1, 1)
DAY_BITS = 16
Purchases = tuple[np.ndarray, np.ndarray, np.ndarray]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_numbers(transactions: pd.DataFrame) -> np.ndarray:
    """Each row's day as days since 1970-01-01."""
    return transactions[TIME].to_numpy().astype("datetime64[D]").astype(np.int32)


@dataclass(frozen=True)
class ProductCounts:
    """What all customers did with each of p products: counted when histories change, not when a list is asked for.

    table (6, p): customers who bought it in the last week, month and ever; customers who bought it again; and of
    those, days from the first to the last purchase, and gaps between purchases. active (3,): customers who bought
    anything in the last week, month and ever.
    """

    table: np.ndarray
    active: np.ndarray


@dataclass(frozen=True)
class Histories:
    """Purchases of n customers as m pairs with p distinct products, known through `day`.

    customers (n,) and products (p,) are sorted bytes; starts (n + 1,) delimits each customer's pairs.
    Per pair: product, as an index. ends (m + 1,) delimits each pair's purchases, oldest first.
    Per purchase: days (since 1970-01-01). counts: what is known of the products, where it was counted.
    """

    day: date
    customers: np.ndarray
    products: np.ndarray
    starts: np.ndarray
    product: np.ndarray
    ends: np.ndarray
    days: np.ndarray
    counts: ProductCounts | None = None

    def __reduce__(self) -> tuple[type, tuple]:
        """Pickled without what can be computed again."""
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    @cached_property
    def customer(self) -> np.ndarray:
        """Each pair's customer, as an index."""
        return np.repeat(np.arange(len(self.customers)), np.diff(self.starts))

    @cached_property
    def times(self) -> np.ndarray:
        """How often each pair's product was bought."""
        return np.diff(self.ends)

    @cached_property
    def first(self) -> np.ndarray:
        """Each pair's first day."""
        return self.days[self.ends[:-1]].astype(np.int32)

    @cached_property
    def last(self) -> np.ndarray:
        """Each pair's last day."""
        return self.days[self.ends[1:] - 1].astype(np.int32)

    @cached_property
    def purchases(self) -> Purchases:
        """(customer, product, day) of every purchase; customer and product are indices."""
        customer = np.repeat(self.customer, self.times)
        return customer, np.repeat(self.product, self.times), self.days.astype(np.int32)

    def rows_of(self, customers: np.ndarray) -> np.ndarray:
        """Positions of customers (bytes); -1 for the unknown."""
        return positions(self.customers, customers)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, as a bundle stores them; the day and the counts are apart."""
        return {name: getattr(self, name) for name in ARRAYS}


ARRAYS = ("customers", "products", "starts", "product", "ends", "days")


def positions(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each of `wanted` stands in the sorted `known` (both bytes); -1 where it does not.

    >>> positions(np.array([b"a", b"c"]), np.array([b"c", b"b", b"a longer one"])).tolist()
    [1, -1, -1]
    """
    if not len(known) or not len(wanted):
        return np.full(len(wanted), -1)
    # Words of another width would be compared by way of a copy of all that is known.
    asked = wanted.astype(known.dtype)
    found = np.searchsorted(known, asked).clip(max=len(known) - 1)
    return np.where((known[found] == asked) & (asked == wanted), found, -1)


def union(known: np.ndarray, more: np.ndarray) -> np.ndarray:
    """The sorted union of sorted distinct names (both bytes); `known` itself where nothing is new.

    NumPy's own hashes and sorts all names anew: ten milliseconds, each time that a model takes histories.

    >>> union(np.array([b"a", b"c"]), np.array([b"a", b"bread", b"d"])).tolist()
    [b'a', b'bread', b'c', b'd']
    """
    new = more[positions(known, more) < 0]
    if not len(new) or not len(known):
        return new if len(new) else known
    return np.insert(known.astype(np.promote_types(known.dtype, new.dtype)), np.searchsorted(known, new), new)


def to_bytes(names: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """(codes, sorted distinct names as UTF-8 bytes)."""
    codes, distinct = pd.factorize(names)
    encoded = np.array([str(name).encode() for name in distinct], dtype=np.bytes_)
    order = np.argsort(encoded, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes], encoded[order]


def gather(transactions: pd.DataFrame, through: date) -> Histories:
    """Histories through a day; purchases with a quantity of zero or less do not count, nor do later ones."""
    bought = known_by(transactions, through)
    customer, customers = to_bytes(bought[CUSTOMER])
    product, products = to_bytes(bought[PRODUCT])
    # One number per purchase: its order is that of customer, product and day, and sorting it is fast.
    pair = np.sort((customer * len(products) + product) << DAY_BITS | day_numbers(bought))
    day, pair = pair & ((1 << DAY_BITS) - 1), pair >> DAY_BITS
    return collect(customers, products, (pair // max(len(products), 1), pair % max(len(products), 1), day), through)


def known_by(transactions: pd.DataFrame, through: date) -> pd.DataFrame:
    """The purchases among transactions through a day."""
    bought = sold(transactions)
    early = day_numbers(bought) <= day_number(through)
    return bought if early.all() else bought[early]


def collect(customers: np.ndarray, products: np.ndarray, purchases: Purchases, through: date) -> Histories:
    """Histories from purchases sorted by customer, product and day."""
    customer, product, day = purchases
    new_pair = np.ones(len(day), dtype=bool)
    new_pair[1:] = (np.diff(customer) != 0) | (np.diff(product) != 0)
    pair = np.flatnonzero(new_pair)
    return Histories(
        day=through,
        customers=customers,
        products=products,
        starts=np.searchsorted(customer[pair], np.arange(len(customers) + 1)).astype(np.int64),
        product=product[pair].astype(np.int32),
        ends=np.append(pair, len(day)).astype(np.int64),
        days=day.astype(np.uint16),
    )


def rewind(histories: Histories, through: date) -> Histories:
    """What the histories were on an earlier day, for the same customers and products."""
    customer, product, day = histories.purchases
    known = day <= day_number(through)
    return collect(histories.customers, histories.products, (customer[known], product[known], day[known]), through)


def select(histories: Histories, rows: np.ndarray) -> Histories:
    """The histories of the customers at `rows` only, in that order."""
    row, pair = spread(histories.starts, rows)
    of_pair, purchase = spread(histories.ends, pair)
    return replace(
        histories,
        customers=histories.customers[rows],
        starts=np.searchsorted(row, np.arange(len(rows) + 1)),
        product=histories.product[pair],
        ends=np.searchsorted(of_pair, np.arange(len(pair) + 1)),
        days=histories.days[purchase],
        counts=None,
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


def weights(histories: Histories, pairs: np.ndarray, half_life: float) -> np.ndarray:
    """Each pair's number of purchases, every one halved each `half_life` days before the histories' day."""
    pair, purchase = spread(histories.ends, pairs)
    age = day_number(histories.day) - histories.days[purchase].astype(np.int32)
    return np.bincount(pair, decay(age, half_life), len(pairs))


def decay(age: np.ndarray, half_life: float) -> np.ndarray:
    """1, halved every `half_life` days of age. By a table: the same age gives the same bits in every company."""
    return decay_table(half_life)[age.clip(0)]


@lru_cache(maxsize=16)
def decay_table(half_life: float) -> np.ndarray:
    """`decay` of every age that a day's number allows."""
    return 0.5 ** (np.arange(1 << DAY_BITS) / half_life)

"""Has the shop changed? Pure: baskets of two windows go in, a verdict on each of their columns comes out.

Level 3's report asks it for a week, level 4's tick for a day. Rows of one basket are not independent, so the unit is a
basket; the reference is the same weekdays of the four weeks before; numbers are cut into the reference's quantiles.
`docs/reference/drift.md` has the limits and how they were found.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from shared.columns import AMOUNT, BASKET, CUSTOMER, DEPARTMENT, PRODUCT, STORE, TIME, UNKNOWN
from shared.dataset.purchases import sold
from shared.text import count

Verdict = Literal["stable", "drift", "too few", "constant", "silent"]
REFERENCE_WEEKS = 4
MOST_DAYS = 7
OTHER = "other"
# Baskets for each bin beyond the first.
BASKETS_A_BIN = 25
# So many, of two days or more, are still judged in two bins, by the limit that chance then sets.
FEWEST_BASKETS = 15
# So many baskets must be expected in each bin: of fewer chance leaves it empty now and then, and an empty bin alone is
# a high PSI. Two halves are fine with fewer.
LEAST_EXPECTED = 10
# Among so many baskets an empty bin weighs little, and shops have many stores, each with a small share.
MANY_BASKETS, LEAST_OF_MANY = 200, 3
NEARLY_HALF = 0.45
# How rarely chance alone may exceed the limit, as a normal quantile: for two bins and, less per bin, for ten or more.
# Few bins have a heavier tail than chi-squared; simulated, it is 1 to 4 of 100,000 windows for few bins.
RARE, RARE_PER_BIN, MOST_RARE = 4.4, 0.07, 10


@dataclass(frozen=True)
class Column:
    """A column that is watched: its largest number of bins, and the PSI from which on it has drifted."""

    bins: int
    limit: float


COLUMNS: dict[str, Column] = {
    "basket_size": Column(10, 0.1),
    "amount": Column(10, 0.1),
    "amount_per_product": Column(10, 0.1),
    "department": Column(21, 0.1),
    "hour": Column(10, 0.1),
    "store": Column(21, 0.2),
}


@dataclass(frozen=True)
class ColumnDrift:
    """The verdict on a column. value: the PSI, None where there is none; baskets: of the window, of `days` days.

    limit: the column's own, or higher, where few baskets make a higher PSI by chance. too few: fewer than
    `needed` baskets. constant: one and the same value in both windows. silent: the values have stopped coming.
    """

    column: str
    verdict: Verdict
    value: float | None
    limit: float
    bins: int
    baskets: int
    days: int = 1
    needed: int = 0

    @property
    def had(self) -> str:
        """The baskets that there were, and from how many on the column can be judged."""
        found = f"{count(self.baskets, 'basket')} in {count(self.days, 'day')}"
        return f"{found}, from {self.needed} on it can be judged"

    @property
    def in_words(self) -> str:
        """The verdict with its numbers."""
        if self.verdict == "too few":
            return f"too few to judge ({self.had})"
        if self.value is None:
            return self.verdict
        of = f"{count(self.baskets, 'basket')} of {count(self.days, 'day')}, {self.bins} bins"
        return f"{self.verdict}, PSI {self.value:.2f}, limit {self.limit:.2f} ({of})"

    def __str__(self) -> str:
        return f"{self.column}: {self.in_words}"


@dataclass(frozen=True)
class Window:
    """Baskets as `describe` makes them: `current` of the last `days` days, `reference` of the weeks before."""

    current: pd.DataFrame
    reference: pd.DataFrame
    days: int = 1


def describe(transactions: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """One row per basket: the columns of `COLUMNS`. Its department is the one with most of its products."""
    rows = sold(transactions)
    department = rows[PRODUCT].map(products.drop_duplicates(PRODUCT).set_index(PRODUCT)[DEPARTMENT]).fillna(UNKNOWN)
    rows = rows.assign(**{DEPARTMENT: department.astype(str)})
    baskets = rows.groupby([CUSTOMER, BASKET], sort=True)
    of = baskets.agg(basket_size=(PRODUCT, "size"), amount=(AMOUNT, "sum"), time=(TIME, "min"), store=(STORE, "first"))
    sizes = rows.groupby([CUSTOMER, BASKET, DEPARTMENT]).size().sort_values(ascending=False, kind="stable")
    main = sizes.reset_index().drop_duplicates([CUSTOMER, BASKET]).set_index([CUSTOMER, BASKET])[DEPARTMENT]
    time = of["time"].dt
    return pd.DataFrame(
        {
            "basket_size": of["basket_size"].astype(float),
            "amount": of["amount"].astype(float),
            "amount_per_product": of["amount"] / of["basket_size"],
            "department": main.reindex(of.index).astype(str),
            "hour": time.hour + time.minute / 60,
            "store": of["store"].astype(str),
        }
    ).reset_index(drop=True)


def window(day: date, baskets_of: Callable[[date], pd.DataFrame]) -> Window:
    """A day, or as many days through it as it takes to judge anything, at most a week; and their reference."""
    days = [day]
    current = [baskets_of(day)]
    while len(current[0]) and len(days) < MOST_DAYS and not enough(sum(map(len, current)), len(days)):
        days.append(days[-1] - timedelta(days=1))
        current.append(baskets_of(days[-1]))
    before = [each - timedelta(weeks=week) for each in days for week in range(1, REFERENCE_WEEKS + 1)]
    return Window(pd.concat(current), pd.concat([baskets_of(each) for each in before]), len(days))


def enough(baskets: int, days: int) -> bool:
    """True if so many baskets of so many days can be judged: a change is to be found on its second day."""
    return baskets >= (BASKETS_A_BIN if days == 1 else FEWEST_BASKETS)


def judge(seen: Window, columns: Mapping[str, Column] = COLUMNS) -> list[ColumnDrift]:
    """The verdict on each column."""
    return [judge_column(name, column, seen) for name, column in columns.items()]


def judge_column(name: str, column: Column, seen: Window) -> ColumnDrift:
    """The verdict on one column."""
    current, reference = seen.current[name].dropna(), seen.reference[name].dropna()
    n, m = len(current), len(reference)

    def found(verdict: Verdict, value: float | None = None, **more: Any) -> ColumnDrift:
        return ColumnDrift(
            name, verdict, value, **{"limit": column.limit, "bins": 0, **more}, baskets=n, days=seen.days
        )

    if m and 2 * n < len(seen.current) and len(seen.current) >= FEWEST_BASKETS:
        return found("silent")
    if min(n, m) < (needed := baskets_needed(reference)):
        return found("too few", needed=needed)
    bins = cut(current, reference, column)
    if bins.number < 2:
        return found("constant", 0.0, bins=bins.number)
    value, limit = psi(bins.current, bins.reference), max(column.limit, by_chance(bins.number, n, m))
    return found("drift" if value > limit else "stable", value, limit=limit, bins=bins.number)


def baskets_needed(reference: pd.Series) -> int:
    """From how many baskets on a column can be judged, in two bins that each have enough."""
    shares = reference.value_counts(normalize=True)
    if len(shares) < 2:
        return FEWEST_BASKETS
    below = shares.sort_index().cumsum() if pd.api.types.is_numeric_dtype(reference) else shares.iloc[:1]
    smaller = float(np.minimum(below, 1 - below).max())
    if smaller >= NEARLY_HALF:
        return FEWEST_BASKETS
    of_many = max(MANY_BASKETS, math.ceil(LEAST_OF_MANY / smaller))
    return max(FEWEST_BASKETS, min(of_many, math.ceil(LEAST_EXPECTED / smaller)))


def least_share(baskets: int) -> float:
    """The share of the reference that a bin must have, for so many baskets of the window."""
    return min((LEAST_EXPECTED if baskets < MANY_BASKETS else LEAST_OF_MANY) / baskets, NEARLY_HALF)


@dataclass(frozen=True)
class Bins:
    """Two windows in the same bins: for each basket the number of its bin, below `len(names)`."""

    names: list[str]
    current: np.ndarray
    reference: np.ndarray

    @property
    def number(self) -> int:
        """How many bins hold any basket."""
        return len(np.union1d(self.current, self.reference))


def cut(current: pd.Series, reference: pd.Series, column: Column) -> Bins:
    """Both windows in bins: the reference's quantiles, or its most common values and `other`."""
    most = min(column.bins, max(2, 1 + min(len(current), len(reference)) // BASKETS_A_BIN))
    if pd.api.types.is_numeric_dtype(reference) and reference.nunique() > 1:
        return by_quantile(current.to_numpy(), reference.to_numpy(), most)
    return by_value(current, reference, most)


def by_quantile(current: np.ndarray, reference: np.ndarray, most: int) -> Bins:
    """Numbers by how many of the reference's quantiles they exceed; of equal numbers there are fewer quantiles."""
    edges, ordered, least = [], np.sort(reference), least_share(len(current))
    below = 0.0
    for edge in np.unique(np.quantile(reference, np.arange(1, most) / most)):
        share = np.searchsorted(ordered, edge, side="right") / len(ordered)
        if share - below >= least and 1 - share >= least:
            edges.append(float(edge))
            below = share
    edges = edges or [best_split(ordered)]
    ends = [f"up to {edges[0]:.4g}", *(f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges))]
    names = [f"{number:02} {end}" for number, end in enumerate([*ends, f"over {edges[-1]:.4g}"], start=1)]
    return Bins(names, np.searchsorted(edges, current), np.searchsorted(edges, reference))


def best_split(ordered: np.ndarray) -> float:
    """The value up to which the share of sorted numbers is nearest to a half."""
    values, counts = np.unique(ordered, return_counts=True)
    return float(values[np.abs(np.cumsum(counts[:-1]) / len(ordered) - 0.5).argmin()])


def by_value(current: pd.Series, reference: pd.Series, most: int) -> Bins:
    """Values by themselves where they are among the reference's most common, else `other`."""
    shares, least = reference.value_counts(normalize=True), least_share(len(current))
    common = shares.index[shares >= least][: most - 1]
    if len(common) > 1 and 0 < 1 - shares[common].sum() < least:
        common = common[:-1]  # or `other` would be too rare
    common = common if len(common) else shares.index[:1]
    ours, theirs = (common.get_indexer(side) for side in (current, reference))
    names = [*(f"{number:02} {value}" for number, value in enumerate(common, start=1)), OTHER]
    return Bins(names, np.where(ours < 0, len(common), ours), np.where(theirs < 0, len(common), theirs))


def labelled(seen: Window, found: Iterable[ColumnDrift]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both windows, cut into the bins that the judged columns were judged by, for a page."""
    judged = [column.column for column in found if column.value is not None]
    bins = {name: cut(seen.current[name].dropna(), seen.reference[name].dropna(), COLUMNS[name]) for name in judged}
    ours = {name: pd.Series(np.array(of.names)[of.current]) for name, of in bins.items()}
    theirs = {name: pd.Series(np.array(of.names)[of.reference]) for name, of in bins.items()}
    return pd.DataFrame(ours), pd.DataFrame(theirs)


def drifted(found: Iterable[ColumnDrift]) -> list[str]:
    """The names of the columns that have drifted."""
    return [column.column for column in found if column.verdict == "drift"]


def tell(found: Iterable[ColumnDrift]) -> str:
    """The verdicts in one line: what has drifted, and what could not be judged."""
    columns = list(found)
    moved = [str(column) for column in columns if column.verdict == "drift"]
    few = [column for column in columns if column.verdict == "too few"]
    silent = [str(column) for column in columns if column.verdict == "silent"]
    constant = [column.column for column in columns if column.verdict == "constant"]
    first = "drift cannot be judged" if len(few) == len(columns) else "no column has drifted"
    parts = [f"drift in {'; '.join(moved)}" if moved else first, *silent, *tell_few(few)]
    return "; ".join(parts + ([f"always the same: {', '.join(constant)}"] if constant else []))


def tell_few(few: Iterable[ColumnDrift]) -> list[str]:
    """The columns that have too few baskets, those with the same number together."""
    together: dict[str, list[str]] = {}
    for column in few:
        together.setdefault(column.had, []).append(column.column)
    return [f"too few baskets to judge {', '.join(names)} ({had})" for had, names in together.items()]


def psi(current: np.ndarray, reference: np.ndarray) -> float:
    """The population stability index of two windows, from the number of each basket's bin.

    An empty bin counts as one in 10,000, as Evidently does it; one that is empty in both counts nothing.

    >>> psi(np.array([0, 1]), np.array([0, 1]))
    0.0
    """
    size = 1 + max(current.max(), reference.max())
    p, q = ((np.bincount(side, minlength=size) / len(side)).clip(min=1e-4) for side in (current, reference))
    return float(((p - q) * np.log(p / q)).sum())


def by_chance(bins: int, current: int, reference: int) -> float:
    """The PSI that two samples of one world hardly ever exceed.

    The PSI is then about chi-squared with bins - 1 degrees of freedom times (1 / current + 1 / reference)
    (Yurdakul and Naranjo, 2020); its quantile by Wilson and Hilferty (1931).
    """
    free, rare = bins - 1, RARE - RARE_PER_BIN * min(bins, MOST_RARE)
    quantile = free * (1 - 2 / (9 * free) + rare * math.sqrt(2 / (9 * free))) ** 3
    return quantile * (1 / current + 1 / reference)

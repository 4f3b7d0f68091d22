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
# Baskets for each bin beyond the first; and how many a value must be expected to have, to have a bin of its own:
# of fewer, chance leaves the bin empty now and then, and an empty bin alone is a high PSI.
BASKETS_A_BIN = 25
# So many, of two days or more, are still judged in two bins, by the limit that chance then sets.
FEWEST_BASKETS = 15
LEAST_EXPECTED = 10
# Chance alone exceeds the limit in one of 5,000 windows at most: the normal quantile of that.
RARE = 3.54


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

    def __str__(self) -> str:
        if self.verdict == "too few":
            found = (
                f"{count(self.baskets, 'basket')} in {count(self.days, 'day')}, from {self.needed} on it can be judged"
            )
            return f"{self.column}: too few to judge ({found})"
        if self.value is None or self.verdict == "silent":
            return f"{self.column}: {self.verdict}"
        of = f"{count(self.baskets, 'basket')} of {count(self.days, 'day')}, {self.bins} bins"
        return f"{self.column}: {self.verdict}, PSI {self.value:.2f}, limit {self.limit:.2f} ({of})"


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
    ours, theirs = cut(current, reference, column)
    bins = len(ours.cat.categories)
    if bins < 2:
        return found("constant", 0.0, bins=bins)
    value, limit = psi(ours, theirs), max(column.limit, by_chance(bins, n, m))
    return found("drift" if value > limit else "stable", value, limit=limit, bins=bins)


def baskets_needed(reference: pd.Series) -> int:
    """From how many baskets on a column can be judged: two bins, and for texts the most common value in one of them."""
    if pd.api.types.is_numeric_dtype(reference) or not len(reference):
        return FEWEST_BASKETS
    largest = float(reference.value_counts(normalize=True).iloc[0])
    return max(FEWEST_BASKETS, math.ceil(LEAST_EXPECTED / largest))


def cut(current: pd.Series, reference: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    """Both windows as categories: the reference's quantiles, or its most common values and `other`."""
    bins = min(column.bins, max(2, 1 + min(len(current), len(reference)) // BASKETS_A_BIN))
    is_number = pd.api.types.is_numeric_dtype(reference)
    as_labels = by_quantile(reference, bins) if is_number and reference.nunique() > 1 else None
    as_labels = as_labels or by_value(reference, bins, LEAST_EXPECTED / len(current))
    both = [as_labels(current), as_labels(reference)]
    labels = sorted(set(both[0]) | set(both[1]))
    ours, theirs = (pd.Series(pd.Categorical(values, categories=labels)) for values in both)
    return ours, theirs


def labelled(seen: Window, found: Iterable[ColumnDrift]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both windows, cut into the bins that the judged columns were judged by, for a page."""
    judged = [column.column for column in found if column.value is not None]
    both = [cut(seen.current[name].dropna(), seen.reference[name].dropna(), COLUMNS[name]) for name in judged]
    ours, theirs = ({name: pair[side].astype(str) for name, pair in zip(judged, both, strict=True)} for side in (0, 1))
    return pd.DataFrame(ours), pd.DataFrame(theirs)


def drifted(found: Iterable[ColumnDrift]) -> list[str]:
    """The names of the columns that have drifted."""
    return [column.column for column in found if column.verdict == "drift"]


def tell(found: Iterable[ColumnDrift]) -> str:
    """The verdicts in one line: what has drifted, and what could not be judged."""
    columns = list(found)
    moved = [str(column) for column in columns if column.verdict == "drift"]
    unjudged = [str(column) for column in columns if column.verdict in ("too few", "silent")]
    constant = [column.column for column in columns if column.verdict == "constant"]
    parts = [f"drift in {'; '.join(moved)}" if moved else "no column has drifted"]
    if len(unjudged) == len(columns):
        parts = ["drift cannot be judged"]
    parts += unjudged + ([f"always the same: {', '.join(constant)}"] if constant else [])
    return "; ".join(parts)


Labels = Callable[[pd.Series], list[str]]


def by_quantile(reference: pd.Series, bins: int) -> Labels:
    """Labels for numbers: how many of the reference's quantiles they exceed."""
    edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins))
    edges = edges[edges < reference.max()]
    edges = edges if len(edges) else np.array([reference.min()])
    ends = [f"up to {edges[0]:.4g}", *(f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges))]
    names = [f"{number:02} {end}" for number, end in enumerate([*ends, f"over {edges[-1]:.4g}"], start=1)]
    return lambda values: [names[at] for at in np.searchsorted(edges, values, side="left")]


def by_value(reference: pd.Series, bins: int, least_share: float) -> Labels:
    """Labels for texts: the reference's most common values, each with at least this share of it, and `other`."""
    shares = reference.value_counts(normalize=True)
    common = set(shares[shares >= least_share].index[: bins - 1])
    return lambda values: [str(value) if value in common else OTHER for value in values]


def psi(current: pd.Series, reference: pd.Series) -> float:
    """The population stability index of two categorical columns with the same categories.

    An empty bin counts as one in 10,000, as Evidently does it.

    >>> halves = pd.Series(pd.Categorical(["a", "b"]))
    >>> psi(halves, halves)
    0.0
    """
    p, q = (side.value_counts(normalize=True, sort=False).to_numpy().clip(min=1e-4) for side in (current, reference))
    return float(((p - q) * np.log(p / q)).sum())


def by_chance(bins: int, current: int, reference: int) -> float:
    """The PSI that two samples of one world exceed once in 5,000 times.

    The PSI is then about chi-squared with bins - 1 degrees of freedom times (1 / current + 1 / reference)
    (Yurdakul and Naranjo, 2020); its quantile by Wilson and Hilferty (1931).
    """
    free = bins - 1
    quantile = free * (1 - 2 / (9 * free) + RARE * math.sqrt(2 / (9 * free))) ** 3
    return quantile * (1 / current + 1 / reference)

"""A candidate as it was measured: the numbers that the gate looks at."""

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Measured:
    """What the gate looks at.

    candidate, popular, live: NDCG@10 by customer (index: customer); live is None for a first release.
    slices: by name of the slice, the candidate's and the live model's scores on the same customers.
    coverage: share of the catalogue in the lists. unscored: entries of the lists whose score is no number.
    milliseconds: median time for one customer's list from the opened bundle; NaN if it does not answer.
    """

    candidate: pd.Series
    popular: pd.Series
    live: pd.Series | None
    coverage: float
    unscored: int
    milliseconds: float
    slices: dict[str, tuple[pd.Series, pd.Series]] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A candidate's metrics on the held-out week, what the gate will look at, and what it could not be told.

    slices: by name of the slice, the number of customers, and the mean scores of the candidate and of the live model.
    compared_with: the live release that it was compared with; empty if there was none.
    """

    metrics: dict[str, float]
    measured: Measured
    slices: dict[str, dict[str, float]]
    note: str = ""
    compared_with: dict[str, str] | None = None

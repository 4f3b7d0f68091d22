"""A candidate as it was measured: the numbers that the gate looks at."""

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Measured:
    """What the gate looks at.

    candidate, popular, live: NDCG@10 by customer (index: customer); live is None without a live model.
    coverage: share of the catalogue in the candidate's lists; usual_coverage: in the live model's, or in popular's
    for a first release. unscored: entries of the lists whose score is no number. milliseconds: CPU time for one
    customer's list from the opened bundle; NaN if it does not answer. slices: by name of the slice, the
    candidate's and the live model's scores on the same customers. kind, live_kind: such as "popular".
    live_release: which one `live` is. unreadable: why the live release could not be compared with, if there is one.
    """

    candidate: pd.Series
    popular: pd.Series
    live: pd.Series | None
    coverage: float
    unscored: int
    milliseconds: float
    slices: dict[str, tuple[pd.Series, pd.Series]] = field(default_factory=dict)
    usual_coverage: float = 0.0
    kind: str = ""
    live_kind: str = ""
    live_release: str = ""
    unreadable: str = ""


@dataclass(frozen=True)
class Judged:
    """A candidate's metrics on the held-out week, what the gate will look at, and what it could not be told.

    slices: by name of the slice, the number of customers, and the mean scores of the candidate and of the live model.
    compared_with: the live release that it was to be compared with, and its bundle's digest; None if nothing was live.
    """

    metrics: dict[str, float]
    measured: Measured
    slices: dict[str, dict[str, float]]
    note: str = ""
    compared_with: dict[str, str] | None = None

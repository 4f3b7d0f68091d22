"""What a customer bought of the same kind as a product: of the same type, or of the same name (a type in a size).

The ranker's features for products that a customer may not have bought at all.
"""

import numpy as np
import pandas as pd

from shared.model.candidates import Candidates
from shared.model.facts import ProductFacts, ratio
from shared.model.histories import DAY_BITS, Histories, day_number, decay
from shared.model.visits import Visits

HALF_LIFE = 84.0
COLUMNS = ("weight", "share", "since", "overdue", "times", "different")
OF_KIND = tuple(f"{kind}_{name}" for kind in ("type", "name") for name in COLUMNS)


def kind_features(
    histories: Histories, facts: ProductFacts, chosen: Candidates, shopped: Visits
) -> dict[str, np.ndarray]:
    """Per candidate: recency and frequency of all that its customer bought of its type, and by its name.

    Nothing bought of a kind is a frequency of 0 and no recency; for a product without a kind all are missing.
    """
    visited = shopped.decayed(day_number(histories.day), HALF_LIFE)
    columns: dict[str, np.ndarray] = {}
    for name, kind in (("type", facts.type), ("name", facts.name)):
        bought = bought_of_kind(histories, kind, chosen)
        bought["share"] = ratio(bought["weight"], visited[chosen.row])
        unknown = kind[chosen.product] < 0
        columns |= {f"{name}_{column}": np.where(unknown, np.nan, bought[column]) for column in COLUMNS}
    return columns


def bought_of_kind(histories: Histories, kind: np.ndarray, chosen: Candidates) -> dict[str, np.ndarray]:
    """Per candidate: what its customer bought of its kind; `kind` holds the products' codes (p,).

    Decayed purchases, purchases, distinct products, days since the last purchase, and those in mean gaps.
    """
    today, customer = day_number(histories.day), histories.customer
    size = int(kind.max(initial=0)) + 2
    keys = np.concatenate([customer * size + kind[histories.product], chosen.row * size + kind[chosen.product]])
    group = pd.factorize(keys)[0]
    mine, wanted = group[: len(customer)], group[len(customer) :]
    groups = int(group.max(initial=-1)) + 1
    age = decay(today - histories.days.astype(np.int32), HALF_LIFE)
    times = np.bincount(mine, histories.times, groups)
    last, first = latest(mine, histories.last, groups), earliest(mine, histories.first, groups)
    since = today - last
    columns = {
        "weight": np.bincount(np.repeat(mine, histories.times), age, groups),
        "times": times,
        "different": np.bincount(mine, minlength=groups).astype(float),
        "since": since,
        "overdue": ratio(since, ratio(last - first, times - 1)),
    }
    return {name: column[wanted] for name, column in columns.items()}


def latest(group: np.ndarray, day: np.ndarray, groups: int) -> np.ndarray:
    """The latest day of each group (groups,); NaN for one without any."""
    found = np.full(groups, np.nan)
    order = np.argsort(day.astype(np.uint16), kind="stable")  # numbers of two bytes are sorted much faster
    found[group[order]] = day[order]  # of those to the same place, the last one stays
    return found


def earliest(group: np.ndarray, day: np.ndarray, groups: int) -> np.ndarray:
    """The earliest day of each group (groups,); NaN for one without any."""
    end = (1 << DAY_BITS) - 1
    return end - latest(group, end - day, groups)

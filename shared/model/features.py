"""What the ranker looks at: recency and frequency of each candidate product of each customer.

Pure functions of `Histories`; the ranker calls them for its label weeks when it trains, and for its lists.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from shared.model.facts import ProductFacts, ratio
from shared.model.histories import Histories, day_number, decay, weights

HALF_LIVES = (14.0, 42.0, 84.0, 120.0)
KIND_HALF_LIFE = 84.0
# Of a pair, of its customer, of its product; the trees know them by their position.
# A product never bought has the frequency 0, and no recency at all.
FREQUENCY = (
    *("times", "share", "of_heaviest"),
    *(f"{name}_{half_life:.0f}" for half_life in HALF_LIVES for name in ("weight", "share")),
)
RECENCY = (
    *("since_last", "since_first", "gap", "overdue", "last_gap"),
    *("visits_without", "overdue_visits", "beyond_usual"),
)
OF_CUSTOMER = (
    *("since_visit", "known_for", "visits", "visits_lately", "visit_gap", "overdue_visit"),
    *("basket_size", "different", "repeats"),
)
OF_PRODUCT = ("week", "month", "trend", "ever", "repeat_rate", "usual_gap")
# Of all products of the same type, or the same name (a type in a size), that the customer bought.
ALIKE = ("weight", "share", "since", "overdue", "times", "different")
OF_KIND = tuple(f"{kind}_{name}" for kind in ("type", "name") for name in ALIKE)
FEATURES = FREQUENCY + RECENCY + OF_CUSTOMER + OF_PRODUCT + OF_KIND


@dataclass(frozen=True)
class Candidates:
    """c products that may be listed: row, product and pair are indices (c,); pair is -1 for one never bought."""

    row: np.ndarray
    product: np.ndarray
    pair: np.ndarray

    def keep(self, wanted: np.ndarray) -> "Candidates":
        """Some of them."""
        return Candidates(self.row[wanted], self.product[wanted], self.pair[wanted])


def candidates(histories: Histories, popular: np.ndarray, own: int, half_life: float) -> Candidates:
    """For every customer the `own` products with the most decayed purchases, and the `popular` ones."""
    customer, kept = histories.customer, heaviest_pairs(histories, own, half_life)
    row = np.repeat(np.arange(len(histories.customers)), len(popular))
    product = np.tile(popular, len(histories.customers))
    pair = find_pairs(histories, customer, row, product)
    listed = np.zeros(len(customer) + 1, dtype=bool)
    listed[kept] = True
    new = ~listed[pair]
    return Candidates(
        np.concatenate([customer[kept], row[new]]),
        np.concatenate([histories.product[kept], product[new]]),
        np.concatenate([kept, pair[new]]),
    )


def heaviest_pairs(histories: Histories, most: int, half_life: float) -> np.ndarray:
    """At most so many pairs of each customer, those with the most decayed purchases; ties go by product.

    They come in the order of the pairs.
    """
    weight = weights(histories, np.arange(len(histories.product)), half_life)
    kept = np.ones(len(histories.product), dtype=bool)
    for row in np.flatnonzero(np.diff(histories.starts) > most):
        start, end = histories.starts[row], histories.starts[row + 1]
        order = np.argsort(-weight[start:end], kind="stable")
        kept[start + order[most:]] = False
    return np.flatnonzero(kept)


def find_pairs(histories: Histories, customer: np.ndarray, row: np.ndarray, product: np.ndarray) -> np.ndarray:
    """The pair of each (row, product); -1 where the customer never bought the product."""
    size = len(histories.products)
    known = customer * size + histories.product
    wanted = row * size + product
    found = np.searchsorted(known, wanted).clip(max=max(len(known) - 1, 0))
    return np.where(known[found] == wanted, found, -1) if len(known) else np.full(len(wanted), -1)


def features(histories: Histories, facts: ProductFacts, chosen: Candidates) -> np.ndarray:
    """A matrix (c, number of FEATURES) of float32: the trees see the same numbers when they learn and when asked."""
    shopped = visits(histories)
    of_pairs, of_customers = pair_features(histories, *shopped), customer_features(histories, *shopped)
    of_pairs["beyond_usual"] = ratio(of_pairs["since_last"], facts.usual_gap[histories.product])
    of_kinds = kind_features(histories, facts, chosen, *shopped)
    bought = np.flatnonzero(chosen.pair >= 0)
    pair = chosen.pair[bought]
    # Column by column in memory, since that is how it is filled.
    matrix = np.empty((len(FEATURES), len(chosen.row)), dtype=np.float32)
    for column, name in zip(matrix, FEATURES, strict=True):
        if name in of_pairs:
            column[:] = 0.0 if name in FREQUENCY else np.nan
            column[bought] = of_pairs[name][pair]
        elif name in of_customers:
            column[:] = of_customers[name][chosen.row]
        elif name in of_kinds:
            column[:] = of_kinds[name]
        else:
            column[:] = getattr(facts, name)[chosen.product]
    return matrix.T


def pair_features(histories: Histories, shoppers: np.ndarray, visit_days: np.ndarray) -> dict[str, np.ndarray]:
    """Per pair: decayed frequencies, gaps in days, how overdue, shares of the visits."""
    today = day_number(histories.day)
    since_first = visits_since(histories, shoppers, visit_days, histories.first)
    since_last = visits_since(histories, shoppers, visit_days, histories.last + 1)
    gap = ratio(histories.last - histories.first, histories.times - 1)
    return {
        "times": histories.times.astype(float),
        "since_last": (today - histories.last).astype(float),
        "since_first": (today - histories.first).astype(float),
        "gap": gap,
        "overdue": ratio(today - histories.last, gap),
        "last_gap": last_gap(histories),
        "share": histories.times / np.maximum(since_first, 1),
        "visits_without": since_last.astype(float),
        "overdue_visits": ratio(since_last * histories.times, since_first),
        **decayed_features(histories, shoppers, visit_days),
    }


def decayed_features(histories: Histories, shoppers: np.ndarray, visit_days: np.ndarray) -> dict[str, np.ndarray]:
    """Per pair and half-life: decayed number of purchases, also as a share of the customer's decayed visits."""
    today = day_number(histories.day)
    customer = histories.customer
    pair = np.repeat(np.arange(len(customer)), histories.times)
    columns = {}
    for half_life in HALF_LIVES:
        weight = np.bincount(pair, decay(today - histories.days.astype(np.int32), half_life), len(customer))
        visited = np.bincount(shoppers, decay(today - visit_days, half_life), len(histories.customers))
        columns[f"weight_{half_life:.0f}"] = weight
        columns[f"share_{half_life:.0f}"] = ratio(weight, visited[customer])
    heaviest = np.zeros(len(histories.customers))
    buyers = np.flatnonzero(np.diff(histories.starts))
    heaviest[buyers] = np.maximum.reduceat(columns["weight_84"], histories.starts[buyers]) if len(buyers) else 0.0
    columns["of_heaviest"] = ratio(columns["weight_84"], heaviest[customer])
    return columns


def customer_features(histories: Histories, shoppers: np.ndarray, visit_days: np.ndarray) -> dict[str, np.ndarray]:
    """Per customer: days since the last visit, number and gap of visits, basket size, how much is repeated."""
    today = day_number(histories.day)
    size = len(histories.customers)
    customer = histories.customer
    number = np.bincount(shoppers, minlength=size)
    latest, earliest = np.zeros(size), np.full(size, float(today))
    # The visits are sorted: of those to the same place, the last one stays.
    latest[shoppers] = visit_days
    earliest[shoppers[::-1]] = visit_days[::-1]
    bought = np.bincount(customer, histories.times, size)
    gap = ratio(latest - earliest, number - 1)
    return {
        "since_visit": today - latest,
        "known_for": today - earliest,
        "visits": number.astype(float),
        "visits_lately": np.bincount(shoppers, decay(today - visit_days, 28.0), size),
        "visit_gap": gap,
        "overdue_visit": ratio(today - latest, gap),
        "basket_size": ratio(bought, number),
        "different": np.diff(histories.starts).astype(float),
        "repeats": ratio(bought, np.diff(histories.starts)),
    }


def kind_features(
    histories: Histories, facts: ProductFacts, chosen: Candidates, shoppers: np.ndarray, visit_days: np.ndarray
) -> dict[str, np.ndarray]:
    """Per candidate: recency and frequency of all that its customer bought of its type, and by its name.

    Nothing bought of a kind is a frequency of 0 and no recency; for a product without a kind all are missing.
    """
    age = decay(day_number(histories.day) - visit_days, KIND_HALF_LIFE)
    visited = np.bincount(shoppers, age, len(histories.customers))
    columns: dict[str, np.ndarray] = {}
    for name, kind in (("type", facts.type), ("name", facts.name)):
        alike = bought_alike(histories, kind, chosen)
        alike["share"] = ratio(alike["weight"], visited[chosen.row])
        unknown = kind[chosen.product] < 0
        columns |= {f"{name}_{column}": np.where(unknown, np.nan, alike[column]) for column in ALIKE}
    return columns


def bought_alike(histories: Histories, kind: np.ndarray, chosen: Candidates) -> dict[str, np.ndarray]:
    """Per candidate: what its customer bought of its kind; `kind` holds the products' codes (p,).

    Decayed purchases, purchases, distinct products, days since the last purchase, and those in mean gaps.
    """
    today, customer = day_number(histories.day), histories.customer
    size = int(kind.max(initial=0)) + 2
    keys = np.concatenate([customer * size + kind[histories.product], chosen.row * size + kind[chosen.product]])
    group = pd.factorize(keys)[0]
    mine, wanted = group[: len(customer)], group[len(customer) :]
    groups = int(group.max(initial=-1)) + 1
    age = decay(today - histories.days.astype(np.int32), KIND_HALF_LIFE)
    times = np.bincount(mine, histories.times, groups)
    last, first = latest(mine, histories.last, groups), -latest(mine, -histories.first, groups)
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
    order = np.argsort(day, kind="stable")
    found[group[order]] = day[order]  # of those to the same place, the last one stays
    return found


def visits(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    """Every day on which a customer shopped: (customer, day), sorted."""
    if not len(histories.days):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    customer = np.repeat(histories.customer, histories.times)
    first = int(histories.days.min())
    # A calendar with a tick for each day is several times as fast as np.unique.
    calendar = np.zeros((len(histories.customers), int(histories.days.max()) - first + 1), dtype=bool)
    calendar[customer, histories.days - first] = True
    shopper, day = np.nonzero(calendar)
    return shopper, (day + first).astype(np.int32)


def visits_since(histories: Histories, shoppers: np.ndarray, visit_days: np.ndarray, since: np.ndarray) -> np.ndarray:
    """How often each pair's customer shopped on or after the day `since` of the pair."""
    customer = histories.customer
    key = shoppers << 16 | visit_days
    after = np.searchsorted(key, customer << 16 | since)
    return np.searchsorted(shoppers, customer, side="right") - after


def last_gap(histories: Histories) -> np.ndarray:
    """Days between a pair's last two purchases; NaN for one purchase."""
    end = np.cumsum(histories.times)
    before = histories.days[np.maximum(end - 2, 0)].astype(np.int32)
    return np.where(histories.times > 1, histories.last - before, np.nan)

"""What the ranker looks at: recency and frequency of each candidate product of each customer.

Pure functions of `Histories`; the ranker calls them for its label weeks when it trains, and for its lists.
"""

import numpy as np

from shared.model.candidates import Candidates
from shared.model.facts import ProductFacts, ratio
from shared.model.histories import Histories, day_number, decay
from shared.model.same_kind import OF_KIND, kind_features
from shared.model.visits import Visits, visits_of

HALF_LIVES = (14.0, 42.0, 84.0, 120.0)
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
FEATURES = FREQUENCY + RECENCY + OF_CUSTOMER + OF_PRODUCT + OF_KIND


def features(histories: Histories, facts: ProductFacts, chosen: Candidates) -> np.ndarray:
    """A matrix (c, number of FEATURES) of float32: the trees see the same numbers when they learn and when asked."""
    shopped = visits_of(histories)
    of_pairs, of_customers = pair_features(histories, shopped), customer_features(histories, shopped)
    of_pairs["beyond_usual"] = ratio(of_pairs["since_last"], facts.usual_gap[histories.product])
    of_kinds = kind_features(histories, facts, chosen, shopped)
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


def pair_features(histories: Histories, shopped: Visits) -> dict[str, np.ndarray]:
    """Per pair: decayed frequencies, gaps in days, how overdue, shares of the visits."""
    today = day_number(histories.day)
    since_first = shopped.since(histories.customer, histories.first)
    since_last = shopped.since(histories.customer, histories.last + 1)
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
        **decayed_features(histories, shopped),
    }


def decayed_features(histories: Histories, shopped: Visits) -> dict[str, np.ndarray]:
    """Per pair and half-life: decayed number of purchases, also as a share of the customer's decayed visits."""
    today = day_number(histories.day)
    customer = histories.customer
    pair = np.repeat(np.arange(len(customer)), histories.times)
    age = today - histories.days.astype(np.int32)
    columns = {}
    for half_life in HALF_LIVES:
        weight = np.bincount(pair, decay(age, half_life), len(customer))
        visited = shopped.decayed(today, half_life)
        columns[f"weight_{half_life:.0f}"] = weight
        columns[f"share_{half_life:.0f}"] = ratio(weight, visited[customer])
    heaviest = np.zeros(len(histories.customers))
    buyers = np.flatnonzero(np.diff(histories.starts))
    heaviest[buyers] = np.maximum.reduceat(columns["weight_84"], histories.starts[buyers]) if len(buyers) else 0.0
    columns["of_heaviest"] = ratio(columns["weight_84"], heaviest[customer])
    return columns


def customer_features(histories: Histories, shopped: Visits) -> dict[str, np.ndarray]:
    """Per customer: days since the last visit, number and gap of visits, basket size, how much is repeated."""
    today = day_number(histories.day)
    size = len(histories.customers)
    customer = histories.customer
    number = np.bincount(shopped.customer, minlength=size)
    latest, earliest = np.zeros(size), np.full(size, float(today))
    # The visits are sorted: of those to the same place, the last one stays.
    latest[shopped.customer] = shopped.day
    earliest[shopped.customer[::-1]] = shopped.day[::-1]
    bought = np.bincount(customer, histories.times, size)
    gap = ratio(latest - earliest, number - 1)
    return {
        "since_visit": today - latest,
        "known_for": today - earliest,
        "visits": number.astype(float),
        "visits_lately": shopped.decayed(today, 28.0),
        "visit_gap": gap,
        "overdue_visit": ratio(today - latest, gap),
        "basket_size": ratio(bought, number),
        "different": np.diff(histories.starts).astype(float),
        "repeats": ratio(bought, np.diff(histories.starts)),
    }


def last_gap(histories: Histories) -> np.ndarray:
    """Days between a pair's last two purchases; NaN for one purchase."""
    before = histories.days[np.maximum(histories.ends[1:] - 2, 0)].astype(np.int32)
    return np.where(histories.times > 1, histories.last - before, np.nan)

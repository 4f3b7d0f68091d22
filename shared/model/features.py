"""What the ranker looks at: recency and frequency of each candidate product of each customer.

Pure functions of `Histories`; the ranker calls them for its label weeks when it trains, and for its lists.
"""

from dataclasses import dataclass

import numpy as np

from shared.model.histories import Histories, day_number

HALF_LIVES = (14.0, 42.0, 84.0, 120.0)
WEEK, MONTH, EVER = 7, 28, 1 << 16
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
FEATURES = FREQUENCY + RECENCY + OF_CUSTOMER + OF_PRODUCT


@dataclass(frozen=True)
class Candidates:
    """c products that may be listed: row, product and pair are indices (c,); pair is -1 for one never bought."""

    row: np.ndarray
    product: np.ndarray
    pair: np.ndarray

    def keep(self, wanted: np.ndarray) -> "Candidates":
        """Some of them."""
        return Candidates(self.row[wanted], self.product[wanted], self.pair[wanted])


@dataclass(frozen=True)
class ProductFacts:
    """What is known of each of p products, whoever the customer; arrays (p,)."""

    week: np.ndarray
    month: np.ndarray
    trend: np.ndarray
    ever: np.ndarray
    repeat_rate: np.ndarray
    usual_gap: np.ndarray


def product_facts(histories: Histories) -> ProductFacts:
    """Popularity (share of the shoppers) over 1 and 4 weeks and ever, its trend, repeat rate, usual gap in days."""
    (week, weekly), (month, monthly), (ever, all_time) = (tally(histories, days) for days in (WEEK, MONTH, EVER))
    size = len(histories.products)
    repeated = np.bincount(histories.product[histories.times > 1], minlength=size)
    span = np.bincount(histories.product, histories.last - histories.first, size)
    gaps = np.bincount(histories.product, histories.times - 1, size)
    return ProductFacts(
        week=week / weekly,
        month=month / monthly,
        trend=(week + 1) / (month / (MONTH / WEEK) + 1),
        ever=ever / all_time,
        # Three doubtful customers more, so that a product with one buyer has no rate of 0 or 1.
        repeat_rate=(repeated + 0.5) / (ever + 3),
        usual_gap=ratio(span, gaps),
    )


def tally(histories: Histories, days: int) -> tuple[np.ndarray, int]:
    """(how many customers bought each product in the last `days` days, how many customers bought anything then)."""
    recent = histories.last > day_number(histories.day) - days
    active = int(np.count_nonzero(np.bincount(histories.customer[recent])))
    return np.bincount(histories.product[recent], minlength=len(histories.products)), max(active, 1)


def candidates(histories: Histories, popular: np.ndarray, own: int) -> Candidates:
    """For every customer the `own` products with the most weight, and the `popular` ones."""
    customer = histories.customer
    order = np.lexsort((-histories.weight, customer))
    kept = np.sort(order[np.arange(len(order)) - histories.starts[customer[order]] < own])
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


def find_pairs(histories: Histories, customer: np.ndarray, row: np.ndarray, product: np.ndarray) -> np.ndarray:
    """The pair of each (row, product); -1 where the customer never bought the product."""
    size = len(histories.products)
    known = customer * size + histories.product
    wanted = row * size + product
    found = np.searchsorted(known, wanted).clip(max=max(len(known) - 1, 0))
    return np.where(known[found] == wanted, found, -1) if len(known) else np.full(len(wanted), -1)


def features(histories: Histories, facts: ProductFacts, chosen: Candidates) -> np.ndarray:
    """A matrix (c, number of FEATURES)."""
    shopped = visits(histories)
    of_pairs, of_customers = pair_features(histories, *shopped), customer_features(histories, *shopped)
    of_pairs["beyond_usual"] = ratio(of_pairs["since_last"], facts.usual_gap[histories.product])
    bought = np.flatnonzero(chosen.pair >= 0)
    pair = chosen.pair[bought]
    # Column by column in memory, since that is how it is filled.
    matrix = np.empty((len(FEATURES), len(chosen.row)))
    for column, name in zip(matrix, FEATURES, strict=True):
        if name in of_pairs:
            column[:] = 0.0 if name in FREQUENCY else np.nan
            column[bought] = of_pairs[name][pair]
        elif name in of_customers:
            column[:] = of_customers[name][chosen.row]
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
    np.maximum.at(heaviest, customer, columns["weight_84"])
    columns["of_heaviest"] = ratio(columns["weight_84"], heaviest[customer])
    return columns


def customer_features(histories: Histories, shoppers: np.ndarray, visit_days: np.ndarray) -> dict[str, np.ndarray]:
    """Per customer: days since the last visit, number and gap of visits, basket size, how much is repeated."""
    today = day_number(histories.day)
    size = len(histories.customers)
    customer = histories.customer
    number = np.bincount(shoppers, minlength=size)
    latest, earliest = np.zeros(size), np.full(size, float(today))
    np.maximum.at(latest, shoppers, visit_days)
    np.minimum.at(earliest, shoppers, visit_days)
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


def decay(age: np.ndarray, half_life: float) -> np.ndarray:
    """1, halved every `half_life` days of age. By a table: the same age gives the same bits in every company."""
    return (0.5 ** (np.arange(age.max(initial=0) + 1) / half_life))[age.clip(0)]


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole; NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole != 0)

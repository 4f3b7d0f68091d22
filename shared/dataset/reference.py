"""What a day usually looks like: the same weekdays of the four weeks before, and what those weeks knew.

Identifiers are compared as 64-bit hashes, each day is read once, and its hashes are kept while the
weeks after it are checked.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from shared.columns import AMOUNT, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset.feed import Feed

WEEKS = 4
# A bundle of days with fewer same weekdays than this before it is compared with nothing.
LEAST_DAYS = 2
KEYS = ["customers", "products", "purchases"]
# So many days are looked at in an evening, and in the next ones.
KEPT_DAYS = 128


@dataclass(frozen=True)
class Profile:
    """One day in numbers: what it held, each distinct value once, as hashes; its rows in order of time of day."""

    customers: np.ndarray
    products: np.ndarray
    purchases: np.ndarray
    contents: np.ndarray
    seconds: np.ndarray
    amounts: np.ndarray
    quantities: np.ndarray
    stores: pd.Series

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.seconds)


# By what tells a version of a day's file from another; the oldest goes first.
PROFILES: dict[tuple[str, int, int, int], Profile] = {}


@dataclass(frozen=True)
class Window:
    """The days before a day: their distinct values one after the other; `day` says whose each content is."""

    customers: np.ndarray
    products: np.ndarray
    purchases: np.ndarray
    contents: np.ndarray
    day: np.ndarray


@dataclass(frozen=True)
class Reference:
    """What to compare a day with: the same weekdays together, the days before it, and the usual shares.

    shares: the median over the same weekdays of what `overlap` says of each.
    """

    rows: float
    seconds: np.ndarray
    amounts: np.ndarray
    quantities: np.ndarray
    rows_by_store: pd.Series
    window: Window
    shares: dict[str, float]


def profile(rows: pd.DataFrame) -> Profile:
    """A day's rows in numbers."""
    customer = pd.util.hash_array(rows[CUSTOMER].to_numpy(dtype=object))
    product = pd.util.hash_array(rows[PRODUCT].to_numpy(dtype=object))
    purchase = customer * np.uint64(31) + product
    numbers = rows[[QUANTITY, AMOUNT]].to_numpy(dtype=np.float64)
    content = purchase * np.uint64(961) + pd.util.hash_array(numbers[:, 0]) * np.uint64(31)
    content += pd.util.hash_array(numbers[:, 1])
    time = rows[TIME].to_numpy().astype("datetime64[s]")
    return Profile(
        customers=pd.unique(customer),
        products=pd.unique(product),
        purchases=pd.unique(purchase),
        contents=pd.unique(content),
        seconds=np.sort((time - time.astype("datetime64[D]")).astype(np.int64)),
        amounts=np.sort(numbers[:, 1]),
        quantities=np.sort(numbers[:, 0]),
        stores=rows[STORE].value_counts(),
    )


def overlap(day: Profile, window: Window) -> dict[str, float]:
    """The shares of a day's customers, products and purchases (customer with product) that the window knows.

    `repeated` is the largest share of its rows, but for basket and time, that one single day of the window had.
    """
    shares = {key: share_known(getattr(day, key), getattr(window, key)) for key in KEYS}
    same = window.day[pd.Index(window.contents).isin(day.contents)]
    shares["repeated"] = float(np.bincount(same).max() / len(day.contents)) if len(same) else 0.0
    return shares


def share_known(values: np.ndarray, known: np.ndarray) -> float:
    """The share of distinct values that are among the known ones.

    >>> share_known(np.array([1, 2]), np.array([2, 2, 3]))
    0.5
    """
    # A table of the few, asked for each of the many, is faster than the other way round.
    return len(pd.unique(known[pd.Index(known).isin(values)])) / max(len(values), 1)


def profile_of(feed: Feed, day: date) -> Profile:
    """A day's profile, each version of its file read once: a loop looks at the same weeks every evening."""
    file = feed.file(day)
    if not file.exists():
        return profile(feed.day(day))
    found = file.stat()
    stamp = (str(file), found.st_ino, found.st_size, found.st_mtime_ns)
    if stamp not in PROFILES:
        while len(PROFILES) >= KEPT_DAYS:
            PROFILES.pop(next(iter(PROFILES)))
        PROFILES[stamp] = profile(feed.day(day))
    return PROFILES[stamp]


class ReferenceReader:
    """Reads a feed's days for comparison, each once."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._days = set(feed.days)
        self._profiles: dict[date, Profile] = {}
        self._shares: dict[date, dict[str, float]] = {}

    def reference(self, day: date) -> Reference | None:
        """What to compare a day with; None with fewer than two same weekdays before it."""
        same = [back for week in range(1, WEEKS + 1) if (back := day - timedelta(weeks=week)) in self._days]
        if len(same) < LEAST_DAYS:
            return None
        profiles = [self._profile(back) for back in same]
        shares = pd.DataFrame([self._overlap(back) for back in same]).median()
        self._forget(day)
        return Reference(
            rows=float(np.median([known.rows for known in profiles])),
            seconds=np.sort(np.concatenate([known.seconds for known in profiles])),
            amounts=np.sort(np.concatenate([known.amounts for known in profiles])),
            quantities=np.sort(np.concatenate([known.quantities for known in profiles])),
            rows_by_store=pd.concat([known.stores for known in profiles]).groupby(level=0).sum(),
            window=self._window(day),
            shares=shares.to_dict(),
        )

    def _overlap(self, day: date) -> dict[str, float]:
        if day not in self._shares:
            self._shares[day] = overlap(self._profile(day), self._window(day))
        return self._shares[day]

    def _window(self, day: date) -> Window:
        days = [back for ago in range(1, 7 * WEEKS + 1) if (back := day - timedelta(days=ago)) in self._days]
        known = [self._profile(back) for back in days] or [profile(self._feed.day(day).iloc[:0])]
        together = {key: np.concatenate([getattr(one, key) for one in known]) for key in [*KEYS, "contents"]}
        return Window(**together, day=np.repeat(np.arange(len(known)), [len(one.contents) for one in known]))

    def _profile(self, day: date) -> Profile:
        if day not in self._profiles:
            self._profiles[day] = profile_of(self._feed, day)
        return self._profiles[day]

    def _forget(self, day: date) -> None:
        """Days that no later day is compared with."""
        oldest = day - timedelta(weeks=2 * WEEKS)
        self._profiles = {known: kept for known, kept in self._profiles.items() if known >= oldest}

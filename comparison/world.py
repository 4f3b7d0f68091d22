"""The world of a season: what customers really buy, day by day. What a level is told of it is a delivery.

An incident may change the world, or the deliveries alone; nothing here knows which one is played.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import pandas as pd

from comparison.incidents.incident import Incident
from shared.columns import CUSTOMER, PRODUCT
from shared.dataset.feed import Feed
from shared.dataset.purchases import purchases
from shared.errors import UsageError
from shared.text import count

# The first release knows so many days.
KNOWN_DAYS = 56
# Of served lists: level 4's quality alarm is armed after the first, and has its full reference after the second.
ARMED_DAYS, FULL_DAYS = 35, 65
EVERY_DAYS = 36
STARTS = 5
# A shop that has so many days can wait for a Monday.
LONG_SHOP = 200


@dataclass(frozen=True)
class Calendar:
    """When a season begins, and which days a drill may begin on. first: the shop's first day; last: its last."""

    first: date
    last: date

    @property
    def opening(self) -> date:
        """The day on which the first customers ask: the first release knows eight weeks, and a week begins then."""
        first = self.first + timedelta(days=KNOWN_DAYS)
        is_long = (self.last - self.first).days >= LONG_SHOP
        return first + timedelta(days=-first.weekday() % 7 if is_long else 0)

    def starts(self, window: int) -> list[date]:
        """The days on which a drill of so many days may begin; spread over what a shorter shop has.

        Raises UsageError if the shop is too short for any.
        """
        latest = self.last - timedelta(days=window - 1)
        self.require(ARMED_DAYS + window, "a drill")
        earliest = min(self.opening + timedelta(days=FULL_DAYS), latest)
        step = min(EVERY_DAYS, (latest - earliest).days // (STARTS - 1))
        return sorted({earliest + timedelta(days=at * step) for at in range(STARTS)})

    def require(self, days: int, what: str) -> None:
        """Raise UsageError if so many days do not follow the eight weeks that the first release knows."""
        known = (self.last - self.first).days + 1
        if known < KNOWN_DAYS + days:
            raise UsageError(
                f"The shop has {count(known, 'day')}, from {self.first} to {self.last}; {what} needs "
                f"{KNOWN_DAYS + days}: {KNOWN_DAYS} for the first release, and {days} to play.",
                fix="Import more days.",
            )


@dataclass(frozen=True)
class World:
    """A shop's days as an incident leaves them. feed: as they were without it."""

    feed: Feed
    incident: Incident

    def delivered(self, day: date) -> pd.DataFrame | None:
        """What levels are told of a day; None if that is what the feed's file says."""
        return self.incident.delivery(day, self.rows(day)) if self.incident.alters_delivery(day) else None

    def bought(self, day: date) -> pd.DataFrame:
        """Who bought what on a day."""
        return purchases(self.rows(day))

    def rows(self, day: date) -> pd.DataFrame:
        """A day as it was."""
        rows = self.feed.day(day)
        return self.incident.world(day, rows) if self.incident.change else rows

    def catalogue(self, day: date) -> pd.DataFrame:
        """The products that the shop says it sells on a day."""
        return self.incident.catalogue(day, self._products)

    def sells(self, day: date) -> frozenset[str]:
        """The products that can be bought on a day: the catalogue's, and those that it lacks though they are sold."""
        listed = frozenset(self.catalogue(day)[PRODUCT]) | self._beside_catalogue
        return listed - self.incident.withdrawn(day)

    @cached_property
    def _products(self) -> pd.DataFrame:
        return self.feed.products()

    @cached_property
    def _beside_catalogue(self) -> frozenset[str]:
        return frozenset(self.feed.distinct([PRODUCT])[PRODUCT]) - frozenset(self._products[PRODUCT])

    def known_through(self, day: date) -> pd.DataFrame:
        """All days through one of them, as they were."""
        if not self.incident.change or day < self.incident.strike:
            return self.feed.through(day)
        since = [self.rows(at) for at in days_between(self.incident.strike, day)]
        return pd.concat([self.feed.through(self.incident.strike - timedelta(days=1)), *since], ignore_index=True)


def days_between(first: date, last: date) -> list[date]:
    """Days, both included."""
    return [first + timedelta(days=at) for at in range((last - first).days + 1)]


def customers_of(bought: pd.DataFrame) -> list[str]:
    """Who shops, in the order of their first purchase."""
    return [str(name) for name in bought[CUSTOMER].unique()]

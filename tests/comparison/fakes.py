"""Seasons as they were observed, made by hand: what a scoreboard is drawn from."""

from datetime import date, timedelta
from typing import Any

from comparison.customers import ServedDay
from comparison.season import Played

OPENING = date(2017, 6, 5)
INCIDENT = OPENING + timedelta(days=2)
FIRST, SECOND = "digest of 1.0", "digest of 1.1"


def served(digests: list[str], shoppers: int = 10) -> list[ServedDay]:
    """Days in a row, by the bundle that answered; an empty digest is a day without an answer."""
    versions = [{"trained_through": "2017-06-04", "histories_through": "2017-06-04"} if one else {} for one in digests]
    return [
        ServedDay(OPENING + timedelta(days=at), digest, versions[at], 0.2 if digest else 0.0, shoppers)
        for at, digest in enumerate(digests)
    ]


def played(digests: list[str], **changes: Any) -> Played:
    """A season of level 3 in which these bundles answered, deployed as they answered and not recorded."""
    days = served(digests)
    known: dict[str, Any] = {
        "level": 3,
        "days": days,
        "deployed": {day.day: day.digest for day in days},
        "recorded_live": {day.day: None for day in days},
        "made": {"1.0": FIRST, "1.1": SECOND},
        "actions": ["git push"],
        "refused": 0,
        "incident_on": INCIDENT,
        "seconds": {"first release": 1.0},
        "answer": {"recommendations": [{"rank": 1, "name": "Milk", "reason": "bought 3 times"}]},
        "starts_again": True,
    }
    return Played(**(known | changes))

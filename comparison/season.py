"""Plays a season through the levels: the same days, the same customers, the same incident."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from comparison.customers import ServedDay, shop
from comparison.incidents.truncated_bundle import truncate
from comparison.teams.by_level import TEAMS, Team
from shared.dataset.clock import set_known_through
from shared.dataset.feed import Feed, open_feed, require_in_feed
from shared.errors import DependencyDown
from shared.places import home, set_aside, shop_folder
from shared.service.process import start, stop

OPENING = date(2017, 6, 5)
DAYS = 14
INCIDENT_ON_DAY = 7
Progress = Callable[[Iterable[date], str], Iterable[date]]


@dataclass(frozen=True)
class Played:
    """A level's season.

    deployed: the digest that was deployed last, by day. recorded_live: the digest that the level's own records
    name. seconds: by phase. answer: what the service answered over HTTP on the first day. starts_again:
    whether the service comes up when it is restarted after the last day.
    """

    level: int
    days: list[ServedDay]
    deployed: dict[date, str]
    recorded_live: dict[date, str | None]
    made: dict[str, str]
    actions: list[str]
    refused: int
    incident_on: date
    seconds: dict[str, float]
    answer: dict[str, Any]
    starts_again: bool


def silent(days: Iterable[date], label: str) -> Iterable[date]:
    """No progress bar."""
    return days


def play(
    levels: Iterable[int], customer: str, progress: Progress = silent, opening: date | None = None, days: int = DAYS
) -> list[Played]:
    """Play the season through each level, from an empty level on. Existing state of a level is set aside."""
    feed = open_feed(shop_folder())
    opening = opening or opening_day(feed, days)
    require_in_feed(feed, opening - timedelta(days=1))
    require_in_feed(feed, opening + timedelta(days=days - 1))
    return [play_level(level, feed, opening, days, customer, progress) for level in levels]


def opening_day(feed: Feed, days: int) -> date:
    """When the season begins: the day that was chosen for the real year, else so that it ends with the feed."""
    return OPENING if feed.first_day < OPENING < feed.last_day else feed.last_day - timedelta(days=days - 1)


def play_level(level: int, feed: Feed, opening: date, days: int, customer: str, progress: Progress) -> Played:
    """One level's season."""
    folder = home() / f"level{level}"
    stop(folder)
    stop(folder / "server")
    set_aside(folder)
    incident_on = opening + timedelta(days=INCIDENT_ON_DAY)
    team = TEAMS[level](truncate, incident_on)
    seconds: dict[str, float] = {}
    served: list[ServedDay] = []
    deployed: dict[date, str] = {}
    answer: dict[str, Any] = {}
    season = [opening + timedelta(days=number) for number in range(days)]
    keep_service_log(team)
    for day in progress(season, f"level {level}"):
        set_known_through(feed.folder, day - timedelta(days=1))
        if day == opening:
            with stopwatch(seconds, "first release"):
                team.begin(day - timedelta(days=1))
            answer = ask_for_real(team, customer)
        with stopwatch(seconds, "mornings"):
            team.morning(day, opening)
        deployed[day] = team.pointer_digest()
        with stopwatch(seconds, "lists"):
            served.append(shop(team.service, feed, day))
        set_known_through(feed.folder, day)
        with stopwatch(seconds, "evenings"):
            team.evening(day)
    return Played(
        level=level,
        days=served,
        deployed=deployed,
        recorded_live={day: team.recorded_live(day) for day in season},
        made=team.made,
        actions=team.actions,
        refused=team.refused,
        incident_on=incident_on,
        seconds=seconds,
        answer=answer,
        starts_again=bool(ask_for_real(team, customer)),
    )


def ask_for_real(team: Team, customer: str) -> dict[str, Any]:
    """Start the level's service as a process of its own, ask for one customer over HTTP, and stop it.

    Empty if the service does not start.
    """
    try:
        running = start(team.service_folder, team.module, 8000 + team.level)
        return running.recommend(customer, k=3)
    except DependencyDown:
        return {}
    finally:
        stop(team.service_folder)


def keep_service_log(team: Team) -> None:
    """Send what a level's service logs to the file where its own process would write it."""
    team.service_folder.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger(f"level{team.level}.serve")
    logger.handlers = [logging.FileHandler(team.service_folder / "service.log")]
    logger.propagate = False


@contextmanager
def stopwatch(seconds: dict[str, float], phase: str) -> Iterator[None]:
    """Add the time that a block takes to a phase."""
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds[phase] = seconds.get(phase, 0.0) + time.perf_counter() - began

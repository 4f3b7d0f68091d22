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
from comparison.teams.by_level import team_of
from comparison.teams.team import Team
from shared.dataset.clock import set_known_through
from shared.dataset.feed import Feed, open_feed, require_in_feed
from shared.errors import DependencyDown, UsageError
from shared.model.holdout import HOLDOUT_DAYS
from shared.places import home, set_aside, shop_folder
from shared.service.process import start, stop
from shared.text import count

OPENING = date(2017, 6, 5)
# A shop that began later than this before `OPENING` opens its season as late as it can: there is more to learn from.
BEFORE_OPENING = timedelta(days=60)
DAYS = 14
LEAST_DAYS = 8
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
    teams = {level: team_of(level) for level in levels}
    feed = open_feed(shop_folder())
    opening = opening or opening_day(feed, days)
    require_in_feed(feed, opening - timedelta(days=1))
    require_in_feed(feed, opening + timedelta(days=days - 1))
    return [play_level(team, feed, opening, days, customer, progress) for team in teams.values()]


def opening_day(feed: Feed, days: int) -> date:
    """The season's first day: the one chosen for the real year where the feed spans that season, else a late one.

    It then ends with the feed. Raises UsageError for a shop that is too young to train on before the season begins.
    """
    known, least = (feed.last_day - feed.first_day).days + 1, days + HOLDOUT_DAYS + 1
    if known < least:
        shorter = f"Pass --days {known - HOLDOUT_DAYS - 1}, or i" if known - HOLDOUT_DAYS - 1 >= LEAST_DAYS else "I"
        raise UsageError(
            f"The shop's feed has {count(known, 'day')}, from {feed.first_day} to {feed.last_day}; a season of "
            f"{count(days, 'day')} needs {least}: {HOLDOUT_DAYS} to judge the first release, and one before them.",
            fix=f"{shorter}mport more days.",
        )
    spans = OPENING - feed.first_day >= BEFORE_OPENING and feed.last_day - OPENING >= timedelta(days=days - 1)
    return OPENING if spans else feed.last_day - timedelta(days=days - 1)


def play_level(kind: type[Team], feed: Feed, opening: date, days: int, customer: str, progress: Progress) -> Played:
    """One level's season."""
    level = kind.level
    folder = home() / f"level{level}"
    stop(folder)
    stop(folder / "server")
    set_aside(folder)
    incident_on = opening + timedelta(days=INCIDENT_ON_DAY)
    team = kind(truncate, incident_on)
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

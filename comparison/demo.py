"""The demo: six weeks with careful people and three incidents, one after the other, in one play without a twin.

So it shows what was kept out, who noticed and how soon; what an incident cost, only a drill can say.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from comparison.incidents.by_name import kind_of, make
from comparison.incidents.several import Several
from comparison.measures import Quiet, measure
from comparison.season import Season
from comparison.verdicts import Verdict, Window, judge
from comparison.world import ARMED_DAYS, Calendar, days_between

DAYS = 42
PEOPLE = "careful"
# By the day of the demo on which each strikes, counted from 0: a release is made on each seventh.
INCIDENTS = {"cut-bundle": 7, "renumbered-products": 10, "typo": 28}


def strikes(calendar: Calendar) -> dict[str, date]:
    """The day on which each incident strikes."""
    return {name: calendar.opening + timedelta(days=at) for name, at in INCIDENTS.items()}


def play(season: Season) -> None:
    """Play it, from an empty level on."""
    season.calendar.require(DAYS, "the demo")
    season.prepare()
    days = strikes(season.calendar)
    season.play_once("demo", lambda: several(season, days), season.calendar.opening, DAYS)


def several(season: Season, days: dict[str, date]) -> Several:
    """The three incidents, anew for each level."""
    made = tuple(make(name, day, season.feed) for name, day in days.items())
    return Several(min(days.values()), incidents=made)


def quiet_of(season: Season, level: int) -> Quiet:
    """The demo's days in numbers; there are no false alarms to count, as there is no twin."""
    diary = season.once("demo", level)
    return measure(level, diary.entries(), diary.noted("records"))


def verdicts_of(season: Season, level: int) -> list[Verdict]:
    """What became of each incident, until the next one struck."""
    diary, days = season.once("demo", level), strikes(season.calendar)
    entries = diary.entries()
    ends = [*list(days.values())[1:], season.calendar.opening + timedelta(days=DAYS)]
    found = []
    for (name, start), end in zip(days.items(), ends, strict=True):
        mine = [entry for entry in entries if start <= date.fromisoformat(entry["day"]) < end]
        before = [entry["trainings"] for entry in entries if date.fromisoformat(entry["day"]) < start][-1]
        found.append(judge(window_of(level, name, start, mine, before)))
    return found


def window_of(level: int, name: str, start: date, entries: Sequence[dict[str, Any]], before: int) -> Window:
    """A part of the demo as a window whose twin is the same days without signals and actions: nothing is lost to it."""
    twin = [{**entry, "signals": [], "did": []} for entry in entries]
    own = [{**entry, "struck": entry["struck"] if name in entry["struck"] else ""} for entry in entries]
    bad, reference = [entry["bad"] for entry in entries], [entry["ndcg"] for entry in entries]
    return Window(level, name, start, own, twin, bad, reference, True, kind_of(name).door, before)


def armed_from(calendar: Calendar) -> date:
    """The day from which on level 4's alarm on quality is armed."""
    return calendar.opening + timedelta(days=ARMED_DAYS)


def days_of(calendar: Calendar) -> list[date]:
    """The demo's days."""
    return days_between(calendar.opening, calendar.opening + timedelta(days=DAYS - 1))

"""The people of the season: what a person does on a morning, by the signals that they have seen and nothing else.

Their habits are one published assumption, people.toml. They never learn an incident's name.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from shared.config import Strict, read_config

FILE = Path(__file__).with_name("people.toml")
SATURDAY = 5
# Who brings a day again when a person has asked.
SUPPLIER = "supplier"
# Kinds of alarms that say customers are worse off, or may be; a refusal says that nothing changed.
HURTS = frozenset({"quality", "errors", "empty-answers", "fallbacks", "skew"})
LADDER = ("repeat", "go_back", "ask", "do_as_told")


class Habits(Strict):
    """How a person works."""

    runbook_every_days: int = Field(ge=1)
    look_every_days: int = Field(ge=1)
    odd_drop: float = Field(gt=0, lt=1)
    asked_mend_in_working_days: int = Field(ge=1)
    complaint_share: float = Field(gt=0, le=1)
    calm_after_days: int = Field(ge=1)


class Settings(Strict):
    """The kinds of people that there are."""

    usual: Habits
    careful: Habits
    careless: Habits


def habits_of(kind: str) -> Habits:
    """The habits of usual, careful or careless people."""
    habits: Habits = getattr(read_config(FILE, Settings), kind)
    return habits


@dataclass(frozen=True)
class Signal:
    """Something that a person can know of. by: machine (pushed; nobody asked) or person.

    kind: exit code, failed job, alarm, complaint, look. about: what it is of, the same on another day for the same
    thing. hurts: whether it says that customers may be worse off.
    """

    day: date
    kind: str
    about: str
    words: str
    by: str
    hurts: bool = False

    def as_data(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "day": self.day.isoformat()}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """A signal from plain data."""
        return cls(**{**data, "day": date.fromisoformat(data["day"])})


def is_working_day(day: date) -> bool:
    """Monday to Friday."""
    return day.weekday() < SATURDAY


def working_days_after(day: date, days: int) -> date:
    """So many working days later.

    >>> working_days_after(date(2017, 6, 2), 2).isoformat()  # a Friday
    '2017-06-06'
    """
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day


@dataclass
class Person:
    """A person's memory. rung: the next one of the ladder; answer_on: when those who were asked answer."""

    habits: Habits
    rung: int = 0
    waiting: list[Signal] = field(default_factory=list)
    last_signal: date | None = None
    answer_on: date | None = None
    last_look: date | None = None
    last_number: float | None = None
    last_runbook: date | None = None

    def notice(self, signals: Sequence[Signal]) -> None:
        """Signals that came in; they wait for the next working morning."""
        self.waiting += signals

    def choose(self, day: date) -> str:
        """What is done on a morning about the signals: a rung of the ladder; empty for nothing."""
        if not is_working_day(day):
            return ""
        if self.answer_on:
            if day < self.answer_on:
                return ""
            self.answer_on, self.rung = None, 0
            return "do_as_told"
        seen, self.waiting = [one for one in self.waiting if one.day < day], []
        if not seen:
            return ""
        if self.last_signal and (seen[0].day - self.last_signal).days > self.habits.calm_after_days:
            self.rung = 0
        self.last_signal = seen[-1].day
        return self._climb(day, hurts=any(one.hurts for one in seen))

    def is_due(self, what: str, day: date, since: date) -> bool:
        """Whether it is time to `look`, or for the `runbook`, on a working morning; remembers that it was done."""
        every = self.habits.look_every_days if what == "look" else self.habits.runbook_every_days
        last = (self.last_look if what == "look" else self.last_runbook) or since
        if not is_working_day(day) or (day - last).days < every:
            return False
        if what == "look":
            self.last_look = day
        else:
            self.last_runbook = day
        return True

    def finds_odd(self, number: float | None) -> bool:
        """Whether a number is so far below the one before that a person wonders."""
        before, self.last_number = self.last_number, number if number is not None else self.last_number
        return number is not None and before is not None and number < (1 - self.habits.odd_drop) * before

    def _climb(self, day: date, hurts: bool) -> str:
        chosen = LADDER[self.rung]
        if chosen == "go_back" and not hurts:
            self.rung += 1
            chosen = LADDER[self.rung]
        self.rung += 1
        if chosen == "ask":
            self.answer_on = working_days_after(day, self.habits.asked_mend_in_working_days)
        return chosen

    def as_data(self) -> dict[str, Any]:
        """What is remembered, as plain data."""
        known = {name: getattr(self, name) for name in ("rung", "last_number")}
        days = {name: getattr(self, name) for name in ("last_signal", "answer_on", "last_look", "last_runbook")}
        return {
            **known,
            **{name: day.isoformat() if day else None for name, day in days.items()},
            "waiting": [one.as_data() for one in self.waiting],
        }

    @classmethod
    def read(cls, habits: Habits, data: dict[str, Any]) -> Self:
        """A person from plain data."""
        days = {
            name: date.fromisoformat(data[name]) if data[name] else None
            for name in ("last_signal", "answer_on", "last_look", "last_runbook")
        }
        waiting = [Signal.read(one) for one in data["waiting"]]
        return cls(habits, data["rung"], waiting, last_number=data["last_number"], **days)

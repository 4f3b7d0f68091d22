"""What the loop keeps of a day: its values, and the alarms that they gave. Rows of the ledger hold nothing else.

Every part of a tick that looks back reads these, so there is no other state to lose.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

Severity = Literal["warning", "alarm"]


@dataclass(frozen=True)
class Alarm:
    """Something that a person may have to look at. kind: a heading of docs/how-to/alarms.md; about: which of many."""

    kind: str
    what: str
    severity: Severity = "alarm"
    about: str = ""

    @property
    def incident(self) -> str:
        """The name under which days with this alarm belong together; a warning that becomes an alarm is told anew."""
        warning = "warning" if self.severity == "warning" else ""
        return " ".join(filter(None, (self.kind, self.about, warning)))


@dataclass(frozen=True)
class Kept:
    """A day as it was seen in its evening.

    values: by name, None where there was nothing to measure. counts: False where the day is no day like others
    (a holiday, without sales, in quarantine), so that it is in no quality value and no reference.
    """

    day: date
    values: dict[str, float | None] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    counts: bool = True

    def value(self, name: str) -> float | None:
        """A value; None if the day does not count or has none."""
        return self.values.get(name) if self.counts else None

    def raised(self, kind: str, severity: Severity = "alarm") -> bool:
        """Whether a kind of alarm was raised."""
        return any(alarm.kind == kind and alarm.severity == severity for alarm in self.alarms)

    def as_data(self) -> dict[str, Any]:
        """Plain data for a row of the ledger."""
        return {**asdict(self), "day": self.day.isoformat(), "alarms": [asdict(alarm) for alarm in self.alarms]}


def read_kept(data: dict[str, Any]) -> Kept:
    """A day from plain data."""
    alarms = tuple(Alarm(**alarm) for alarm in data["alarms"])
    return Kept(date.fromisoformat(data["day"]), data["values"], alarms, data["counts"])


def incident_began(history: Sequence[Kept], incident: str, ends_after_days: int) -> date | None:
    """The first day of an incident that goes on through the last day of `history`; None if none does.

    >>> days = [Kept(date(2017, 1, n), alarms=(Alarm("drift", "", about="amount"),) if n in (1, 9) else ())
    ...         for n in range(1, 10)]
    >>> incident_began(days, "drift amount", 14).isoformat(), incident_began(days, "drift amount", 7).isoformat()
    ('2017-01-01', '2017-01-09')
    """
    began: date | None = None
    last: date | None = None
    for kept in history:
        if any(alarm.incident == incident for alarm in kept.alarms):
            began = kept.day if last is None or (kept.day - last).days > ends_after_days else began
            last = kept.day
    over = last is None or (history[-1].day - last).days > ends_after_days
    return None if over else began

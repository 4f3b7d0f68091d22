"""Ingest: a day is taken in, or quarantined, before anything uses it.

*Damage* (what no shop's day looks like) quarantines; *change* (customers, products or pairs that the weeks before
did not know) is an alarm, and quarantines only where next to nothing is known: the loop is there for change.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from level3_cicd.ledger import Row
from level4_monitoring.config import Schedule
from level4_monitoring.kept import Alarm
from level4_monitoring.past import INGEST, Past
from shared.columns import PRODUCT
from shared.dataset.checks import check_day, is_damage
from shared.dataset.feed import Feed
from shared.dataset.reference import ReferenceReader
from shared.errors import CheckFailed
from shared.text import count


@dataclass(frozen=True)
class Checked:
    """What was found in a day. damage, change: in words, one each."""

    day: date
    digest: str
    rows: int
    damage: tuple[str, ...] = ()
    change: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """empty, quarantined or taken."""
        if self.damage:
            return "quarantined"
        return "taken" if self.rows else "empty"


def check(feed: Feed, day: date, reader: ReferenceReader) -> Checked:
    """The findings on a day, parted. Raises CheckFailed if its file is not what was recorded."""
    if not feed.matches_record(day):
        raise CheckFailed(f"The rows of {day} are others than were recorded.", fix="Bring that day again.")
    rows = feed.day(day)
    digest = digest_of(feed, day)
    if rows.empty:
        return Checked(day, digest, 0)
    findings = check_day(rows, day, pd.Index(feed.products()[PRODUCT]), reader.reference(day))
    told = [(is_damage(str(finding.check)), describe(finding)) for finding in findings.itertuples()]
    damage, change = (tuple(words for harmful, words in told if harmful == wanted) for wanted in (True, False))
    return Checked(day, digest, len(rows), damage, change)


def describe(finding: Any) -> str:
    """A finding in words."""
    limit = f" (limit {finding.limit})" if finding.limit else ""
    return f"{finding.column or 'rows'}: {finding.check}, {finding.found}{limit}"


def digest_of(feed: Feed, day: date) -> str:
    """The recorded digest of a day's rows; empty for a day without a file."""
    return str(feed.about["days"].get(day.isoformat(), {}).get("digest", ""))


def digests_of(feed: Feed) -> dict[date, str]:
    """The recorded digest of each day's rows."""
    return {date.fromisoformat(day): str(entry["digest"]) for day, entry in feed.about["days"].items()}


def days_to_ingest(past: Past, digests: dict[date, str], day: date) -> list[date]:
    """The day, and those before it that were ingested once and have other rows by now, the oldest first."""
    last = {row.as_of: row.data_digest for row in past.rows if row.step == INGEST}
    changed = [known for known, digest in last.items() if known < day and digests.get(known, "") != digest]
    return sorted(changed) + ([day] if last.get(day) != digests.get(day, "") else [])


def ingest(feed: Feed, past: Past, day: date, limits: Schedule, actor: str) -> list[Row]:
    """The row of each day that is taken in, or quarantined, this evening."""
    days = days_to_ingest(past, digests_of(feed), day)
    if not days:
        return []
    reader = ReferenceReader(feed)
    return [judge(check(feed, known, reader), day, limits, actor) for known in days]


def judge(found: Checked, evening: date, limits: Schedule, actor: str) -> Row:
    """A day's row."""
    verdict, reason = found.verdict, "; ".join([*found.damage, *found.change]) or count(found.rows, "row")
    late = (evening - found.day).days
    if late > limits.late_days:
        verdict, reason = "quarantined", f"its rows changed {late} days later; {reason}"
    elif late:
        reason = f"a new version, {count(late, 'day')} later; {reason}"
    numbers = {"damage": found.damage, "change": found.change, "rows": found.rows, "evening": str(evening)}
    return Row(found.day, INGEST, verdict, reason, data_digest=found.digest, actor=actor, numbers=numbers)


def ingest_alarms(past: Past, evening: date, limits: Schedule) -> list[Alarm]:
    """What a person is told of the days that were ingested in an evening."""
    alarms = []
    for row in past.rows:
        if row.step != INGEST or row.numbers.get("evening") != str(evening):
            continue
        alarms += [Alarm("change", f"{row.as_of}, {words}") for words in row.numbers["change"]]
        if (evening - row.as_of).days > limits.late_days:
            alarms.append(Alarm("late-rows", f"the rows of {row.as_of}: {row.reason}", about=str(row.as_of)))
        elif row.verdict == "quarantined":
            alarms.append(Alarm("quarantine", f"{row.as_of} is in quarantine: {row.reason}", about=str(row.as_of)))
    return alarms


def accepted_row(feed: Feed, day: date, why: str, actor: str) -> Row:
    """A person's word that a day in quarantine is right."""
    return Row(day, INGEST, "accepted", why, data_digest=digest_of(feed, day), actor=actor)


def recent(days: Collection[date], evening: date, within: int) -> tuple[date, ...]:
    """Those of some days that are among the last ones."""
    return tuple(sorted(day for day in days if 0 <= (evening - day).days < within))


def is_known_for(feed: Feed, day: date) -> int:
    """For how many days the shop is known."""
    return (day - feed.first_day + timedelta(days=1)).days

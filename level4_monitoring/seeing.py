"""What the loop sees in an evening: the day's values and alarms, the comparison, and what the ledger remembers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from level4_monitoring import detect
from level4_monitoring.config import LoopConfig
from level4_monitoring.day import Day, read_day
from level4_monitoring.decide import Seen
from level4_monitoring.ingest import ingest_alarms, is_known_for, recent
from level4_monitoring.kept import Alarm, Kept
from level4_monitoring.monitor import look_back, write_page
from level4_monitoring.past import Past, open_trigger
from level4_monitoring.purchases import differences
from level4_monitoring.shadow import rivals, so_far, watch
from level4_monitoring.verdicts import Comparison
from shared.dataset.feed import Feed
from shared.errors import DependencyDown, IntegrityError, Locked
from shared.text import count

# Alarms that say that a release's service is in bad health; a missing figure is none of them.
KEPT_PAGES = 10
ILL = ("errors", "empty-answers", "fallbacks")


@dataclass(frozen=True)
class Looked:
    """An evening: what is kept of the day, what is seen, and what the alarms can see by now, in words."""

    kept: Kept
    seen: Seen
    told: list[str]


def look(level: Path, feed: Feed, usable: Feed, past: Past, day: date, limits: LoopConfig, keep: bool) -> Looked:
    """All that is seen in the evening of a day. feed: as delivered; usable: without what is in quarantine.

    keep: whether what is derived (pairs, the day's page) is kept as files.
    """
    in_quarantine = day in usable.left_out
    live, alarms = past.live, ingest_alarms(past, day, limits.schedule)
    try:
        read = read_day(level, usable, day, live, in_quarantine)
    except IntegrityError as error:
        alarms.append(Alarm("fallbacks", f"what is live does not open: {error.what}"))
        read = read_day(level, usable, day, None, in_quarantine)
    answered = past.live_on(day)
    values = look_back(read, answered.release if answered else "", past.answered_first(day))
    if keep and limits.drift.page_every_day:
        write_page(read, page_of(level, day))
        remove_old_pages(level)
    compared, unseen = compare(level, past, read, limits)
    counts = not (read.delivered.empty or in_quarantine or day in limits.calendar.holidays)
    kept = Kept(day, values, counts=counts)
    history = [*past.history, kept]
    days_known = is_known_for(feed, day)
    alarms += [*detect.detect(history, limits, days_known), *unseen, *old_parameters(read, limits)]
    kept = replace(kept, alarms=tuple(alarms))
    seen = what_is_seen(past, kept, compared, recent(usable.left_out, day, limits.schedule.quarantine_days), limits)
    told = [*what_can_be_seen(history, days_known, limits), *tell_journal(level, day, feed.day(day))]
    return Looked(kept, seen, told)


def compare(level: Path, past: Past, day: Day, limits: LoopConfig) -> tuple[Comparison | None, list[Alarm]]:
    """The comparison that is under way, and what keeps it from going on, if anything does."""
    between = rivals(past, day.day, limits)
    if between is None:
        return None, []
    try:
        return watch(level, between, day, limits, fetcher(level)), []
    except (DependencyDown, Locked) as error:
        alarm = Alarm("unavailable", f"{between.other} is not compared: {error.what}", about="shadow")
        return so_far(level, between, day, limits), [alarm]


def fetcher(level: Path) -> Callable[[str], Path]:
    """What brings a release's bundle into the level's own store again."""

    def fetch(release: str) -> Path:
        from level3_cicd.tools.registry import fetch

        return fetch(level, release)[0]

    return fetch


def what_is_seen(
    past: Past, kept: Kept, compared: Comparison | None, quarantined: tuple[date, ...], limits: LoopConfig
) -> Seen:
    """What decides, from the ledger and the day."""
    history, schedule, freeze = [*past.history, kept], limits.schedule, limits.freeze
    since_thaw = {row.as_of for row in past.since_thaw} | {kept.day}
    return Seen(
        day=kept.day,
        live=past.live.release if past.live else "",
        frozen=past.frozen,
        comparison=compared,
        ill="; ".join(alarm.what for alarm in kept.alarms if alarm.kind in ILL and past.live == past.live_on(kept.day)),
        last_training=past.last_training(),
        failures=past.failures(),
        trigger=open_trigger(history, past.answered(), limits),
        triggered=past.triggered(kept.day, schedule.triggered_within_days),
        rollbacks=past.rollbacks(kept.day, freeze.rollbacks_within_days),
        without_quality=detect.days_without_quality([known for known in history if known.day in since_thaw]),
        quarantined=quarantined,
    )


def what_can_be_seen(history: list[Kept], days_known: int, limits: LoopConfig) -> list[str]:
    """What the alarms can see by now, in words."""
    state = detect.quality_states(history, limits.quality)[-1]
    return [detect.tell_armed(state, limits.quality), detect.tell_assortment(history, days_known)]


def tell_journal(level: Path, day: date, delivered: pd.DataFrame) -> list[str]:
    """By how many rows the delivered day differs from what was posted, in words; nothing where nothing was posted."""
    found = differences(level, day, delivered)
    if found is None:
        return []
    return [f"{count(found[0], 'delivered row')} not posted, {count(found[1], 'posted row')} not delivered"]


def old_parameters(day: Day, limits: LoopConfig) -> list[Alarm]:
    """An alarm if what is live was trained long ago."""
    if day.live is None:
        return []
    age = (day.day - day.live.trained_through_).days
    if age <= limits.schedule.parameters_old_after_days:
        return []
    return [
        Alarm("old-parameters", f"the live release was trained through {day.live.trained_through_}, {age} days ago")
    ]


def page_of(level: Path, day: date) -> Path:
    """Where a day's drift report goes."""
    return level / "reports" / f"{day}.html"


def remove_old_pages(level: Path) -> None:
    """Keep the last pages: each takes 4 MB."""
    for page in sorted((level / "reports").glob("2*.html"))[:-KEPT_PAGES]:
        page.unlink()

"""The loop: every evening it takes the day in, looks back, compares, decides, and does what it decided.

A scheduler, a person's command, the story and the season call `tick`, once a day. It is the only caller of all the
rest, none of which calls another. A tick that was made is answered from the ledger; one that was interrupted, or for
which something did not answer, is finished by the next call.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock

from level3_cicd.ledger import Row, all_rows, append, damages
from level4_monitoring import seeing
from level4_monitoring.act import ACTOR, Evening, carry_out, outcome_row
from level4_monitoring.alarms import Message, new_messages, read_message, tell
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.decide import Decision, Seen, decide
from level4_monitoring.explain import describe_tick
from level4_monitoring.ingest import digests_of, ingest
from level4_monitoring.kept import Alarm, Kept, read_kept
from level4_monitoring.past import DECIDE, REFRESH, Past
from level4_monitoring.predictions import keep_joined
from level4_monitoring.refresh import refresh
from shared.columns import CUSTOMER
from shared.config import read_config
from shared.dataset.feed import Feed, open_feed, require_day
from shared.errors import DependencyDown, IntegrityError, Locked, UsageError
from shared.places import level_folder, shop_folder
from shared.release.pointer import read_pointer
from shared.release.provenance import revision
from shared.service.belonging import settle

# The weekday on whose evening histories are rebuilt and compared: Sunday.
REBUILT_ON = 6
Decide = Callable[[Seen, LoopConfig], Decision]


@dataclass(frozen=True)
class Ticked:
    """A tick's decision with its outcome, for people."""

    row: Row
    level: Path

    def data(self) -> Row:
        """The row, for JSON."""
        return self.row

    def describe(self) -> str:
        """A day's decision in words."""
        outcome = Past(all_rows(self.level)).outcome_of(self.row)
        return describe_tick(self.row, outcome, self.level)


def monitor_model(level: Path, as_of: date, dry_run: bool = False) -> Ticked:
    """The evening's tick, with its decision."""
    return Ticked(tick(as_of, dry_run=dry_run), level)


def tick(as_of: date, config: LoopConfig | None = None, decide: Decide = decide, dry_run: bool = False) -> Row:
    """What level 4 does in the evening of a day; returns the day's decision.

    Raises UsageError for a day that has passed without a tick, CheckFailed or IntegrityError where a delivered day
    or the ledger is damaged: the service goes on.
    """
    level, feed = level_folder(4), open_feed(shop_folder())
    limits = config or read_config(CONFIG, LoopConfig)
    require_day(feed, as_of)
    if not dry_run:
        settle(level, shop_folder())
    with turn(level):
        require_sound_ledger(level)
        past = Past(all_rows(level))
        left = past.unfinished()
        if left and not dry_run and as_of >= left.as_of:
            finish(level, feed, left, past, as_of, limits)
            past = Past(all_rows(level))
        made = past.tick_of(as_of)
        if made:
            return made
        require_later(past, as_of)
        return new_tick(level, feed, past, as_of, limits, decide, dry_run)


def new_tick(level: Path, feed: Feed, past: Past, day: date, limits: LoopConfig, decide: Decide, dry_run: bool) -> Row:
    """Look, decide, write it down, and carry it out."""
    rows = ingest(feed, past, day, limits.schedule, ACTOR)
    kept_rows = rows if dry_run else [append(level, row) for row in rows]
    past = Past([*past.rows, *kept_rows])
    usable = feed.without(past.quarantined(digests_of(feed)))
    looked = seeing.look(level, feed, usable, past, day, limits, keep=not dry_run)
    decision = decide(looked.seen, limits)
    row = decision_row(decision, looked, limits)
    if dry_run:
        return row
    row = append(level, row)
    finish(level, feed, row, past, day, limits)
    return row


def finish(level: Path, feed: Feed, decision: Row, past: Past, day: date, limits: LoopConfig) -> None:
    """Carry a decision out, tell what is new, and write down what came of it."""
    quarantined = past.quarantined(digests_of(feed))
    evening = Evening(
        level, day, feed.without(quarantined), past.taken(), frozenset(quarantined), limits.challenger.tune_half_life
    )
    mended = refreshed(evening) if decision.as_of == day else []
    verdict, reason = carry_out(decision, evening, Past(all_rows(level)))
    keep_joined(level, day, lambda old: feed.day(old)[CUSTOMER].astype(str))
    late = [Alarm("unavailable", f"{decision.verdict}: {reason}")] if verdict == "unavailable" else []
    late += [Alarm("frozen", decision.reason)] if decision.verdict == "freeze" else []
    did = f"{decision.verdict}: {decision.reason}"
    messages = told_today(past, decision, [*mended, *late], limits, did)
    untold = tell(level, [*still_untold(past), *messages])
    numbers = {"alarms": [asdict(alarm) for alarm in (*mended, *late)], "untold": [one.as_data() for one in untold]}
    append(level, outcome_row(decision, day, verdict, reason, numbers))


def refreshed(evening: Evening) -> list[Alarm]:
    """Bring the customers' histories up to date, as a row of the ledger; what was wrong with them, if anything."""
    if read_pointer(evening.level) is None:
        return []
    try:
        made = refresh(evening.level, evening.feed, evening.day, rebuild=evening.day.weekday() == REBUILT_ON)
    except (Locked, DependencyDown, OSError) as error:
        return [Alarm("unavailable", f"the histories are not refreshed: {error}", about="refresh")]
    numbers = {"histories": made.pointer.histories, "histories_digest": made.pointer.histories_digest}
    release = made.pointer.release
    row = Row(evening.day, REFRESH, "done", made.mended or "carried forward", release, actor=ACTOR, numbers=numbers)
    known = [row for row in all_rows(evening.level) if row.step == REFRESH and row.as_of == evening.day]
    if not known or known[-1].numbers != numbers:
        append(evening.level, row)
    return [Alarm("mended", made.mended)] if made.mended else []


def told_today(past: Past, decision: Row, late: list[Alarm], limits: LoopConfig, did: str) -> list[Message]:
    """The incidents that began on the day of a decision; those that came of carrying it out among them."""
    kept = kept_of(decision)
    before = [known for known in past.with_outcomes if known.day < kept.day]
    seen_before = {alarm.incident for row in past.health if row.as_of == kept.day for alarm in kept_of(row).alarms}
    new = tuple(alarm for alarm in (*kept.alarms, *late) if alarm.incident not in seen_before)
    return new_messages([*before, replace(kept, alarms=new)], limits.alarms.incident_ends_after_days, did)


def kept_of(row: Row) -> Kept:
    """What a decision's row keeps of its day."""
    return read_kept(row.numbers["kept"])


def still_untold(past: Past) -> list[Message]:
    """What the last outcome could not send."""
    outcomes = [row for row in past.rows if row.step == "outcome"]
    return [read_message(data) for data in outcomes[-1].numbers["untold"]] if outcomes else []


def decision_row(decision: Decision, looked: "seeing.Looked", limits: LoopConfig) -> Row:
    """The row before: all that was seen, the limits, what was decided and why."""
    numbers: dict[str, Any] = {
        "kept": looked.kept.as_data(),
        "seen": looked.seen.as_data(),
        "limits": limits.model_dump(mode="json"),
        "decision": decision.numbers,
        "would": decision.would,
        "told": looked.told,
    }
    return Row(
        as_of=looked.kept.day,
        step=DECIDE,
        verdict=decision.action,
        reason=decision.reason,
        release=decision.release,
        revision=revision(),
        actor=ACTOR,
        numbers=numbers,
    )


def tick_all(known_through: date, **how: Any) -> list[Row]:
    """A tick for each day that has arrived and had none, the oldest first; the first one ever is of the last day."""
    past = Past(all_rows(level_folder(4)))
    first = past.ticks[-1].as_of if past.ticks else known_through
    days = [first + timedelta(days=number) for number in range((known_through - first).days + 1)]
    return [tick(day, **how) for day in days]


def open_challenger(level: Path) -> str | None:
    """The release that is a challenger now."""
    row = Past(all_rows(level)).challenger()
    return row.release if row else None


def require_later(past: Past, as_of: date) -> None:
    """Refuse a day that has passed: days go forward only."""
    if past.ticks and as_of < past.ticks[-1].as_of:
        raise UsageError(
            f"No tick was made on {as_of}, and {past.ticks[-1].as_of} is decided: days go forward only.",
            fix=f"Pass --as-of with a day after {past.ticks[-1].as_of}.",
        )


def require_sound_ledger(level: Path) -> None:
    """Stop where the ledger was rewritten: nothing can be decided by it."""
    found = damages(level)
    if found:
        raise IntegrityError(
            f"The ledger of {level} is damaged: {'; '.join(found)}.",
            fix="Bring it back from a backup; the service goes on meanwhile.",
        )


@contextmanager
def turn(level: Path) -> Iterator[None]:
    """One tick at a time: a second one waits."""
    level.mkdir(parents=True, exist_ok=True)
    with FileLock(level / ".loop.lock"):
        yield

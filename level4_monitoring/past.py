"""What the ledger says of the days before: the loop has no other memory. Pure; the loop reads the rows once a tick."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from level3_cicd.ledger import Row
from level3_cicd.rollout.store import row_before
from level4_monitoring.config import LoopConfig
from level4_monitoring.kept import Alarm, Kept, read_kept
from level4_monitoring.triggers import trigger_days

DECIDE, OUTCOME, INGEST, REFRESH, FREEZE, THAW = "decide", "outcome", "ingest", "refresh", "freeze", "thaw"
OVERDUE, HEALTH, DEAD = "overdue", "health", "dead-loop"
FINAL = ("done", "refused")


@dataclass(frozen=True)
class Past:
    """All rows of a level's ledger, in order."""

    rows: Sequence[Row]

    @cached_property
    def ticks(self) -> list[Row]:
        """The decisions, one a day."""
        return [row for row in self.rows if row.step == DECIDE]

    @cached_property
    def history(self) -> list[Kept]:
        """The days as they were seen in their evenings."""
        return [read_kept(row.numbers["kept"]) for row in self.ticks]

    @cached_property
    def health(self) -> list[Row]:
        """The decisions of the looks between ticks: those that found something new."""
        return [row for row in self.rows if row.step == HEALTH]

    @cached_property
    def with_outcomes(self) -> list[Kept]:
        """The days with all of their alarms: of the evening, of carrying it out, and of the looks until the next one.

        The last day may have had looks and no tick yet.
        """
        days = {kept.day: kept for kept in self.history}
        for row in self.health:
            kept = read_kept(row.numbers["kept"])
            known = days.get(kept.day, Kept(kept.day))
            days[kept.day] = replace(known, alarms=(*known.alarms, *kept.alarms))
        for row in [*self.ticks, *self.health]:
            outcome = self.outcome_of(row)
            late = tuple(Alarm(**alarm) for alarm in outcome.numbers["alarms"]) if outcome else ()
            known = days[read_kept(row.numbers["kept"]).day]
            days[known.day] = replace(known, alarms=(*known.alarms, *late))
        return [days[day] for day in sorted(days)]

    @cached_property
    def lives(self) -> list[Row]:
        """The rows after which another release was live."""
        return [row for row in self.rows if row.sequence > 0]

    @property
    def live(self) -> Row | None:
        """The row of what is live."""
        return self.lives[-1] if self.lives else None

    def live_on(self, day: date) -> Row | None:
        """The row of what answered on a day. What a person deploys the next morning, before the tick, did not."""
        before = [row for row in self.lives if row.as_of < day]
        return before[-1] if before else self.live

    def answered_first(self, day: date) -> frozenset[str]:
        """The releases that answered on a day until a look at the service's health went back."""
        went_back = (row for row in self.health if row.verdict == "roll back" and row.as_of == day - timedelta(days=1))
        return frozenset(row.numbers["seen"]["live"] for row in went_back)

    def tick_of(self, day: date) -> Row | None:
        """A day's decision."""
        return next((row for row in reversed(self.ticks) if row.as_of == day), None)

    def outcome_of(self, decision: Row) -> Row | None:
        """What came of a decision so far."""
        told = (row for row in reversed(self.rows) if row.step == OUTCOME)
        return next((row for row in told if row.numbers["decision"] == decision.hash), None)

    def is_finished(self, decision: Row) -> bool:
        """Whether a decision was carried out, or refused for good."""
        outcome = self.outcome_of(decision)
        return outcome is not None and outcome.verdict in FINAL

    def unfinished(self) -> Row | None:
        """The last decision, if it is to be carried out still."""
        last = self.ticks[-1] if self.ticks else None
        return last if last and not self.is_finished(last) else None

    @property
    def frozen(self) -> str:
        """Why the loop is frozen; empty if it is not."""
        told = [row for row in self.rows if row.step in (FREEZE, THAW)]
        return f"{told[-1].reason}, by {told[-1].actor}" if told and told[-1].step == FREEZE else ""

    @cached_property
    def since_thaw(self) -> list[Row]:
        """The decisions since the loop was thawed last, or all of them: what was before is settled."""
        thawed = max((number for number, row in enumerate(self.rows) if row.step == THAW), default=-1)
        return [row for row in self.rows[thawed + 1 :] if row.step in (DECIDE, HEALTH)]

    def challenger(self) -> Row | None:
        """The gate's row on the challenger: what passed since the last change of what is live, and is not closed."""
        changed = max((number for number, row in enumerate(self.rows) if row.sequence > 0), default=-1)
        passed = [row for row in self.rows[changed + 1 :] if row.step == "gate" and row.verdict == "passed"]
        if changed < 0 or not passed or self.is_closed(passed[-1].release):
            return None
        return passed[-1]

    def is_closed(self, release: str) -> bool:
        """Whether a challenger was closed, or could not be deployed. One whose deployment is unavailable is not."""
        for row in self.ticks:
            if row.release == release and row.verdict == "close":
                return True
            outcome = self.outcome_of(row) if row.release == release and row.verdict == "promote" else None
            if outcome and outcome.verdict == "refused":
                return True
        return False

    def retired(self, day: date, most_days: int) -> Row | None:
        """The row of the release that the live one replaced lately, by a deployment; a rollback is not undone."""
        live = self.live
        if live is None or live.step != "deploy" or not 0 < (day - live.as_of).days <= most_days:
            return None
        return row_before(self.lives)

    def last_training(self) -> date | None:
        """The day of the last training, whoever started it and whatever became of it."""
        tried = [row.as_of for row in self.rows if row.step == "gate" or (row.step == "validate" and row.release == "")]
        return max(tried, default=None)

    def failures(self) -> int:
        """How many challengers in a row were refused or closed."""
        number = 0
        for row in self.rows:
            if row.sequence > 0 and row.step == "deploy":
                number = 0
            refused = row.step == "gate" and row.verdict == "refused"
            number += refused or (row.step == DECIDE and row.verdict == "close")
        return number

    def answered(self) -> dict[date, date]:
        """By the first day of an incident, the day of the training that answered it."""
        return {
            date.fromisoformat(trigger): row.as_of
            for row in self.ticks
            if row.verdict == "retrain" and (trigger := row.numbers["decision"].get("trigger"))
        }

    def triggered(self, day: date, within_days: int) -> int:
        """How many trainings answered an alarm lately, since the last thaw."""
        first = day - timedelta(days=within_days)
        lately = [row for row in self.since_thaw if row.verdict == "retrain" and row.as_of > first]
        return sum("trigger" in row.numbers["decision"] for row in lately)

    def rollbacks(self, day: date, within_days: int) -> int:
        """How often the loop went back lately, since the last thaw."""
        first = day - timedelta(days=within_days)
        return sum(row.verdict == "roll back" and row.as_of > first for row in self.since_thaw)

    def quarantined(self, digests: dict[date, str]) -> set[date]:
        """The days in quarantine: refused, not accepted since, and not replaced by others. digests: of days' rows."""
        last = {row.as_of: row for row in self.rows if row.step == INGEST}
        return {
            day for day, row in last.items() if row.verdict == "quarantined" and digests.get(day, "") == row.data_digest
        }

    def taken(self) -> dict[date, str]:
        """The digest of each day that ingest took, or a person accepted."""
        last = {row.as_of: row for row in self.rows if row.step == INGEST}
        return {day: row.data_digest for day, row in last.items() if row.verdict in ("taken", "accepted")}


def open_trigger(history: Sequence[Kept], answered: dict[date, date], config: LoopConfig) -> date | None:
    """The first day of the oldest incident that calls for a training and had none."""
    return next((day for day in trigger_days(history, config) if day not in answered), None)

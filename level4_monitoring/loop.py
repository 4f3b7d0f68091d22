"""The loop: every evening it watches, refreshes the histories, decides, and does what it decided.

A scheduler calls `tick` once a day. A tick that was already made is answered from the ledger; one that
a kill interrupted is made again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from level3_cicd import pipeline
from level3_cicd.deploy import deploy
from level3_cicd.drift import ColumnDrift, tell
from level3_cicd.ledger import Row, append, day_reached, rows_of, verdicts_of_gate
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.decide import Decision, Seen, decide
from level4_monitoring.monitor import Day, monitor
from level4_monitoring.refresh import refresh
from level4_monitoring.shadow import read_evidence, score_day
from shared.config import read_config
from shared.dataset.feed import Feed, open_feed, require_day
from shared.errors import IntegrityError, MlopsError, UsageError
from shared.places import level_folder, shop_folder

ACTOR = "loop"
log = logging.getLogger("level4.loop")


@dataclass(frozen=True)
class Ticked:
    """A tick's row, for people."""

    row: Row
    level: Path

    def data(self) -> Row:
        """The row, for JSON."""
        return self.row

    def describe(self) -> str:
        """A day's decision in words."""
        seen = self.row.numbers
        drift = tell(ColumnDrift(**column) for column in seen["drift"].values() if isinstance(column, dict))
        served = f"NDCG@10 {seen['ndcg_at_10']:.4f} for {seen['customers']} customers who bought"
        return (
            f"{self.row.as_of}: {self.row.verdict}. {self.row.reason}\n"
            f"  Served: {served if seen['customers'] else 'nobody who bought'}; {drift}\n"
            f"  Where:  {self.level / 'reports' / 'latest.html'}\n"
            f"  Next:   mlops deploy history"
        )


def monitor_model(level: Path, as_of: date) -> Ticked:
    """The evening's tick, with its decision."""
    return Ticked(tick(as_of), level)


def tick(as_of: date, config: LoopConfig | None = None, decide: Callable[[Seen, LoopConfig], Decision] = decide) -> Row:
    """What level 4 does in the evening of a day; returns the day's decision."""
    level = level_folder(4)
    feed = open_feed(shop_folder())
    require_day(feed, as_of)
    done = rows_of(level, step="monitor", as_of=as_of)
    if done:
        return done[-1]
    require_no_earlier_day(level, as_of)
    day = monitor(level, feed, as_of)
    histories = refresh(level, feed, as_of)
    seen = watch_challenger(level, feed, day)
    decision = decide(seen, config or read_config(CONFIG, LoopConfig))
    carry_out(level, decision, as_of)
    numbers = {
        "ndcg_at_10": day.ndcg,
        "hit_rate": day.hit_rate,
        "customers": day.customers,
        "drift": day.drift,
        "drifted": day.drifted,
        **decision.numbers,
    }
    row = Row(
        as_of=as_of,
        step="monitor",
        verdict=decision.action,
        reason=decision.reason,
        release=histories.release,
        actor=ACTOR,
        numbers=numbers,
    )
    return append(level, row)


def require_no_earlier_day(level: Path, as_of: date) -> None:
    """Refuse to decide on a day that is before another one that was decided on: it would know of the future."""
    reached = day_reached(level)
    if reached and as_of < reached:
        raise UsageError(
            f"Level 4 has decided on {reached} already; {as_of} is before it.",
            fix=f"Pass --as-of {reached} or a later day.",
        )


def watch_challenger(level: Path, feed: Feed, day: Day) -> Seen:
    """The age of the last training, and the challenger's evidence if there is one."""
    trained = verdicts_of_gate(level)
    age = (day.day - trained[-1].as_of).days if trained else 10_000
    release = open_challenger(level)
    if release is None:
        return Seen(age)
    try:
        score_day(level, release, feed, day.day, day.served, day.bought)
    except IntegrityError as error:
        append(level, Row(day.day, "shadow", "refused", error.what, release=release, actor=ACTOR))
        return Seen(age, damage=error.what)
    return Seen(age, challenger=read_evidence(level, release))


def open_challenger(level: Path) -> str | None:
    """The release that passed the gate last, if nobody has decided about it since."""
    passed = [row for row in verdicts_of_gate(level) if row.verdict == "passed"]
    if not passed:
        return None
    release = passed[-1].release
    told = rows_of(level, release=release)
    closed = any(row.step in ("deploy", "shadow") and row.verdict != "unavailable" for row in told)
    return None if closed else release


def carry_out(level: Path, decision: Decision, as_of: date) -> None:
    """Do what was decided. What the gate or the deployment refuses is in the ledger; the loop goes on."""
    try:
        if decision.action == "retrain":
            pipeline.run(level, as_of, actor=ACTOR)
        elif decision.action == "promote":
            deploy(level, decision.release, as_of, actor=ACTOR)
        elif decision.action == "reject":
            row = Row(as_of, "shadow", "refused", decision.reason, release=decision.release, actor=ACTOR)
            append(level, row)
    except MlopsError as error:
        log.warning("%s on %s came to nothing: %s", decision.action, as_of, error.what)

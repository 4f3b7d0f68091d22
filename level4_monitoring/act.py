"""Carry out what was decided. Whatever happens, an outcome comes of it: done, refused, or unavailable for now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from level3_cicd.ledger import Row, append
from level4_monitoring.past import FREEZE, OUTCOME, Past
from level4_monitoring.promote import promote, roll_back
from level4_monitoring.retrain import retrain
from shared.dataset.feed import Feed
from shared.errors import DependencyDown, Locked, MlopsError

ACTOR = "loop"


@dataclass(frozen=True)
class Evening:
    """What acting needs: the level, the day that is acted on, and the days that may be used.

    taken: digests of the days that ingest took; left_out: days in quarantine, which `feed` is without; tune: whether
    a training chooses its settings anew.
    """

    level: Path
    day: date
    feed: Feed
    taken: dict[date, str]
    left_out: frozenset[date]
    tune: bool = True


def carry_out(decision: Row, evening: Evening, past: Past) -> tuple[str, str]:
    """(done, refused or unavailable; why). past: as the ledger is now, of a decision that was interrupted."""
    try:
        return "done", ACTIONS.get(decision.verdict, nothing)(decision, evening, past)
    except (Locked, DependencyDown, OSError) as error:
        return "unavailable", told(error)
    except MlopsError as error:
        return "refused", told(error)


def told(error: Exception) -> str:
    """An error in words."""
    return error.what if isinstance(error, MlopsError) else str(error)


def nothing(decision: Row, evening: Evening, past: Past) -> str:
    """There is nothing to carry out; for `close`, that the decision stands is all."""
    return "nothing to do"


def do_retrain(decision: Row, evening: Evening, past: Past) -> str:
    """Train a challenger, unless an interrupted call has done so."""
    known = trained_since(past, decision)
    if known:
        return f"{known.release} was trained before the interruption, the gate's verdict: {known.verdict}"
    made = retrain(evening.level, evening.feed, evening.day, ACTOR, evening.left_out, evening.taken, evening.tune)
    return f"{made.release} passed the gate; it is compared from tomorrow on"


def trained_since(past: Past, decision: Row) -> Row | None:
    """The gate's row on what the loop has trained since a decision."""
    hashes = [row.hash for row in past.rows]
    since = past.rows[hashes.index(decision.hash) + 1 :] if decision.hash in hashes else []
    return next((row for row in since if row.step == "gate" and row.actor == ACTOR), None)


def do_promote(decision: Row, evening: Evening, past: Past) -> str:
    """Deploy a challenger."""
    live = decision.numbers["seen"]["live"]
    return promote(evening.level, decision.release, live, evening.day, ACTOR)


def do_roll_back(decision: Row, evening: Evening, past: Past) -> str:
    """Go back to the retired release."""
    live = decision.numbers["seen"]["live"]
    return roll_back(evening.level, decision.release, live, evening.day, ACTOR, decision.reason)


def do_freeze(decision: Row, evening: Evening, past: Past) -> str:
    """Stop acting until a person thaws the loop."""
    if not past.frozen:
        append(evening.level, Row(evening.day, FREEZE, "frozen", decision.reason, actor=ACTOR))
    return "frozen; a person thaws it"


ACTIONS: dict[str, Callable[[Row, Evening, Past], str]] = {
    "retrain": do_retrain,
    "promote": do_promote,
    "roll back": do_roll_back,
    "freeze": do_freeze,
}


def outcome_row(decision: Row, day: date, verdict: str, reason: str, numbers: dict) -> Row:
    """The row after."""
    return Row(
        as_of=day,
        step=OUTCOME,
        verdict=verdict,
        reason=reason,
        release=decision.release,
        actor=ACTOR,
        numbers={"decision": decision.hash, "action": decision.verdict, **numbers},
    )

"""What a killed command or a damage left is mended here, by the next deployment or rollback, and nowhere else."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from level3_cicd.ledger import Row, live_rows
from level3_cicd.rollout.store import pointer_of_ledger
from level3_cicd.rollout.switch import (
    Intent,
    append_live,
    bear_row,
    check_live,
    end_switch,
    intent_file,
    read_intent,
)
from shared.release.manifest import verify
from shared.release.pointer import (
    Pointer,
    forget_going_back,
    is_deliberately_empty,
    pointer_file,
    read_pointer,
    readable_pointer,
    write_pointer,
)
from shared.service.process import stop


def repair(level: Path, as_of: date) -> Row | None:
    """Mend what was left; returns the row of a switch that was made and not ended."""
    stop(level / "staging")
    forget_going_back(level)
    repair_pointer(level)
    return repair_ledger(level, as_of)


def finish(level: Path, row: Row) -> Row:
    """End a switch that was interrupted after it was made: ask the service for what is live now."""
    now = read_pointer(level)
    if now:
        check_live(level, now, verify(level / now.bundle, now.bundle_digest))
        end_switch(level, now)
    return row


def repair_pointer(level: Path) -> None:
    """Where the pointer is damaged or gone, point to what the ledger says is live.

    The ledger knows no histories that were refreshed apart from a release: those of the bundle stand in until then.
    """
    if readable_pointer(level) or is_deliberately_empty(level):
        return
    pointer = pointer_of_ledger(level)
    if pointer:
        write_pointer(level, pointer)
    else:
        pointer_file(level).unlink(missing_ok=True)


def repair_ledger(level: Path, as_of: date) -> Row | None:
    """Write down a switch whose row a kill prevented, as it was meant; returns the row of an interrupted switch.

    The note of that switch stays until the service was asked: a command that is typed once more must still find it.
    """
    pointer, intent = read_pointer(level), read_intent(level)
    rows = live_rows(level)
    if pointer and rows and names(pointer, rows[-1]) and pointer.row != rows[-1].hash:
        bear_row(level, pointer, rows[-1])
    if pointer is None or (rows and names(pointer, rows[-1])):
        if rows and intent and rows[-1].sequence == intent.sequence:
            return rows[-1]
        intent_file(level).unlink(missing_ok=True)
        return None
    row = append_live(level, missing_row(pointer, intent, as_of), level / pointer.bundle)
    bear_row(level, pointer, row)
    return row


def missing_row(pointer: Pointer, intent: Intent | None, as_of: date) -> Row:
    """The row of a switch that was made: as it was meant, if a note says so."""
    row = Row(
        as_of=as_of,
        step="deploy",
        verdict="live",
        reason="found live by the next command; who switched and why is not known",
        release=pointer.release,
        bundle_digest=pointer.bundle_digest,
        actor="repair",
        sequence=pointer.sequence,
    )
    if intent is None or not names(pointer, intent):
        return row
    reason = f"{intent.reason}; interrupted, whether it was checked is not known"
    meant = date.fromisoformat(intent.as_of)
    return replace(row, as_of=meant, step=intent.step, actor=intent.actor, reason=reason, sequence=intent.sequence)


def names(pointer: Pointer, other: Row | Intent) -> bool:
    """True if a pointer names the release that a row or a note of a switch is about."""
    return (pointer.release, pointer.bundle_digest) == (other.release, other.bundle_digest)

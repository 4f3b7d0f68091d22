"""The switch of what is live: one atomic step under a lock, checked on the running service, written down."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from level3_cicd.ledger import Row, append, live_rows
from level3_cicd.rollout.smoke import follows, smoke_test
from shared.errors import CheckFailed, IntegrityError, Locked, RolledBack, UsageError
from shared.places import write_atomically
from shared.release.manifest import Verified, verify
from shared.release.pointer import (
    Pointer,
    clear_pointer,
    is_deliberately_empty,
    point_to,
    pointer_file,
    read_pointer,
    readable_pointer,
    remember_good,
    write_pointer,
)
from shared.release.provenance import revision
from shared.service.process import Process, find
from shared.service.waiting import wait_until

SECONDS_TO_GO_LIVE = 15.0
LOOK_FIRST = "Look at the service and its log, service.log; then deploy again, or another release."


@dataclass(frozen=True)
class Intent:
    """A switch that is about to be made: what its row in the ledger will say, should nobody live to write it."""

    release: str
    bundle_digest: str
    sequence: int
    as_of: str
    step: str
    actor: str
    reason: str


def switch(level: Path, bundle: Verified, pointer: Pointer, as_of: date, step: str, actor: str, reason: str) -> Row:
    """Replace the pointer, check the running service, and write it down; whatever of it fails, the pointer goes back.

    Raises RolledBack if the check fails; CheckFailed if it fails for what was live already.
    """
    before = read_pointer(level)
    if before and replace(before, sequence=0) == replace(pointer, sequence=0):
        check_live(level, before, bundle)  # who switched may have been killed before asking
        end_switch(level, before)
        return live_rows(level)[-1]
    require_no_earlier_day(level, as_of)
    reason = f"{reason}; in place of {before.release}" if before else f"{reason}; the first"
    sequence = before.sequence + 1 if before else 1
    intend(level, Intent(pointer.release, pointer.bundle_digest, sequence, str(as_of), step, actor, reason))
    try:
        after = point_to(level, pointer)
        row = live_row(after, bundle, as_of, step, actor, reason)
        check_live(level, after, bundle)
        append(level, row)
    except BaseException as error:
        point_back(level, before)
        if isinstance(error, CheckFailed):
            failed = live_row(pointer, bundle, as_of, step, actor, error.what)
            write_down_undone(level, before, replace(failed, sequence=0, verdict="failed"))
            still = f"{before.release} is live again" if before else "nothing is live"
            raise RolledBack(f"{error.what} It was rolled back: {still}.", fix=LOOK_FIRST) from error
        raise
    end_switch(level, after)
    return row


def require_no_earlier_day(level: Path, as_of: date) -> None:
    """What was live on a day that has passed cannot be changed any more."""
    rows = live_rows(level)
    if rows and as_of < rows[-1].as_of:
        raise UsageError(
            f"{rows[-1].release} went live knowing of {rows[-1].as_of}; what was live on {as_of} cannot be changed.",
            fix=f"Pass --as-of {rows[-1].as_of} or a later day.",
        )


def end_switch(level: Path, live: Pointer) -> None:
    """What is live was asked and written down: it is a good release to start from."""
    remember_good(level, live)
    intent_file(level).unlink(missing_ok=True)


def point_back(level: Path, before: Pointer | None) -> None:
    """Undo a switch, if it was made."""
    now = read_pointer(level)
    if before is None:
        if pointer_file(level).exists():
            clear_pointer(level)
    elif now is None or now.sequence != before.sequence:
        point_to(level, before)


def write_down_undone(level: Path, before: Pointer | None, failed: Row) -> None:
    """The rows of a switch that was undone."""
    append(level, failed)
    now = read_pointer(level)
    if before is None or now is None:
        return
    back = Row(
        as_of=failed.as_of,
        step="rollback",
        verdict="live",
        reason=f"{failed.release} failed: {failed.reason}",
        release=before.release,
        bundle_digest=before.bundle_digest,
        actor=failed.actor,
        sequence=now.sequence,
    )
    append_live(level, back, level / before.bundle)
    intent_file(level).unlink(missing_ok=True)


def check_live(level: Path, pointer: Pointer, bundle: Verified) -> None:
    """The running service must take the release over and pass the smoke test with it. Without one, nothing is asked."""
    running = running_service(level)
    if running is None:
        return
    if not wait_until(lambda: follows(running, pointer), SECONDS_TO_GO_LIVE):
        raise CheckFailed(f"The live service did not take over {pointer.release} in {SECONDS_TO_GO_LIVE:.0f} s.")
    smoke_test(running, pointer, bundle)


def running_service(level: Path) -> Process | None:
    """The level's live service, also one that hangs; None if none was started."""
    return find(level, even_if_it_hangs=True)


def live_row(pointer: Pointer, bundle: Verified, as_of: date, step: str, actor: str, reason: str) -> Row:
    """The ledger's row for a release that became live."""
    row = Row(
        as_of=as_of,
        step=step,
        verdict="live",
        reason=reason,
        release=pointer.release,
        bundle_digest=pointer.bundle_digest,
        actor=actor,
        sequence=pointer.sequence,
    )
    return with_manifest(row, bundle)


def with_manifest(row: Row, bundle: Verified) -> Row:
    """A row with what the manifest knows of data and code."""
    known = {"trained_through": bundle.trained_through, "deployed_by_revision": revision()}
    return replace(row, data_digest=bundle.manifest["data_digest"], revision=bundle.manifest["revision"], numbers=known)


def append_live(level: Path, row: Row, folder: Path) -> Row:
    """Write down what is live; without what its manifest knows, if the bundle is damaged by now."""
    with suppress(IntegrityError):
        row = with_manifest(row, verify(folder, row.bundle_digest))
    return append(level, row)


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


def pointer_of_ledger(level: Path) -> Pointer | None:
    """The pointer to what the ledger says is live."""
    rows = live_rows(level)
    if not rows:
        return None
    return Pointer(rows[-1].release, f"bundles/{rows[-1].release}", rows[-1].bundle_digest, rows[-1].sequence)


def repair_ledger(level: Path, as_of: date) -> Row | None:
    """Write down a switch whose row a kill prevented, as it was meant; returns the row of an interrupted switch.

    The note of that switch stays until the service was asked: a command that is typed once more must still find it.
    """
    pointer, intent = read_pointer(level), read_intent(level)
    rows = live_rows(level)
    if pointer is None or (rows and names(pointer, rows[-1])):
        if rows and intent and rows[-1].sequence == intent.sequence:
            return rows[-1]
        intent_file(level).unlink(missing_ok=True)
        return None
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
    if intent and names(pointer, intent):
        reason = f"{intent.reason}; interrupted, whether it was checked is not known"
        meant = date.fromisoformat(intent.as_of)
        row = replace(row, as_of=meant, step=intent.step, actor=intent.actor, reason=reason, sequence=intent.sequence)
    return append_live(level, row, level / pointer.bundle)


def names(pointer: Pointer, other: Row | Intent) -> bool:
    """Whether a pointer names the release that a row or a note of a switch is about."""
    return (pointer.release, pointer.bundle_digest) == (other.release, other.bundle_digest)


def intent_file(level: Path) -> Path:
    """Where a switch is recorded_as_running before it is made."""
    return level / "switching.json"


def intend(level: Path, intent: Intent) -> None:
    """Note a switch."""
    write_atomically(intent_file(level), json.dumps(asdict(intent), indent=1).encode())


def read_intent(level: Path) -> Intent | None:
    """The switch that was recorded_as_running and not ended, if there is one that can be read."""
    try:
        return Intent(**json.loads(intent_file(level).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def locked(level: Path) -> Iterator[None]:
    """Hold the level's deploy lock. Raises Locked, naming the holder, if somebody else does."""
    level.mkdir(parents=True, exist_ok=True)
    holder = level / ".deploy.holder"
    try:
        with FileLock(level / ".deploy.lock", timeout=0):
            holder.write_text(f"process {os.getpid()}")
            yield
    except Timeout as error:
        who = holder.read_text() if holder.exists() else "somebody"
        raise Locked(f"A deployment is under way in {level}, by {who}.", fix="Wait for it to end.") from error

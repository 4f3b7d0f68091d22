"""The switch of what is live: one atomic step under a lock, checked on the running service, written down.

The file to go back with is written before: undoing a switch is one rename, which needs no space on a full disk.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from level3_cicd.ledger import Row, append, live_rows
from level3_cicd.rollout.smoke import smoke_test
from level3_cicd.rollout.takeover import answers, takes_over, words_of
from shared.errors import CheckFailed, IntegrityError, MlopsError, RolledBack, UsageError
from shared.locks import held
from shared.places import write_atomically
from shared.release.manifest import Verified, verify
from shared.release.pointer import (
    Pointer,
    forget_going_back,
    go_back,
    prepare_to_go_back,
    read_pointer,
    remember_good,
    write_pointer,
)
from shared.release.provenance import revision
from shared.service.process import Process, find, hosts_elsewhere

SECONDS_WITHOUT_PROGRESS = 15.0
# What a service goes back to is in its memory; one that answers nothing is not waited for.
SECONDS_TO_GO_BACK = 5.0
LOOK_FIRST = "Look at the service and its log, service.log; then deploy again, or another release."
log = logging.getLogger("level3.switch")


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
    reason += unasked(level)
    after = replace(pointer, sequence=before.sequence + 1 if before else 1)
    row = live_row(after, bundle, as_of, step, actor, reason)
    try:
        prepare_to_go_back(level, before)
        intend(level, Intent(after.release, after.bundle_digest, after.sequence, str(as_of), step, actor, reason))
        write_pointer(level, after)
        check_live(level, after, bundle)
        row = append(level, row)
    except BaseException as error:
        undo(level, after, error)
        if isinstance(error, CheckFailed):
            still = record_undone(level, before, replace(row, sequence=0, verdict="failed", reason=error.what))
            raise RolledBack(f"{error.what} It was rolled back: {still}", fix=LOOK_FIRST) from error
        raise
    end_switch(level, bear_row(level, after, row))
    return row


def require_no_earlier_day(level: Path, as_of: date) -> None:
    """Refuse a day that has passed: what was live on it cannot be changed any more."""
    rows = live_rows(level)
    if rows and as_of < rows[-1].as_of:
        raise UsageError(
            f"{rows[-1].release} went live knowing of {rows[-1].as_of}; what was live on {as_of} cannot be changed.",
            fix=f"Pass --as-of {rows[-1].as_of} or a later day.",
        )


def undo(level: Path, after: Pointer, error: BaseException) -> None:
    """Undo a switch, if it was made, and wait until the running service has gone back, unless somebody stops that."""
    switched = go_back(level, after)
    intent_file(level).unlink(missing_ok=True)
    now = read_pointer(level) if switched else None
    running = running_service(level) if now and isinstance(error, Exception) else None
    if running and now and not answers(running):
        log.error("The service does not answer; once it does, it goes back to %s.", now.release)
    elif running and now and not takes_over(running, now, SECONDS_TO_GO_BACK):
        log.error("The service has not taken %s back.%s", now.release, words_of(running))


def bear_row(level: Path, live: Pointer, row: Row) -> Pointer:
    """Let the pointer bear the hash of the row that made it live. On a full disk the next command does it."""
    borne = replace(live, row=row.hash)
    try:
        write_pointer(level, borne)
    except OSError as error:
        log.warning("%s is live, and its pointer does not bear its row: %s", live.release, error)
    return borne


def end_switch(level: Path, live: Pointer) -> None:
    """End a switch: what is live was asked and written down, so it is a good release to start from.

    On a full disk the release that was good before stays the one to start from.
    """
    try:
        remember_good(level, live)
    except OSError as error:
        log.warning("%s is live, and not noted as good to start from: %s", live.release, error)
    forget_going_back(level)
    intent_file(level).unlink(missing_ok=True)


def record_undone(level: Path, before: Pointer | None, failed: Row) -> str:
    """Append the rows of a switch that was undone; returns what is live now, in words."""
    now = read_pointer(level)
    told = f"{before.release} is live again." if before else "nothing is live."
    try:
        append(level, failed)
        if before and now:
            append_live(level, back_row(now, failed), level / before.bundle)
    except MlopsError as error:
        return f"{told} The ledger does not say so: {error.what}"
    return told


def back_row(now: Pointer, failed: Row) -> Row:
    """The ledger's row for what is live again after a release failed."""
    return Row(
        as_of=failed.as_of,
        step="rollback",
        verdict="live",
        reason=f"{failed.release} failed: {failed.reason}",
        release=now.release,
        bundle_digest=now.bundle_digest,
        actor=failed.actor,
        sequence=now.sequence,
    )


def check_live(level: Path, pointer: Pointer, bundle: Verified) -> None:
    """The running service must take the release over and pass the smoke test with it. Without one, nothing is asked."""
    running = running_service(level)
    if running is None:
        return
    if not takes_over(running, pointer, SECONDS_WITHOUT_PROGRESS):
        idle = f"made no progress for {SECONDS_WITHOUT_PROGRESS:.0f} s"
        raise CheckFailed(f"The live service did not take over {pointer.release}: it {idle}.{words_of(running)}")
    smoke_test(running, pointer, bundle)


def unasked(level: Path) -> str:
    """The services of this home that cannot be asked from here, in words."""
    hosts = hosts_elsewhere(level)
    return f"; not asked: the service on {', '.join(hosts)}" if hosts else ""


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


def intent_file(level: Path) -> Path:
    """The file in which a switch is noted before it is made."""
    return level / "switching.json"


def intend(level: Path, intent: Intent) -> None:
    """Note a switch."""
    write_atomically(intent_file(level), json.dumps(asdict(intent), indent=1).encode())


def read_intent(level: Path) -> Intent | None:
    """The switch that was noted and not ended, if there is one that can be read."""
    try:
        return Intent(**json.loads(intent_file(level).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def locked(level: Path) -> Iterator[None]:
    """Hold the level's deploy lock. Raises Locked, naming the holder, if somebody else does."""
    level.mkdir(parents=True, exist_ok=True)
    holder = level / ".deploy.holder"
    who = holder.read_text() if holder.exists() else "somebody"
    with held(level / ".deploy.lock", busy=f"A deployment is under way in {level}, by {who}."):
        holder.write_text(f"process {os.getpid()}")
        yield

"""The switch of what is live: one atomic step under a lock, checked on the running service, written down."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from level3_cicd.ledger import Row, append, live_rows
from level3_cicd.smoke import smoke_test
from shared.errors import CheckFailed, Locked, MlopsError, RolledBack
from shared.manifest import Verified, verify
from shared.pointer import Pointer, point_to, pointer_file, read_pointer
from shared.revision import revision
from shared.running import Running, find, wait_until

SECONDS_TO_GO_LIVE = 15.0


def switch(level: Path, bundle: Verified, pointer: Pointer, as_of: date, step: str, actor: str, reason: str) -> Row:
    """Replace the pointer, check the running service, and write it down. Raises RolledBack if the check fails."""
    before = read_pointer(level)
    if before and replace(before, sequence=0) == replace(pointer, sequence=0):
        return live_rows(level)[-1]
    after = point_to(level, pointer)
    instead = f"in place of {before.release}" if before else "the first"
    row = live_row(after, bundle, as_of, step, actor, f"{reason}; {instead}")
    try:
        check_live(level, after, bundle)
    except CheckFailed as error:
        go_back(level, before, replace(row, sequence=0, verdict="failed", reason=error.what))
        still = f"{before.release} is live again" if before else "nothing is live"
        raise RolledBack(f"{error.what} It was rolled back: {still}.", fix="Deploy another release.") from error
    return append(level, row)


def go_back(level: Path, before: Pointer | None, failed: Row) -> None:
    """Undo a switch, and write both down."""
    append(level, failed)
    if before is None:
        pointer_file(level).unlink()
        return
    back = point_to(level, before)
    bundle = verify(level / before.bundle, before.bundle_digest)
    reason = f"{failed.release} failed: {failed.reason}"
    append(level, live_row(back, bundle, failed.as_of, "rollback", failed.actor, reason))


def check_live(level: Path, pointer: Pointer, bundle: Verified) -> None:
    """The running service must take the release over and pass the smoke test with it. Without one, nothing is asked."""
    running = running_service(level)
    if running is None:
        return
    if not wait_until(lambda: follows(running, pointer), SECONDS_TO_GO_LIVE):
        raise CheckFailed(f"The live service did not take over {pointer.release} in {SECONDS_TO_GO_LIVE:.0f} s.")
    smoke_test(running, bundle)


def running_service(level: Path) -> Running | None:
    """The level's live service, also one that hangs; None if none was started."""
    return find(level, even_if_it_hangs=True)


def follows(running: Running, pointer: Pointer) -> bool:
    """Whether a service answers with what the pointer names."""
    try:
        return bool(running.get("/version", seconds=2)["sequence"] == pointer.sequence)
    except MlopsError:
        return False


def live_row(pointer: Pointer, bundle: Verified, as_of: date, step: str, actor: str, reason: str) -> Row:
    """The ledger's row for a release that became live."""
    return Row(
        as_of=as_of,
        step=step,
        verdict="live",
        reason=reason,
        release=pointer.release,
        bundle_digest=pointer.bundle_digest,
        data_digest=bundle.manifest["data_digest"],
        revision=bundle.manifest["revision"],
        actor=actor,
        sequence=pointer.sequence,
        numbers={"trained_through": bundle.trained_through, "deployed_by_revision": revision()},
    )


def repair_ledger(level: Path, as_of: date) -> None:
    """Write down a switch whose row a kill prevented. What was read of it is the pointer, so that is what is told."""
    pointer = read_pointer(level)
    rows = live_rows(level)
    if pointer is None or (rows and rows[-1].bundle_digest == pointer.bundle_digest):
        return
    row = Row(
        as_of=as_of,
        step="deploy",
        verdict="live",
        reason="written down after an interruption; whether it was checked is not known",
        release=pointer.release,
        bundle_digest=pointer.bundle_digest,
        actor="repair",
        sequence=pointer.sequence,
    )
    append(level, row)


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

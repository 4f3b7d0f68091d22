"""Make a registered release the live one, or go back to the one before. CD runs it, or a person.

Switching and rolling back need no MLflow: the bundle lies in the level's own store by then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from level3_cicd.ledger import Row, append, live_rows
from shared.bundle import Bundle, open_bundle
from shared.errors import CheckFailed, IntegrityError, Locked, MlopsError, RolledBack, UsageError
from shared.live import Pointer, load, point_to, read_pointer, require_pointer
from shared.revision import revision
from shared.running import find, wait_until

SMOKE_CUSTOMERS = 20
SECONDS_TO_GO_LIVE = 15


def deploy(level: Path, release: str, as_of: date, actor: str = "operator") -> Row:
    """Fetch, verify, smoke-test and switch to a release. Whatever goes wrong, what is live stays live.

    Raises UsageError (no such release, or refused by the gate), IntegrityError, CheckFailed (smoke test),
    Locked, RolledBack (the service did not take it over).
    """
    from level3_cicd.registry import fetch, follow_pointer, forget_old_bundles

    with locked(level):
        repair_ledger(level)
        try:
            folder, entry = fetch(level, release)
            if entry.verdict != "passed":
                raise UsageError(f"The gate refused release {release}.", fix="Deploy another one.")
            bundle = open_bundle(folder, entry.bundle_digest)
            smoke_test(bundle)
        except (IntegrityError, CheckFailed) as error:
            append(level, Row(as_of, "deploy", "refused", error.what, release=release, actor=actor))
            raise
        pointer = with_todays_histories(Pointer(release, f"bundles/{release}", bundle.digest), bundle, level)
        row = switch(level, bundle, pointer, as_of, "deploy", actor)
        follow_pointer(level)
        forget_old_bundles(level)
        return row


def rollback(level: Path, as_of: date, actor: str = "operator", reason: str = "asked for") -> Row:
    """Go back to the release that was live before. Raises UsageError if there was none."""
    with locked(level):
        repair_ledger(level)
        now = require_pointer(level)
        before = [row for row in live_rows(level) if row.release != now.release]
        if not before:
            raise UsageError(f"There is no release before {now.release} to go back to.")
        folder = f"bundles/{before[-1].release}"
        bundle = open_bundle(level / folder, before[-1].bundle_digest)
        pointer = with_todays_histories(Pointer(bundle.release, folder, bundle.digest), bundle, level)
        return switch(level, bundle, pointer, as_of, "rollback", actor, reason)


def with_todays_histories(pointer: Pointer, bundle: Bundle, level: Path) -> Pointer:
    """Keep the histories that are live now, where they were refreshed apart from a release and suit this one."""
    now = read_pointer(level)
    if now is None or not now.histories:
        return pointer
    suits = load(level, now).bundle.model.histories_.half_life == bundle.model.histories_.half_life
    return replace(pointer, histories=now.histories, histories_digest=now.histories_digest) if suits else pointer


def switch(level: Path, bundle: Bundle, pointer: Pointer, as_of: date, step: str, actor: str, reason: str = "") -> Row:
    """Replace the pointer, wait until the running service has followed, and write it down; otherwise go back."""
    before = read_pointer(level)
    if before and replace(before, sequence=0) == replace(pointer, sequence=0):
        return live_rows(level)[-1]
    after = point_to(level, pointer)
    row = live_row(after, bundle, as_of, step, actor, reason or describe(before))
    if service_follows(level, after):
        return append(level, row)
    append(level, replace(row, sequence=0, verdict="failed", reason="the service did not take it over"))
    if before:
        back = point_to(level, before)
        append(
            level,
            replace(
                row,
                release=before.release,
                bundle_digest=before.bundle_digest,
                step="rollback",
                sequence=back.sequence,
                reason=f"{pointer.release} was not taken over",
            ),
        )
    raise RolledBack(
        f"The service did not take over {pointer.release}; {before.release if before else 'nothing'} is live."
    )


def live_row(pointer: Pointer, bundle: Bundle, as_of: date, step: str, actor: str, reason: str) -> Row:
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


def describe(before: Pointer | None) -> str:
    """What a deployment replaces, in words."""
    return f"verified, smoke-tested, in place of {before.release}" if before else "verified, smoke-tested, the first"


def smoke_test(bundle: Bundle) -> None:
    """Ask a release for some customers' lists. Raises CheckFailed if one is short, repeats itself or has no score."""
    known = bundle.model.histories_.customers[:SMOKE_CUSTOMERS]
    customers = [name.decode() for name in known] + ["a customer whom nobody knows"]
    lists = bundle.model.recommend(customers, 10)
    sizes = lists.groupby("customer_id")["product_id"].nunique()
    if len(sizes) < len(customers) or (sizes < 10).any() or lists["score"].isna().any():
        raise CheckFailed(f"Release {bundle.release} fails its smoke test.", fix="Deploy another one.")


def service_follows(level: Path, pointer: Pointer) -> bool:
    """Whether the running service answers with what the pointer names; true if none runs."""
    running = find(level)
    if running is None:
        return True

    def follows() -> bool:
        try:
            return running.get("/version")["sequence"] == pointer.sequence
        except MlopsError:
            return False

    return wait_until(follows, SECONDS_TO_GO_LIVE)


def repair_ledger(level: Path) -> None:
    """Write down a switch whose row a kill prevented."""
    pointer = read_pointer(level)
    rows = live_rows(level)
    if pointer is None or (rows and rows[-1].bundle_digest == pointer.bundle_digest):
        return
    bundle = open_bundle(level / pointer.bundle, pointer.bundle_digest)
    as_of = rows[-1].as_of if rows else bundle.model.histories_.day
    append(level, live_row(pointer, bundle, as_of, "deploy", "repair", "written down after an interruption"))


@contextmanager
def locked(level: Path) -> Iterator[None]:
    """Hold the level's deploy lock. Raises Locked, naming the holder, if somebody else does."""
    import os

    level.mkdir(parents=True, exist_ok=True)
    holder = level / ".deploy.holder"
    try:
        with FileLock(level / ".deploy.lock", timeout=0):
            holder.write_text(f"process {os.getpid()}")
            yield
    except Timeout as error:
        who = holder.read_text() if holder.exists() else "somebody"
        raise Locked(f"A deployment is under way in {level}, by {who}.", fix="Wait for it to end.") from error

"""Make a registered release the live one, or go back to the one before. CD runs it, or a person.

Staging is a service of its own on the release that is to come; then the pointer is switched, and the live
service is asked. Going back needs no MLflow: the bundle lies in the level's own store.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path

from level3_cicd.ledger import Row, append, live_rows
from level3_cicd.staging import smoke_test, staged
from level3_cicd.switch import locked, repair_ledger, switch
from shared.bundle import Bundle, open_bundle
from shared.errors import CheckFailed, DependencyDown, IntegrityError, UsageError
from shared.live import Pointer, read_histories, read_pointer, require_pointer


def deploy(level: Path, release: str, as_of: date, actor: str = "operator") -> Row:
    """Fetch, verify, stage, switch, and check again. Whatever goes wrong, what is live stays live.

    Raises UsageError (no such release, or refused by the gate), IntegrityError, CheckFailed (smoke test),
    Locked, RolledBack (the live service did not take it over, or fails the smoke test with it).
    """
    from level3_cicd.registry import follow_pointer, forget_old_bundles

    with locked(level):
        repair_ledger(level, as_of)
        bundle, found = stage(level, release, as_of, actor)
        pointer = with_todays_histories(pointer_to(bundle), bundle, level)
        row = switch(level, bundle, pointer, as_of, "deploy", actor, f"verified; in staging {found}")
        follow_pointer(level)
        forget_old_bundles(level)
        return row


def try_out(level: Path, release: str, as_of: date, actor: str = "operator") -> str:
    """Fetch, verify and stage a release without making it live; returns what the smoke test found."""
    with locked(level):
        return stage(level, release, as_of, actor)[1]


def stage(level: Path, release: str, as_of: date, actor: str) -> tuple[Bundle, str]:
    """(the release's bundle, what the smoke test found in staging). A refusal is written into the ledger."""
    from level3_cicd.registry import fetch

    try:
        folder, entry = fetch(level, release)
        if entry.verdict != "passed":
            raise UsageError(f"The gate refused release {release}.", fix="Deploy another one.")
        bundle = open_bundle(folder, entry.bundle_digest)
        with staged(level, pointer_to(bundle)) as service:
            return bundle, smoke_test(service, bundle)
    except (IntegrityError, CheckFailed, DependencyDown) as error:
        append(level, Row(as_of, "deploy", "refused", error.what, release=release, actor=actor))
        raise


def rollback(level: Path, as_of: date, actor: str = "operator", reason: str = "asked for") -> Row:
    """Go back to the release that was live before. Raises UsageError if there was none."""
    with locked(level):
        repair_ledger(level, as_of)
        now = require_pointer(level)
        before = [row for row in live_rows(level) if row.release != now.release]
        if not before:
            raise UsageError(f"There is no release before {now.release} to go back to.", fix="Deploy another one.")
        bundle = open_bundle(level / "bundles" / before[-1].release, before[-1].bundle_digest)
        pointer = with_todays_histories(pointer_to(bundle), bundle, level)
        return switch(level, bundle, pointer, as_of, "rollback", actor, reason)


def pointer_to(bundle: Bundle) -> Pointer:
    """The pointer to a release in the level's own store."""
    return Pointer(bundle.release, f"bundles/{bundle.release}", bundle.digest)


def with_todays_histories(pointer: Pointer, bundle: Bundle, level: Path) -> Pointer:
    """Keep the histories that are live now, where they were refreshed apart from a release and suit this one."""
    now = read_pointer(level)
    if now is None or not now.histories:
        return pointer
    try:
        suits = read_histories(level, now).half_life == bundle.model.histories_.half_life
    except IntegrityError:
        return pointer  # what is damaged must not keep a sound release from going live
    return replace(pointer, histories=now.histories, histories_digest=now.histories_digest) if suits else pointer

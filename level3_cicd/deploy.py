"""Make a registered release the live one, or go back to the one before. CD runs it, or a person.

Staging is a service of its own on the release that is to come; then the pointer is switched, and the live
service is asked. Going back needs no MLflow, and opens no model: the bundle lies in the level's own store.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from level3_cicd.ledger import Row, append, last_try_out, release_before
from level3_cicd.pending_verdict import pending_file, record_pending
from level3_cicd.rollout.smoke import smoke_test, staging
from level3_cicd.rollout.switch import (
    check_live,
    end_switch,
    locked,
    repair_ledger,
    repair_pointer,
    require_no_earlier_day,
    switch,
)
from shared.errors import CheckFailed, DependencyDown, IntegrityError, RolledBack, UsageError
from shared.release.manifest import Verified, open_histories_manifest, verify, verify_histories
from shared.release.number import parse_release
from shared.release.pointer import Pointer, read_pointer, readable_pointer, require_pointer
from shared.release.provenance import code_digest, lock_digest, revision
from shared.service.process import stop

# The packages that decide how a release is tried out, and what a pipeline trains.
CODE = ("shared", "level3_cicd")


def find_release(level: Path, wanted: str) -> str:
    """The release that is meant; `candidate` is the highest that passed the gate."""
    if wanted != "candidate":
        return wanted
    from level3_cicd.tools.registry import candidate

    return candidate(level)


def deploy(level: Path, release: str, as_of: date, actor: str = "operator") -> Row:
    """Fetch, verify, stage, switch, and check again. Whatever goes wrong, what is live stays live.

    What was tried out in staging before, by the same code, is not tried again. Raises UsageError (no such
    release, or refused by the gate), IntegrityError, CheckFailed (smoke test), Locked, RolledBack (the live
    service did not take it over, or fails the smoke test with it).
    """
    parse_release(release)
    from level3_cicd.tools.registry import align_aliases, forget_old_bundles

    with locked(level), refusals_written_down(level, release, as_of, actor):
        repair(level, as_of)
        write_down_verdict(level)
        tried = tried_out(level, release) or stage(level, release, as_of, actor)
        bundle = fetch_passed(level, release)
        if bundle.digest != tried.bundle_digest:  # the number was given anew
            tried = stage(level, release, as_of, actor)
        require_day(level, release, bundle, as_of)
        pointer = with_todays_histories(pointer_to(release, bundle), bundle, level)
        row = switch(level, bundle, pointer, as_of, "deploy", actor, f"verified; {tried.reason}")
        align_aliases(level)
        forget_old_bundles(level)
        return row


def require_day(level: Path, release: str, bundle: Verified, as_of: date) -> None:
    """Refuse to make live on a day what knows of later ones, or what would change what was live on days that passed."""
    through = date.fromisoformat(bundle.manifest["histories_through"])
    if through > as_of:
        raise UsageError(
            f"Release {release} knows purchases through {through}; {as_of} is earlier.",
            fix=f"Pass --as-of {through} or a later day.",
        )
    pointer = readable_pointer(level)
    if pointer is None or pointer.release != release:
        require_no_earlier_day(level, as_of)


def try_out(level: Path, release: str, as_of: date, actor: str = "operator") -> str:
    """Fetch, verify and stage a release without making it live; returns what was found."""
    with locked(level), refusals_written_down(level, release, as_of, actor):
        write_down_verdict(level)
        return stage(level, release, as_of, actor).reason


def write_down_verdict(level: Path) -> None:
    """Write down the verdict on a release whose run was killed before it did; a run that is under way will."""
    if not pending_file(level).exists():
        return
    from level3_cicd.tools.registry import registered, tag_with_row

    with suppress(Timeout), FileLock(level / ".pipeline.lock", timeout=0):
        digests = {release: entry.bundle_digest for release, entry in registered(level).items()}
        record_pending(level, digests, on_row=lambda row: tag_with_row(level, row))


def fetch_passed(level: Path, release: str) -> Verified:
    """A release that the gate let pass, verified, in the level's own store."""
    from level3_cicd.tools.registry import fetch

    folder, entry = fetch(level, release)
    if entry.verdict != "passed":
        raise UsageError(f"The gate refused release {release}.", fix="Deploy another one.")
    return verify(folder, entry.bundle_digest)


def stage(level: Path, release: str, as_of: date, actor: str) -> Row:
    """Try a release out in staging, and write down what was found and by which code."""
    parse_release(release)
    with staging(level) as service:
        bundle = fetch_passed(level, release)
        require_day(level, release, bundle, as_of)
        pointer = pointer_to(release, bundle)
        found = smoke_test(service.take(pointer), pointer, bundle)
    row = Row(
        as_of=as_of,
        step="stage",
        verdict="passed",
        reason=f"in staging {found}",
        release=release,
        bundle_digest=bundle.digest,
        revision=revision(),
        actor=actor,
        numbers=this_code(),
    )
    return append(level, row)


def tried_out(level: Path, release: str) -> Row | None:
    """The row of a release's last try-out in staging, if it passed, by this very code, and nothing failed since."""
    row = last_try_out(level, release)
    return row if row and row.verdict == "passed" and row.numbers == this_code() else None


def this_code() -> dict[str, str]:
    """What a try-out depends on beside the release."""
    return {"code": code_digest(CODE), "lock": lock_digest()}


@contextmanager
def refusals_written_down(level: Path, release: str, as_of: date, actor: str, step: str = "deploy") -> Iterator[None]:
    """Write into the ledger why a release does not go live."""
    try:
        yield
    except RolledBack:
        raise  # the switch has written it down
    except (IntegrityError, CheckFailed, DependencyDown) as error:
        verdict = "unavailable" if isinstance(error, DependencyDown) else "refused"
        append(level, Row(as_of, step, verdict, error.what, release, revision=revision(), actor=actor))
        raise


def rollback(level: Path, as_of: date, actor: str = "operator", reason: str = "asked for") -> Row:
    """Go back to the release that was live before. Raises UsageError if there was none.

    A rollback that was interrupted after its switch has gone back already: typed again, it goes no further.
    """
    with locked(level):
        repaired = repair(level, as_of)
        now = require_pointer(level)
        if repaired and repaired.step == "rollback":
            check_live(level, now, verify(level / now.bundle, now.bundle_digest))
            end_switch(level, now)
            return repaired
        before = release_before(level, now.release)
        if before is None:
            raise UsageError(f"There is no release before {now.release} to go back to.", fix="Deploy another one.")
        release = before.release
        with refusals_written_down(level, release, as_of, actor, "rollback"):
            bundle = verify_before(level, before)
        pointer = with_todays_histories(pointer_to(release, bundle), bundle, level)
        return switch(level, bundle, pointer, as_of, "rollback", actor, reason)


def verify_before(level: Path, before: Row) -> Verified:
    """The release before, in the level's own store. Raises IntegrityError if it is damaged by now."""
    try:
        return verify(level / "bundles" / before.release, before.bundle_digest)
    except IntegrityError as error:
        again = f"`mlops deploy model --version {before.release}` fetches it from the registry again."
        raise IntegrityError(error.what, fix=again) from error


def repair(level: Path, as_of: date) -> Row | None:
    """Mend what a killed command or a damage left; returns the row of a switch that was made and not written down."""
    stop(level / "staging")
    repair_pointer(level)
    return repair_ledger(level, as_of)


def pointer_to(release: str, bundle: Verified) -> Pointer:
    """The pointer to a release in the level's own store."""
    return Pointer(release, f"bundles/{release}", bundle.digest)


def with_todays_histories(pointer: Pointer, bundle: Verified, level: Path) -> Pointer:
    """Keep the histories that are live now, where they were refreshed apart from a release and are no older."""
    now = read_pointer(level)
    if now is None or not now.histories:
        return pointer
    try:
        verify_histories(level / now.histories, now.histories_digest)
        through = open_histories_manifest(level / now.histories, now.histories_digest)["through"]
    except IntegrityError:
        return pointer  # what is damaged must not keep a sound release from going live
    later = through >= bundle.manifest["histories_through"]
    return replace(pointer, histories=now.histories, histories_digest=now.histories_digest) if later else pointer

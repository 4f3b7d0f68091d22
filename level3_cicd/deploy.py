"""Make a registered release the live one, or go back to the one before. CD runs it, or a person.

Staging is a service of its own on the release that is to come; then the pointer is switched, and the live
service is asked. Going back needs no MLflow, and opens no model: the bundle lies in the level's own store.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from level3_cicd.ledger import Row, append, last_try_out, live_rows, verdicts_of_gate
from level3_cicd.pending_verdict import pending_file, record_pending
from level3_cicd.rollout.repair import finish, repair
from level3_cicd.rollout.smoke import smoke_test
from level3_cicd.rollout.staging import Staging, staging
from level3_cicd.rollout.store import pointer_to, row_before, verify_stored, was_live, with_later_histories
from level3_cicd.rollout.switch import locked, require_no_earlier_day, switch
from shared.errors import CheckFailed, DependencyDown, IntegrityError, RolledBack, UsageError
from shared.release.manifest import Verified, open_manifest
from shared.release.number import parse_release
from shared.release.pointer import Pointer, readable_pointer, require_pointer
from shared.release.provenance import code_digest, lock_digest, revision

# The packages that decide how a release is tried out, and what a pipeline trains.
CODE = ("shared", "level3_cicd")
AGAINST_LIVE = "not worse than live"


def find_release(level: Path, wanted: str) -> str:
    """The release that is meant; `candidate` is the highest that passed the gate and was not rolled back."""
    if wanted != "candidate":
        return wanted
    from level3_cicd.tools.registry import candidate

    return candidate(level)


def deploy(level: Path, release: str, as_of: date, actor: str = "operator") -> Row:
    """Fetch and verify once, stage that, switch to it, and check again. Whatever goes wrong, what is live stays live.

    What was tried out in staging before, by the same code, is not tried again; otherwise staging starts while the
    bundle is fetched. Raises UsageError (no such release, or refused by the gate), IntegrityError, CheckFailed (the
    smoke test, or a gate that compared it with another release than the live one), Locked, RolledBack (the live
    service did not take it over, or fails the smoke test with it).
    """
    parse_release(release)
    from level3_cicd.tools.registry import align_aliases, forget_old_bundles

    with locked(level), refusals_written_down(level, release, as_of, actor), ExitStack() as until_staged:
        repair(level, as_of)
        write_down_verdict(level)
        tried = tried_out(level, release)
        service = None if tried else until_staged.enter_context(staging(level))
        bundle = fetch_passed(level, release)
        require_day(level, release, bundle, as_of)
        require_compared_with_live(level, release, bundle)
        if tried is None or tried.bundle_digest != bundle.digest:  # if they differ, the number was given anew
            service = service or until_staged.enter_context(staging(level))
            tried = stage(level, service, release, bundle, as_of, actor)
        until_staged.close()
        pointer = with_later_histories(pointer_to(release, bundle), bundle, level)
        row = switch(level, bundle, pointer, as_of, "deploy", actor, f"verified; {tried.reason}")
        align_aliases(level)
        forget_old_bundles(level)
        return row


def try_out(level: Path, release: str, as_of: date, actor: str = "operator") -> str:
    """Fetch, verify and stage a release without making it live; returns what was found."""
    parse_release(release)
    with locked(level), refusals_written_down(level, release, as_of, actor), staging(level) as service:
        write_down_verdict(level)
        bundle = fetch_passed(level, release)
        require_day(level, release, bundle, as_of)
        return stage(level, service, release, bundle, as_of, actor).reason


def rollback(level: Path, as_of: date, actor: str = "operator", reason: str = "asked for") -> Row:
    """Go back to the release that was live before; once more, and it goes further back.

    Raises UsageError if there is none. A rollback that was interrupted after its switch has gone back already: typed
    again, it goes no further.
    """
    with locked(level):
        repaired = repair(level, as_of)
        now = require_pointer(level)
        if repaired and repaired.step == "rollback":
            return finish(level, repaired)
        before = row_before(live_rows(level))
        if before is None:
            raise UsageError(f"There is no release before {now.release} to go back to.", fix="Deploy another one.")
        with refusals_written_down(level, before.release, as_of, actor, "rollback"):
            bundle = verify_stored(level, before)
        pointer = with_later_histories(pointer_to(before.release, bundle), bundle, level)
        return switch(level, bundle, pointer, as_of, "rollback", actor, reason)


def fetch_passed(level: Path, release: str) -> Verified:
    """A release that the gate let pass, fetched into the level's own store and verified there, once."""
    from level3_cicd.tools.registry import fetch

    folder, entry = fetch(level, release)
    if entry.verdict != "passed":
        raise UsageError(f"The gate refused release {release}.", fix="Deploy another one.")
    return open_manifest(folder, entry.bundle_digest)


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


def require_compared_with_live(level: Path, release: str, bundle: Verified) -> None:
    """Refuse a release whose gate compared it with another one than is live now: it must be judged again.

    One that answered customers before may be named again.
    """
    live = readable_pointer(level)
    rows = [row for row in verdicts_of_gate(level, release) if row.bundle_digest == bundle.digest]
    if live is None or not rows or was_live(live_rows(level), release, bundle.digest):
        return
    judged_against = compared_with(rows[-1], live)
    if judged_against != (live.release, live.bundle_digest):
        beside = f"in comparison with {judged_against[0]}" if judged_against[0] else "without comparing it with any"
        raise CheckFailed(
            f"The gate judged release {release} {beside}, but {live.release} is live now.",
            fix="Run the pipeline again: it judges a new release beside what is live.",
        )


def compared_with(verdict: Row, live: Pointer) -> tuple[str, str]:
    """The release (number, bundle digest) that the gate compared with; ("", "") if with none.

    A row of an older version says only that it was the live one.
    """
    said = verdict.numbers.get("compared_with")
    if said:
        return said["release"], said["bundle_digest"]
    rules = {rule.get("name") for rule in verdict.numbers.get("rules", [])}
    was_compared = "compared_with" not in verdict.numbers and (AGAINST_LIVE in rules or not rules)
    return (live.release, live.bundle_digest) if was_compared else ("", "")


def stage(level: Path, service: Staging, release: str, bundle: Verified, as_of: date, actor: str) -> Row:
    """Try a verified release out in staging, and write down what was found and by which code."""
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


def write_down_verdict(level: Path) -> None:
    """Write down the verdict on a release whose run was killed before it did; a run that is under way will."""
    if not pending_file(level).exists():
        return
    from level3_cicd.tools.registry import registered, tag_with_row

    with suppress(Timeout), FileLock(level / ".pipeline.lock", timeout=0):
        digests = {release: entry.bundle_digest for release, entry in registered(level).items()}
        record_pending(level, digests, on_row=lambda row: tag_with_row(level, row))


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

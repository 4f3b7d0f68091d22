"""The level's own store of releases: pointers to them, the one to go back to, and the histories that go with one.

A deployment and a rollback ask it. Pure but for the files that it reads.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from level3_cicd.ledger import Row, live_rows
from shared.errors import IntegrityError
from shared.release.manifest import Verified, open_histories_manifest, verify, verify_histories
from shared.release.pointer import Pointer, readable_pointer


def pointer_to(release: str, bundle: Verified) -> Pointer:
    """The pointer to a release in the level's own store."""
    return Pointer(release, f"bundles/{release}", bundle.digest)


def pointer_of_ledger(level: Path) -> Pointer | None:
    """The pointer to what is live according to the ledger; None if nothing ever was."""
    rows = live_rows(level)
    if not rows:
        return None
    return Pointer(rows[-1].release, f"bundles/{rows[-1].release}", rows[-1].bundle_digest, rows[-1].sequence)


def verify_stored(level: Path, row: Row) -> Verified:
    """The release that a row is about, verified. Raises IntegrityError if it is damaged by now."""
    try:
        return verify(level / "bundles" / row.release, row.bundle_digest)
    except IntegrityError as error:
        again = f"`mlops deploy model --version {row.release}` fetches it from the registry again."
        raise IntegrityError(error.what, fix=again) from error


def row_before(rows: Sequence[Row]) -> Row | None:
    """The row of the release to go back to; None if there is none.

    rows: those after which a release was live, in order. What was gone back from is not gone back to: a second
    rollback goes further back.

    >>> from datetime import date
    >>> lived = [("deploy", "1.0"), ("deploy", "1.1"), ("deploy", "1.2"), ("rollback", "1.1")]
    >>> rows = [Row(date(2017, 6, 4), step, "live", "", release) for step, release in lived]
    >>> row_before(rows).release
    '1.0'
    """
    way = way_here(rows)
    return way[-2] if len(way) > 1 else None


def way_here(rows: Sequence[Row]) -> list[Row]:
    """The releases that led to what is live, each from the one before; what was rolled back is left out."""
    way: list[Row] = []
    for row in rows:
        if row.step == "rollback" and any(names_same(row, earlier) for earlier in way):
            while not names_same(way[-1], row):
                way.pop()
        elif not (way and names_same(way[-1], row)):
            way.append(row)
    return way


def rolled_back(rows: Sequence[Row]) -> set[tuple[str, str]]:
    """Releases (number, bundle digest) that were gone back from, or failed on the live service, and not live since.

    rows: all of the ledger, or at least those of steps deploy and rollback, in order.
    """
    left: set[tuple[str, str]] = set()
    lived: list[Row] = []
    for row in rows:
        if row.step == "deploy" and row.verdict == "failed":
            left.add(named(row))
        elif row.sequence > 0:
            way = way_here(lived)
            lived.append(row)
            left -= {named(row)}
            left |= {named(gone) for gone in way} - {named(kept) for kept in way_here(lived)}
    return left


def was_live(rows: Sequence[Row], release: str, digest: str) -> bool:
    """True if a release answered customers at some time."""
    return any(row.sequence > 0 and named(row) == (release, digest) for row in rows)


def named(row: Row) -> tuple[str, str]:
    """The release that a row is about."""
    return row.release, row.bundle_digest


def names_same(one: Row, other: Row) -> bool:
    """True if two rows are about the same release."""
    return named(one) == named(other)


def with_later_histories(pointer: Pointer, bundle: Verified, level: Path) -> Pointer:
    """A pointer with the later of two histories: the release's own, and those that were refreshed apart and are live.

    What is damaged must not keep a sound release from going live.
    """
    now = readable_pointer(level)
    if now is None or not now.histories:
        return pointer
    try:
        verify_histories(level / now.histories, now.histories_digest)
        through = open_histories_manifest(level / now.histories, now.histories_digest)["through"]
    except IntegrityError:
        return pointer
    if through < bundle.manifest["histories_through"]:
        return pointer
    return replace(pointer, histories=now.histories, histories_digest=now.histories_digest)

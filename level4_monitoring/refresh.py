"""Bring the customers' histories up to date, every day. No new release, no staging; one atomic switch."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from level3_cicd.rollout.switch import locked
from shared.dataset.feed import Feed
from shared.errors import IntegrityError
from shared.model.carrying import carry
from shared.model.histories import Histories, gather
from shared.release.manifest import HISTORIES, MANIFEST, open_histories_manifest, verify_histories
from shared.release.mapped import open_histories, write_histories
from shared.release.pointer import Pointer, point_to, read_good, remember_good, require_pointer

KEPT = 10


@dataclass(frozen=True)
class Refreshed:
    """What customers are answered with from now on. mended: what was wrong with the histories before, in words."""

    pointer: Pointer
    mended: str = ""


def refresh(level: Path, feed: Feed, as_of: date, rebuild: bool = False) -> Refreshed:
    """Write histories through `as_of` and point to them. The release stays. Done already, nothing changes.

    With `rebuild` they are gathered anew: what was carried forward must be the same, or is replaced, in words.
    """
    with locked(level):
        pointer = require_pointer(level)
        histories, mended = up_to_date(level, pointer, feed, as_of), ""
        if rebuild:
            histories, mended = rebuilt(histories, feed, as_of)
        name, digest = store(level, histories, feed.digest(as_of))
        after = replace(pointer, histories=name, histories_digest=digest)
        if after != pointer:
            after = point_to(level, after)
        remember_good(level, after)
        remove_old(level, after)
        return Refreshed(after, mended)


def rebuilt(carried: Histories, feed: Feed, as_of: date) -> tuple[Histories, str]:
    """Histories gathered anew, and what was wrong with those that were carried forward."""
    anew = gather(feed.through(as_of), as_of)
    mine, others = carried.arrays(), anew.arrays()
    other = [name for name in others if not np.array_equal(mine[name], others[name])]
    return anew, f"histories carried forward differ from rebuilt ones in {', '.join(other)}" if other else ""


def up_to_date(level: Path, pointer: Pointer, feed: Feed, as_of: date) -> Histories:
    """Histories through a day: the latest that suit the feed, carried forward; if none do, gathered anew.

    They suit if they were made from the very days that the feed holds now: after a correction an earlier one's do.
    """
    kept = sorted((level / HISTORIES).glob(f"2*/{MANIFEST}"), reverse=True)
    for folder in (*(path.parent for path in kept), level / pointer.bundle / HISTORIES):
        with suppress(IntegrityError):
            manifest = open_histories_manifest(folder)
            through = date.fromisoformat(manifest["through"])
            if through <= as_of and manifest.get("data_digest") == feed.digest(through):
                before = open_histories(folder)
                return carry(before, feed.between(through + timedelta(days=1), as_of), as_of)
    return gather(feed.through(as_of), as_of)


def store(level: Path, histories: Histories, data_digest: str) -> tuple[str, str]:
    """Write histories into a folder of their own, which appears whole or not at all; its name and digest.

    The name holds the digest: files that a service has mapped are never written again.
    """
    part = level / HISTORIES / f".{os.getpid()}.part"
    shutil.rmtree(part, ignore_errors=True)
    digest = write_histories(part, histories, data_digest)
    name = f"{HISTORIES}/{histories.day}-{digest[:16]}"
    try:
        verify_histories(level / name, digest)
        shutil.rmtree(part)
    except IntegrityError:
        shutil.rmtree(level / name, ignore_errors=True)
        part.rename(level / name)
    return name, digest


def remove_old(level: Path, now: Pointer) -> None:
    """Keep the last histories, and those that a pointer names."""
    named = {Path(pointer.histories).name for pointer in (now, *read_good(level))}
    for folder in sorted((level / HISTORIES).glob("2*"))[:-KEPT]:
        if folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)

"""Bring the customers' histories up to date, every day. No new release, no staging; one atomic switch."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from level3_cicd.rollout.switch import locked
from shared.dataset.feed import Feed
from shared.places import write_atomically
from shared.release.bundle import pack
from shared.release.manifest import sha256
from shared.release.pointer import Pointer, point_to, remember_good, require_pointer
from shared.service.follower import load

KEPT = 10


def refresh(level: Path, feed: Feed, as_of: date) -> Pointer:
    """Write histories through `as_of` and point to them. The release stays."""
    with locked(level):
        pointer = require_pointer(level)
        model = load(level, pointer).bundle.model.refresh(feed.through(as_of), as_of=as_of)
        content = pack(model.histories_.arrays())
        name = f"histories/{as_of}.npz"
        write_atomically(level / name, content)
        after = point_to(level, replace(pointer, histories=name, histories_digest=sha256(content)))
        remember_good(level, after)
        for old in sorted((level / "histories").glob("*.npz"))[:-KEPT]:
            old.unlink()
        return after

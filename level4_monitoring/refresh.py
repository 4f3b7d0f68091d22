"""Bring the customers' histories up to date, every day. No new release, no staging; one atomic switch."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from level3_cicd.switch import locked
from shared.bundle import pack
from shared.dataset import Feed
from shared.live import load
from shared.manifest import sha256
from shared.places import write_atomically
from shared.pointer import Pointer, point_to, remember_good, require_pointer

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

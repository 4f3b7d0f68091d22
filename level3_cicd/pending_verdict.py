"""A verdict between registry and ledger: noted before its release is registered, written down after it.

A kill in between leaves the note; the next run or deployment writes the row.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from level3_cicd.ledger import Row, append, parse, plain, verdicts_of_gate
from shared.errors import Locked
from shared.places import write_atomically

OnRow = Callable[[Row], object]


def pending_file(level: Path) -> Path:
    """The path of the note of a row that is to follow its release's registration."""
    return level / "registering.json"


@contextmanager
def recorded_after(level: Path, row: Row, on_row: OnRow = lambda row: None) -> Iterator[None]:
    """Append a row after its release was registered in the block, and hand it to `on_row`."""
    write_atomically(pending_file(level), json.dumps(plain(row)).encode())
    try:
        yield
    except Locked:  # another run's release has this number
        pending_file(level).unlink()
        raise
    on_row(append(level, row))
    pending_file(level).unlink()


def record_pending(level: Path, registered: Mapping[str, str], on_row: OnRow = lambda row: None) -> None:
    """Append the row of a release that is in the registry, if a kill came between the two.

    registered: bundle digests by release.
    """
    file = pending_file(level)
    if not file.exists():
        return
    row = parse(json.loads(file.read_bytes()))
    known = [told for told in verdicts_of_gate(level, row.release) if told.bundle_digest == row.bundle_digest]
    if registered.get(row.release) == row.bundle_digest:
        reason = f"{row.reason}; written down by the next command, as the run was interrupted"
        on_row(known[-1] if known else append(level, replace(row, reason=reason)))
    file.unlink()

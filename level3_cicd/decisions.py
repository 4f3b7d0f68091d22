"""What a run decides, as rows of the ledger, and what becomes of a row that a kill prevented."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from level3_cicd.gate import Verdict
from level3_cicd.ledger import Row, append, parse, plain, read
from level3_cicd.steps import Judged
from shared.dataset import Feed
from shared.errors import Locked
from shared.holdout import HOLDOUT_DAYS
from shared.places import write_atomically
from shared.revision import revision

if TYPE_CHECKING:
    from level3_cicd.registry import Registered


def data_row(findings: pd.DataFrame, feed: Feed, as_of: date, actor: str) -> Row:
    """Data that is not fit to train on."""
    return Row(
        as_of=as_of,
        step="validate",
        verdict="refused",
        reason=f"{len(findings)} findings in the data",
        data_digest=feed.digest(as_of),
        revision=revision(),
        actor=actor,
        numbers={"findings": findings.astype(str).to_dict("records")},
    )


def gate_row(
    release: str, bundle_digest: str, verdict: Verdict, judged: Judged, feed: Feed, as_of: date, actor: str
) -> Row:
    """The gate's verdict on a release."""
    notes = [judged.note] if judged.note else []
    if verdict.passed:
        notes.append(f"judged with histories through {HOLDOUT_DAYS} days before {as_of}, then brought up to date")
    return Row(
        as_of=as_of,
        step="gate",
        verdict="passed" if verdict.passed else "refused",
        reason="; ".join([verdict.reason, *notes]),
        release=release,
        bundle_digest=bundle_digest,
        data_digest=feed.digest(as_of),
        revision=revision(),
        actor=actor,
        numbers={"metrics": judged.metrics, "rules": [asdict(rule) for rule in verdict.rules], "notes": notes},
    )


@contextmanager
def written_down(level: Path, row: Row) -> Iterator[None]:
    """Write a row down after its release was registered in the block; a kill in between leaves a note of the row."""
    write_atomically(registering_file(level), json.dumps(plain(row)).encode())
    try:
        yield
    except Locked:  # another run's release has this number
        registering_file(level).unlink()
        raise
    append(level, row)
    registering_file(level).unlink()


def write_down_registered(level: Path, releases: "dict[str, Registered]") -> None:
    """Write down the row of a release that is in the registry, if a kill came between the two."""
    file = registering_file(level)
    if not file.exists():
        return
    row = parse(json.loads(file.read_bytes()))
    known = releases.get(row.release)
    in_registry = known is not None and known.bundle_digest == row.bundle_digest
    if in_registry and not read(level, "step = 'gate' AND release = ?", (row.release,)):
        append(level, replace(row, reason=f"{row.reason}; written down by the next run, as this one was interrupted"))
    file.unlink()


def registering_file(level: Path) -> Path:
    """Where a gate's row is noted before its release is registered."""
    return level / "registering.json"

"""What a run decides, as rows of the ledger."""

from dataclasses import asdict
from datetime import date, timedelta

import pandas as pd

from level3_cicd.gate import Verdict
from level3_cicd.ledger import Row
from level3_cicd.steps import Judged
from shared.dataset.feed import Feed
from shared.model.holdout import HOLDOUT_DAYS
from shared.release.provenance import revision


def data_row(findings: pd.DataFrame, feed: Feed, as_of: date, actor: str) -> Row:
    """Data that is not fit to train on."""
    return Row(
        as_of=as_of,
        step="validate",
        verdict="refused",
        reason=f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'} in the data",
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
        known_through = as_of - timedelta(days=HOLDOUT_DAYS)
        notes.append(f"judged with histories through {known_through}, then brought up to date through {as_of}")
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

"""Register: a version in the registry, with the evidence of its making; a refused candidate is kept as refused."""

import time
from dataclasses import asdict
from datetime import timedelta

from level3_cicd.gate import Verdict
from level3_cicd.ledger import Row, append
from level3_cicd.measured import Judged
from level3_cicd.pending_verdict import recorded_after
from level3_cicd.registered import Registered
from level3_cicd.run import Run
from level3_cicd.tools import registry
from shared.errors import CheckFailed
from shared.model.holdout import HOLDOUT_DAYS
from shared.release.manifest import digest_of


def register(run: Run, evaluate: Judged, gate: Verdict | None = None) -> Registered:
    """Write the verdict down and give the candidate its version; raises CheckFailed if the gate has refused it.

    Without a gate everything passes. A candidate that is only judged gets no version.
    """
    verdict = gate or Verdict([])
    row = verdict_row(run, evaluate, verdict)
    run.evidence.keep("config.json", run.config.model_dump(mode="json"))
    run.evidence.keep(
        "data.json", {"first": str(run.feed.first_day), "last": str(run.as_of), "digest": run.data_digest}
    )
    run.evidence.keep("duration.json", {"seconds": time.perf_counter() - run.began})
    entry = judge_only(run, row) if run.judge_only else give_version(run, row)
    if not verdict.passed:
        raise CheckFailed(
            f"The gate refused release {run.release}: {verdict.reason}",
            fix=verdict.fix,
        )
    return entry


def judge_only(run: Run, row: Row) -> Registered:
    """Write the verdict down without a version."""
    kept = append(run.level, row)
    page = registry.page_of(run.level, run.evidence.run_id)
    return Registered(run.release, "", row.verdict, row.bundle_digest, page, kept.hash)


def give_version(run: Run, row: Row) -> Registered:
    """Register the bundle, then write its verdict down; the version bears the row's hash."""
    with recorded_after(run.level, row, on_row=lambda kept: registry.tag_with_row(run.level, kept)):
        entry = registry.register(run.level, run.evidence.run_id, run.release, run.bundle, row.verdict)
    run.evidence.show_link("mlflow-run", registry.page_of(run.level, run.evidence.run_id), f"Release {run.release}")
    return entry


def verdict_row(run: Run, judged: Judged, verdict: Verdict) -> Row:
    """The ledger's row of the gate's verdict on a candidate."""
    notes = [judged.note] if judged.note else []
    if verdict.passed:
        known_through = run.as_of - timedelta(days=HOLDOUT_DAYS)
        notes.append(f"judged with histories through {known_through}, then brought up to date through {run.as_of}")
    return Row(
        as_of=run.as_of,
        step="judge" if run.judge_only else "gate",
        verdict="passed" if verdict.passed else "refused",
        reason="; ".join([verdict.reason, *notes]),
        release=run.release,
        bundle_digest=digest_of(run.bundle),
        data_digest=run.data_digest,
        revision=run.revision,
        actor=run.actor,
        numbers={
            "metrics": judged.metrics,
            "rules": [asdict(rule) for rule in verdict.rules],
            "notes": notes,
            "compared_with": judged.compared_with,
        },
    )

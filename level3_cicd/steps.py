"""The thinking of the pipeline's steps: data in, data out. `flow.py` wires them."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from level3_cicd.config import GateLimits, PipelineConfig
from level3_cicd.gate import Verdict, decide
from shared.bundle import Evidence, write_bundle
from shared.checks import check_days
from shared.columns import CUSTOMER
from shared.dataset import Feed
from shared.errors import CheckFailed, UsageError
from shared.holdout import HOLDOUT_DAYS, Holdout
from shared.live import load, read_pointer
from shared.metrics import score_customers
from shared.model import Popular


@dataclass(frozen=True)
class Judged:
    """A candidate's metrics on the held-out week, and the gate's verdict on it."""

    metrics: dict[str, float]
    verdict: Verdict


def validate(feed: Feed, as_of: date) -> pd.DataFrame:
    """The findings on the last week's days."""
    week = [as_of - timedelta(days=back) for back in range(HOLDOUT_DAYS)]
    return check_days(feed, [day for day in week if day in set(feed.days)])


def refuse_bad_data(findings: pd.DataFrame) -> None:
    """Raise CheckFailed with all findings, if there are any."""
    if len(findings):
        lines = "\n".join(f"  {row.day} {row.check} {row.column}: {row.found}" for row in findings.itertuples())
        raise CheckFailed(f"The data is not fit to train on:\n{lines}", fix="Mend the export, then run again.")


def train(config: PipelineConfig, holdout: Holdout) -> Popular:
    """A model that has not seen the held-out week."""
    return config.estimator().fit(holdout.known, as_of=holdout.known_through)


def read_live(level: Path, holdout: Holdout) -> Popular | None:
    """The live model as it would serve the held-out week: its parameters, with histories through the day before."""
    pointer = read_pointer(level)
    if pointer is None:
        return None
    model = load(level, pointer).bundle.model
    if model.trained_through_ > holdout.known_through:
        raise UsageError(
            f"The live release {pointer.release} was trained through {model.trained_through_}; "
            f"it has seen the week after {holdout.known_through} that would judge the candidate.",
            fix="Pass a later --as-of.",
        )
    return model.refresh(holdout.known, as_of=holdout.known_through)


def evaluate(candidate: Popular, live: Popular | None, holdout: Holdout, limits: GateLimits) -> Judged:
    """Judge the candidate beside popular and beside the live model, on the same customers."""
    customers = holdout.bought[CUSTOMER].unique()

    def ndcg(model: Popular) -> pd.Series:
        return score_customers(model.recommend(customers), holdout.bought)["ndcg"]

    popular = Popular().fit(holdout.known, as_of=holdout.known_through)
    verdict = decide(ndcg(candidate), ndcg(popular), ndcg(live) if live else None, limits)
    return Judged(holdout.judge(candidate), verdict)


def bundle(folder: Path, model: Popular, feed: Feed, as_of: date, evidence: Evidence) -> str:
    """Bring the judged model's histories up to date and write it as a bundle; returns the bundle's digest."""
    return write_bundle(folder, model.refresh(feed.through(as_of), as_of=as_of), feed.products(), evidence)

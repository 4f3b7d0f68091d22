"""The thinking of the pipeline's steps: data in, data out. `flow.py` wires them."""

import math
import statistics
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from level3_cicd.config import PipelineConfig
from level3_cicd.gate import Measured
from level3_cicd.slices import by_customer, by_department, recall_by_customer
from shared.columns import CUSTOMER, SCORE
from shared.dataset.checks import check_days
from shared.dataset.feed import Feed
from shared.errors import CheckFailed, IntegrityError, MlopsError, UsageError
from shared.model.holdout import HOLDOUT_DAYS, Holdout
from shared.model.metrics import score_customers
from shared.model.popular import Popular
from shared.release.bundle import NOBODY, Evidence, open_bundle, write_bundle
from shared.release.pointer import Pointer

TIMED_CUSTOMERS = 50


@dataclass(frozen=True)
class Judged:
    """A candidate's metrics on the held-out week, what the gate will look at, and what it could not be told.

    slices: by name of the slice, the number of customers, and the mean scores of the candidate and of what is live.
    """

    metrics: dict[str, float]
    measured: Measured
    slices: dict[str, dict[str, float]]
    note: str = ""


def days_to_validate(
    feed: Feed, as_of: date, validated: date | None, refused: Collection[date], accepted: Collection[date]
) -> list[date]:
    """The last week's days, those since `validated`, through which days have passed before, those once refused, and
    those whose rows are others by now.
    """
    week = as_of - timedelta(days=HOLDOUT_DAYS - 1)
    first = min(week, validated + timedelta(days=1)) if validated else week
    known = [day for day in feed.days if day <= as_of and day not in accepted]
    return [day for day in known if day >= first or day in refused or not feed.matches_record(day)]


def validate(feed: Feed, days: list[date]) -> pd.DataFrame:
    """The findings on some days."""
    changed = [
        (day, "rows as delivered", "", "others than were noted", "") for day in days if not feed.matches_record(day)
    ]
    findings = check_days(feed, days)
    return pd.concat([findings, pd.DataFrame(changed, columns=findings.columns)]) if changed else findings


def refuse_bad_data(findings: pd.DataFrame) -> None:
    """Raise CheckFailed with all findings, if there are any."""
    if len(findings):
        lines = "\n".join(
            f"  {row.day}, {row.column or 'rows'}: {row.check}, {row.found}"
            + (f" (limit {row.limit})" if row.limit else "")
            for row in findings.itertuples()
        )
        fix = (
            f"Mend the export, pass an --as-of before {min(findings['day'])}, or, if a day is odd but right, "
            "add it to accepted_days in the configuration. Then run again."
        )
        raise CheckFailed(f"The data is not fit to train on:\n{lines}", fix)


def train(config: PipelineConfig, holdout: Holdout) -> Popular:
    """A model that has not seen the held-out week."""
    return config.estimator().fit(holdout.known, as_of=holdout.known_through)


def read_live(level: Path, pointer: Pointer | None, holdout: Holdout) -> tuple[Popular | None, str]:
    """(the live model as it would serve the held-out week, ""): its parameters, with histories through the day before.

    Without one, (None, why): nothing is live, or it does not open, which must not keep a new one from being trained.
    """
    if pointer is None:
        return None, "nothing is live that it could be compared with"
    try:
        model = open_bundle(level / pointer.bundle, pointer.bundle_digest).model
    except IntegrityError as error:
        return None, f"not compared with the live release, which does not open: {error.what}"
    if model.trained_through_ > holdout.known_through:
        raise UsageError(
            f"The live release {pointer.release} was trained through {model.trained_through_}; "
            f"it has seen the week after {holdout.known_through} that would judge the candidate.",
            fix="Pass a later --as-of.",
        )
    return model.refresh(holdout.known, as_of=holdout.known_through), ""


def evaluate(candidate: Popular, live: Popular | None, holdout: Holdout, products: pd.DataFrame) -> Judged:
    """Measure the candidate beside popular and beside the live model, on the same customers and slices.

    How fast it answers is not known before it is a bundle: `milliseconds` is NaN until then.
    """
    customers = holdout.bought[CUSTOMER].unique()
    popular = Popular().fit(holdout.known, as_of=holdout.known_through)
    lists = {"candidate": candidate.recommend(customers), "popular": popular.recommend(customers)}
    if live:
        lists["live"] = live.recommend(customers)
    ndcg = {name: score_customers(mine, holdout.bought)["ndcg"] for name, mine in lists.items()}
    metrics = holdout.judge(candidate)
    slices = score_slices(holdout, lists, ndcg, products)
    measured = Measured(
        candidate=ndcg["candidate"],
        popular=ndcg["popular"],
        live=ndcg.get("live"),
        coverage=metrics["coverage_at_10"],
        unscored=int(lists["candidate"][SCORE].isna().sum()),
        milliseconds=math.nan,
        slices={name: (mine["candidate"], mine["live"]) for name, mine in slices.items() if live},
    )
    return Judged(metrics, measured, {name: tell_slice(mine) for name, mine in slices.items()})


def tell_slice(scores: dict[str, pd.Series]) -> dict[str, float]:
    """A slice in numbers; a slice without customers has no mean."""
    means = {name: float(mine.mean()) for name, mine in scores.items() if len(mine)}
    return {"customers": len(scores["candidate"]), **means}


def score_slices(
    holdout: Holdout,
    lists: dict[str, pd.DataFrame],
    ndcg: dict[str, pd.Series],
    products: pd.DataFrame,
) -> dict[str, dict[str, pd.Series]]:
    """Candidate and live, if there is one: NDCG@10 of kinds of customers, recall@10 of departments."""
    models: list[str] = [name for name in ("candidate", "live") if name in lists]
    kinds = by_customer(holdout.known, ndcg["candidate"].index, holdout.known_through)
    scores = {name: {model: ndcg[model][kind] for model in models} for name, kind in kinds.items()}
    for name, bought in by_department(holdout.bought, products).items():
        scores[name] = {model: recall_by_customer(lists[model], bought) for model in models}
    return scores


def bundle(folder: Path, model: Popular, feed: Feed, as_of: date, evidence: Evidence) -> str:
    """Bring the judged model's histories up to date and write it as a bundle; returns the bundle's digest."""
    return write_bundle(folder, model.refresh(feed.through(as_of), as_of=as_of), feed.products(), evidence)


def time_one(folder: Path) -> float:
    """Median milliseconds for one customer's list from an opened bundle; NaN if it does not open or answer."""
    try:
        model = open_bundle(folder).model
    except MlopsError:
        return math.nan
    taken = []
    asked = [name.decode() for name in model.histories_.customers[:TIMED_CUSTOMERS]]
    for customer in asked or [NOBODY]:
        began = time.perf_counter()
        if model.recommend([customer]).empty:
            return math.nan
        taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken)

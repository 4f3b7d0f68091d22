"""Evaluate: the candidate beside popular and beside the live release; then it becomes a bundle."""

import math
import statistics
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd

from level3_cicd.measured import Judged, Measured
from level3_cicd.rollout.switch import locked, pointer_of_ledger
from level3_cicd.run import Run
from level3_cicd.slices import by_customer, by_department, recall_by_customer
from shared.columns import CUSTOMER, SCORE
from shared.errors import DependencyDown, IntegrityError, MlopsError, UsageError
from shared.model.carrying import carry
from shared.model.holdout import Holdout
from shared.model.metrics import score_customers
from shared.model.popular import Popular
from shared.release.bundle import NOBODY, Evidence, open_bundle, write_bundle
from shared.release.manifest import is_sound
from shared.release.pointer import Pointer, readable_pointer

TIMED_CUSTOMERS = 50


def evaluate(run: Run, prepare: Holdout, train: Popular) -> Judged:
    """Measure the candidate, keep what was found, and write it as a bundle with histories through `as_of`."""
    live, pointer, note = find_live(run.level, prepare)
    judged = measure(train, live, prepare, run.feed.products())
    since = run.feed.between(prepare.known_through + timedelta(days=1), run.as_of)
    refreshed = train.with_histories(carry(train.histories_, since, run.as_of))
    evidence = Evidence(run.data_digest, run.revision, judged.metrics)
    write_bundle(run.bundle, refreshed, run.feed.products(), evidence)
    run.evidence.keep("slices.json", judged.slices)
    run.evidence.keep_numbers(run.bundle)
    named = {"release": pointer.release, "bundle_digest": pointer.bundle_digest} if live and pointer else None
    measured = replace(judged.measured, milliseconds=time_one(run.bundle))
    return replace(judged, measured=measured, note=note, compared_with=named)


def find_live(level: Path, holdout: Holdout) -> tuple[Popular | None, Pointer | None, str]:
    """The live model to compare with, or why there is none: the pointer's, the ledger's, else the registry's champion.

    What is damaged in the level's own store is fetched again: no candidate is to pass for want of a comparison.
    """
    from level3_cicd.tools import registry

    try:
        pointer = readable_pointer(level) or pointer_of_ledger(level) or registry.champion(level)
        if pointer and not is_sound(level / pointer.bundle, pointer.bundle_digest):
            with locked(level):
                registry.fetch(level, pointer.release)
    except (IntegrityError, DependencyDown, UsageError) as error:
        return None, None, f"not compared with the live release: {error.what}"
    model, note = open_live(level, pointer, holdout)
    return model, pointer, note


def open_live(level: Path, pointer: Pointer | None, holdout: Holdout) -> tuple[Popular | None, str]:
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


def measure(candidate: Popular, live: Popular | None, holdout: Holdout, products: pd.DataFrame) -> Judged:
    """Measure the candidate beside popular and beside the live model, on the same customers and slices.

    How fast it answers is not known before it is a bundle: `milliseconds` is NaN until then.
    """
    customers = holdout.bought[CUSTOMER].unique()
    popular = Popular().fit(holdout.known, as_of=holdout.known_through)
    lists = {"candidate": candidate.recommend(customers), "popular": popular.recommend(customers)}
    if live:
        lists["live"] = live.recommend(customers)
    ndcg = {name: score_customers(mine, holdout.bought)["ndcg"] for name, mine in lists.items()}
    metrics = holdout.measure(lists["candidate"])
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

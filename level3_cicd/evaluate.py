"""Evaluate: the candidate beside popular and beside the live release; then it becomes a bundle."""

import math
import statistics
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pandas as pd

from level3_cicd.measured import Judged, Measured
from level3_cicd.rollout.store import pointer_of_ledger
from level3_cicd.rollout.switch import locked
from level3_cicd.run import Run
from level3_cicd.slices import by_customer, by_department, recall_by_customer
from shared.columns import CUSTOMER, SCORE
from shared.dataset.purchases import count_products
from shared.errors import DependencyDown, IntegrityError, MlopsError, UsageError
from shared.model.alike import cut, list_lengths, require_same_knowledge, score_alike
from shared.model.carrying import carry
from shared.model.holdout import Holdout
from shared.model.metrics import coverage, summarize
from shared.model.popular import Popular
from shared.release.bundle import Evidence, open_bundle, write_bundle
from shared.release.manifest import NOBODY, is_sound
from shared.release.pointer import Pointer, is_deliberately_empty, pointer_file, readable_pointer

TIMED_CUSTOMERS = 20
TIMES = 3
LIST_LENGTH = 10


@dataclass(frozen=True)
class LiveSide:
    """The live release as one side of the comparison.

    model: as it would serve the held-out week; None if nothing is live, or if it cannot be used: `unreadable` says why.
    left_out: why what is live is no yardstick for a change that is only judged.
    """

    release: str = ""
    bundle_digest: str = ""
    model: Popular | None = None
    unreadable: str = ""
    left_out: str = ""

    @property
    def named(self) -> dict[str, str] | None:
        """Its number and digest, for the record; None if nothing is live."""
        return {"release": self.release, "bundle_digest": self.bundle_digest} if self.release else None


NOTHING_LIVE = LiveSide()


def evaluate(run: Run, prepare: Holdout, train: Popular) -> Judged:
    """Measure the candidate, keep what was found, and write it as a bundle with histories through `as_of`."""
    judged = measure(train, side_of_live(run, prepare), prepare, run.feed.products())
    since = run.feed.between(prepare.known_through + timedelta(days=1), run.as_of)
    refreshed = train.with_histories(carry(train.histories_, since, run.as_of))
    evidence = Evidence(run.data_digest, run.revision, judged.metrics)
    write_bundle(run.bundle, refreshed, run.feed.products(), evidence)
    run.evidence.keep("slices.json", judged.slices)
    run.evidence.keep_numbers(run.bundle)
    return replace(judged, measured=replace(judged.measured, milliseconds=time_one(run.bundle)))


def side_of_live(run: Run, holdout: Holdout) -> LiveSide:
    """The live model to compare with. What is not to be registered is judged also where it cannot be compared."""
    try:
        return find_live(run.level, holdout)
    except UsageError as error:
        if run.judge_only:
            return LiveSide(left_out=error.what)
        raise


def find_live(level: Path, holdout: Holdout) -> LiveSide:
    """The live model to compare with: the pointer's, the ledger's, else the registry's champion.

    What is damaged in the level's own store is fetched again. Where something is live, or may be, and cannot be
    had, the gate must know: no candidate is to pass for want of a comparison.
    """
    from level3_cicd.tools import registry

    pointer = None
    try:
        pointer = readable_pointer(level) or pointer_of_ledger(level) or registry.champion(level)
        if pointer and not is_sound(level / pointer.bundle, pointer.bundle_digest):
            with locked(level):
                registry.fetch(level, pointer.release)
    except (IntegrityError, DependencyDown, UsageError) as error:
        named = (pointer.release, pointer.bundle_digest) if pointer else ("of unknown number", "")
        return LiveSide(*named, unreadable=error.what)
    if pointer is None and pointer_file(level).exists() and not is_deliberately_empty(level):
        return LiveSide("of unknown number", unreadable=f"{pointer_file(level)} is damaged")
    return open_live(level, pointer, holdout)


def open_live(level: Path, pointer: Pointer | None, holdout: Holdout) -> LiveSide:
    """The live model as it would serve the held-out week: its parameters, with histories through the day before.

    Raises UsageError if it was trained on that week.
    """
    if pointer is None:
        return NOTHING_LIVE
    try:
        model = open_bundle(level / pointer.bundle, pointer.bundle_digest).model
    except IntegrityError as error:
        return LiveSide(pointer.release, pointer.bundle_digest, unreadable=error.what)
    if model.trained_through_ > holdout.known_through:
        raise UsageError(
            f"The live release {pointer.release} was trained through {model.trained_through_}; "
            f"it has seen the week after {holdout.known_through} that would judge the candidate.",
            fix="Pass a later --as-of.",
        )
    refreshed = model.refresh(holdout.known, as_of=holdout.known_through)
    return LiveSide(pointer.release, pointer.bundle_digest, refreshed)


def measure(candidate: Popular, live: LiveSide, holdout: Holdout, products: pd.DataFrame) -> Judged:
    """Measure the candidate beside popular and beside the live model, on the same customers and slices.

    How fast it answers is not known before it is a bundle: `milliseconds` is NaN until then. Raises CheckFailed
    where the sides are not alike: other histories, or lists of different length.
    """
    sides = {"candidate": candidate, "popular": Popular().fit(holdout.known, as_of=holdout.known_through)}
    sides |= {"live": live.model} if live.model else {}
    require_same_knowledge(sides, holdout.known_through)
    customers = holdout.bought[CUSTOMER].unique()
    made = {name: model.recommend(customers) for name, model in sides.items()}
    # A shop that sells fewer than ten products has shorter lists: those of the other sides say how long they can be.
    k = min(int(list_lengths(mine, customers).min()) for name, mine in made.items() if name != "candidate")
    lists, ndcg = cut(made, customers, k), score_alike(made, holdout.bought, k)
    catalogue = count_products(holdout.known)
    slices = score_slices(holdout, lists, ndcg, products)
    measured = Measured(
        candidate=ndcg["candidate"],
        popular=ndcg["popular"],
        live=ndcg.get("live"),
        coverage=coverage(lists["candidate"], catalogue),
        usual_coverage=coverage(lists.get("live", lists["popular"]), catalogue),
        unscored=int(made["candidate"][SCORE].isna().sum()),
        milliseconds=math.nan,
        slices={name: (mine["candidate"], mine["live"]) for name, mine in slices.items() if live.model},
        kind=candidate.kind,
        live_kind=live.model.kind if live.model else "",
        live_release=live.release,
        unreadable=live.unreadable,
    )
    metrics = summarize(made["candidate"], holdout.bought, catalogue)
    told = {name: tell_slice(mine) for name, mine in slices.items()}
    return Judged(metrics, measured, told, note_on(live, k), live.named)


def note_on(live: LiveSide, k: int) -> str:
    """What a reader of the verdict must know of the comparison, beside its numbers."""
    against = f"compared with the live release {live.release}"
    if not live.model:
        against = f"not compared with a live release: {live.left_out or 'nothing is live'}"
    if live.unreadable:
        against = f"not compared with the live release {live.release}: {live.unreadable}"
    return against + (f"; lists of {k}, as the shop has no more products" if k < LIST_LENGTH else "")


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
    """Milliseconds for one customer's list from an opened bundle; NaN if it does not open or answer.

    CPU time of this thread, the best of several for each customer, the median of the customers: other programs on
    the machine do not count.
    """
    try:
        model = open_bundle(folder).model
    except MlopsError:
        return math.nan
    asked = [name.decode() for name in model.histories_.customers[:TIMED_CUSTOMERS]] or [NOBODY]
    if any(model.recommend([customer]).empty for customer in asked):
        return math.nan
    return 1000 * statistics.median(best_time(model, customer) for customer in asked)


def best_time(model: Popular, customer: str) -> float:
    """The least of several CPU times for a customer's list, in seconds."""
    taken = []
    for _ in range(TIMES):
        began = time.thread_time()
        model.recommend([customer])
        taken.append(time.thread_time() - began)
    return min(taken)

"""The Prefect flow: prepare, validate, train, evaluate, gate, register. Imported only when a pipeline runs."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TypeVar, cast

import pandas as pd
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from level3_cicd import registry, steps
from level3_cicd.config import PipelineConfig
from level3_cicd.ledger import Row, append
from level3_cicd.registry import Registered
from shared.bundle import Evidence
from shared.dataset import Feed, open_feed
from shared.errors import CheckFailed
from shared.holdout import HOLDOUT_DAYS, Holdout, hold_out
from shared.model import Popular
from shared.releases import next_release
from shared.revision import revision

Function = TypeVar("Function", bound=Callable)


def step(function: Function) -> Function:
    """A Prefect task. Its tables stay in memory; the type stays that of the function."""
    return cast(Function, task(cache_policy=NO_CACHE, persist_result=False)(function))


@step
def prepare(shop: Path, as_of: date) -> tuple[Feed, Holdout]:
    """The feed, and the last week held out."""
    feed = open_feed(shop)
    return feed, hold_out(feed.through(as_of), as_of)


@step
def validate(feed: Feed, as_of: date) -> pd.DataFrame:
    """The findings on the last week's days."""
    return steps.validate(feed, as_of)


@step
def train(config: PipelineConfig, holdout: Holdout) -> Popular:
    """A model that has not seen the held-out week."""
    return steps.train(config, holdout)


@step
def evaluate(level: Path, candidate: Popular, holdout: Holdout, config: PipelineConfig) -> steps.Judged:
    """The candidate beside popular and beside the live model."""
    return steps.evaluate(candidate, steps.read_live(level, holdout), holdout, config.gate)


@step
def gate(level: Path, release: str, judged: steps.Judged, as_of: date, data_digest: str, actor: str) -> str:
    """Write the verdict into the ledger and return it."""
    passed = judged.verdict.passed
    reason = judged.verdict.reason
    if passed:
        reason += f"; judged with histories through {HOLDOUT_DAYS} days before {as_of}, then brought up to date"
    row = Row(
        as_of=as_of,
        step="gate",
        verdict="passed" if passed else "refused",
        reason=reason,
        release=release,
        data_digest=data_digest,
        revision=revision(),
        actor=actor,
        numbers={"metrics": judged.metrics, "rules": [asdict(rule) for rule in judged.verdict.rules]},
    )
    return append(level, row).verdict


@step
def register(
    level: Path, release: str, model: Popular, judged: steps.Judged, verdict: str, feed: Feed, as_of: date
) -> Registered:
    """Give the bundle a version in the registry; a refused one is kept as refused."""
    evidence = Evidence(release, feed.digest(as_of), revision(), judged.metrics)
    with tempfile.TemporaryDirectory(dir=level, prefix=".train.") as temporary:
        folder = Path(temporary) / "bundle"
        steps.bundle(folder, model, feed, as_of, evidence)
        rules = [asdict(rule) for rule in judged.verdict.rules]
        return registry.register(level, folder, verdict, {"verdict": verdict, "rules": rules})


@flow(name="recommender", validate_parameters=False, persist_result=False)
def pipeline(level: Path, shop: Path, as_of: date, config: PipelineConfig, actor: str) -> Registered:
    """Train a release, judge it and register it. Raises CheckFailed if the data or the gate says no."""
    feed, holdout = prepare(shop, as_of)
    findings = validate(feed, as_of)
    if len(findings):
        numbers = {"findings": findings.astype(str).to_dict("records")}
        row = Row(as_of, "validate", "refused", f"{len(findings)} findings in the data", actor=actor, numbers=numbers)
        append(level, row)
        steps.refuse_bad_data(findings)
    release = next_release(registry.registered(level), config.major)
    model = train(config, holdout)
    judged = evaluate(level, model, holdout, config)
    verdict = gate(level, release, judged, as_of, feed.digest(as_of), actor)
    entry = register(level, release, model, judged, verdict, feed, as_of)
    if verdict == "refused":
        raise CheckFailed(
            f"The gate refused release {release}: {judged.verdict.reason}",
            fix="It is kept in the registry as refused. Train another one; what is live stays live.",
        )
    return entry

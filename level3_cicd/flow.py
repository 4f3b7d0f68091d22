"""The Prefect flow: prepare, validate, train, evaluate, gate, register. Imported only when a pipeline runs."""

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx
import pandas as pd
from prefect import flow, tags, task
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext
from prefect.settings import PREFECT_API_URL, temporary_settings

from level3_cicd import steps
from level3_cicd.config import PipelineConfig
from level3_cicd.decisions import data_row, gate_row
from level3_cicd.deploy import CODE
from level3_cicd.gate import Verdict, decide
from level3_cicd.ledger import append, refused_days, validated_through, write_down_registered, written_down
from level3_cicd.rollout.switch import locked, pointer_of_ledger
from level3_cicd.tools import registry
from level3_cicd.tools.mlflow_client import identity_of
from level3_cicd.tools.registry import Registered
from shared.dataset.feed import Feed, open_feed
from shared.errors import CheckFailed, DependencyDown, IntegrityError, MlopsError, UsageError
from shared.model.holdout import Holdout, hold_out
from shared.model.popular import Popular
from shared.release.bundle import Evidence
from shared.release.manifest import digest_of, is_sound, sha256
from shared.release.number import next_release
from shared.release.pointer import readable_pointer
from shared.release.provenance import code_digest, lock_digest, revision

log = logging.getLogger("level3.flow")
Function = TypeVar("Function", bound=Callable)


def step(function: Function) -> Function:
    """A Prefect task. Its tables stay in memory; the type stays that of the function."""
    return cast(Function, task(cache_policy=NO_CACHE, persist_result=False)(function))


def same_inputs(context: TaskRunContext, given: dict[str, Any]) -> str:
    """The key of a cached task: the digests of data, code and requirements, and the configuration.

    The files' sizes and times are in it, as the data's digest is what was noted when the feed was written.
    """
    feed, as_of, config = given["feed"], given["as_of"], given.get("config")
    settings = config.model_dump_json(exclude={"gate"}) if config else ""
    days = [str(day) for day in given.get("days", ())]
    inputs = f"{feed.digest(as_of)} {feed.file_stamps(as_of)} {settings} {days} {code_digest(CODE)} {lock_digest()}"
    return f"{context.task.name}-{sha256(inputs.encode())}"  # it becomes a file's name: no long ones


def cached(function: Function) -> Function:
    """A task that is done once for the same inputs, and tried again when the disk fails; MLflow's client does too."""
    made = task(
        cache_key_fn=same_inputs, persist_result=True, retries=2, retry_delay_seconds=1, retry_condition_fn=passing
    )
    return cast(Function, made(function))


def passing(_task: Any, _run: Any, state: Any) -> bool:
    """Whether a failure may pass by itself: one of the disk or of the network, not one of the data."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, OSError) or isinstance(getattr(error, "__cause__", None), OSError)


@step
def prepare(shop: Path, as_of: date) -> tuple[Feed, Holdout]:
    """The feed, and the last week held out."""
    feed = open_feed(shop)
    return feed, hold_out(feed.through(as_of), as_of)


@cached
def validate(feed: Feed, as_of: date, days: list[date]) -> pd.DataFrame:
    """The findings on some days; `as_of` is for the key."""
    return steps.validate(feed, days)


@cached
def train(feed: Feed, as_of: date, config: PipelineConfig) -> Popular:
    """A model that has not seen the held-out week."""
    return steps.train(config, hold_out(feed.through(as_of), as_of))


@step
def evaluate(level: Path, folder: Path, model: Popular, feed: Feed, holdout: Holdout, as_of: date) -> steps.Judged:
    """The candidate beside popular and beside the live model; then it becomes a bundle in `folder`."""
    live, note = read_live(level, holdout)
    judged = replace(steps.evaluate(model, live, holdout, feed.products()), note=note)
    evidence = Evidence(feed.digest(as_of), revision(), judged.metrics)
    steps.bundle(folder, model, feed, as_of, evidence)
    return replace(judged, measured=replace(judged.measured, milliseconds=steps.time_one(folder)))


def read_live(level: Path, holdout: Holdout) -> tuple[Popular | None, str]:
    """The live model to compare with, or why there is none: the pointer's, the ledger's, else the registry's champion.

    What is damaged in the level's own store is fetched again: no candidate is to pass for want of a comparison.
    """
    try:
        pointer = readable_pointer(level) or pointer_of_ledger(level) or registry.champion(level)
        if pointer and not is_sound(level / pointer.bundle, pointer.bundle_digest):
            with locked(level):
                registry.fetch(level, pointer.release)
    except (IntegrityError, DependencyDown, UsageError) as error:
        return None, f"not compared with the live release: {error.what}"
    return steps.read_live(level, pointer, holdout)


@step
def gate(release: str, judged: steps.Judged, config: PipelineConfig) -> Verdict:
    """Judge, and show the verdict on Prefect's page of the run."""
    verdict = decide(judged.measured, config.gate)
    rules = [asdict(rule) for rule in verdict.rules]
    create_table_artifact(key="gate", table=rules, description=f"Release {release}: {verdict.reason}")
    return verdict


@step
def register(level: Path, run_id: str, release: str, folder: Path, verdict: str) -> Registered:
    """Give the bundle a version in the registry; a refused one is kept as refused."""
    entry = registry.register(level, run_id, release, folder, verdict)
    link = registry.page_of(level, run_id)
    try:
        create_link_artifact(key="mlflow-run", link=link, link_text=f"Release {release}")
    except Exception as error:  # noqa: BLE001  the release is registered; a link is no reason to fail
        log.warning("Prefect's page has no link to %s: %s", link, error)
    return entry


@flow(name="recommender", validate_parameters=False, persist_result=False)
def pipeline(
    level: Path, shop: Path, as_of: date, config: PipelineConfig, actor: str, name: str, release: str, judge_only: bool
) -> Registered:
    """Train a release, judge it and register it; `name` is MLflow's, too. Raises CheckFailed if data or gate say no."""
    began = time.perf_counter()
    feed, holdout = prepare(shop, as_of)
    with registry.record_of_run(
        level, name, release, {"actor": actor, "revision": revision(), "lock": lock_digest()}
    ) as evidence:
        looked_at = steps.days_to_validate(
            feed, as_of, validated_through(level, as_of, feed.digest), refused_days(level), config.accepted_days
        )
        findings = validate(feed, as_of, looked_at)
        evidence.keep("validation.json", {"findings": findings.astype(str).to_dict("records")})
        if len(findings):
            append(level, data_row(findings, feed, as_of, actor))
            steps.refuse_bad_data(findings)
        model = train(feed, as_of, config)
        with tempfile.TemporaryDirectory(dir=level, prefix=".train.") as temporary:
            folder = Path(temporary) / "bundle"
            judged = evaluate(level, folder, model, feed, holdout, as_of)
            verdict = gate(release, judged, config)
            evidence.keep_numbers(folder)
            evidence.keep("config.json", config.model_dump())
            evidence.keep("data.json", {"first": str(feed.first_day), "last": str(as_of), "digest": feed.digest(as_of)})
            evidence.keep("gate.json", {"passed": verdict.passed, "rules": [asdict(rule) for rule in verdict.rules]})
            evidence.keep("slices.json", judged.slices)
            evidence.keep("duration.json", {"seconds": time.perf_counter() - began})
            row = gate_row(release, digest_of(folder), verdict, judged, feed, as_of, actor)
            if judge_only:
                append(level, replace(row, step="judge"))
                page = registry.page_of(level, evidence.run_id)
                entry = Registered(release, "", row.verdict, row.bundle_digest, page)
            else:
                with written_down(level, row):
                    entry = register(level, evidence.run_id, release, folder, row.verdict)
        if not verdict.passed:
            raise CheckFailed(
                f"The gate refused release {release}: {verdict.reason}",
                fix="It is kept as refused. Train another one; what is live stays live.",
            )
    return entry


def run(
    level: Path, shop: Path, as_of: date, config: PipelineConfig, actor: str, api: str, judge_only: bool = False
) -> Registered:
    """Run the flow at Prefect's API, marked with its level, after closing what a kill left open.

    Raises DependencyDown if Prefect's server or the registry does not answer.
    """
    try:
        registry.align_aliases(level)
        releases = registry.registered(level)
        write_down_registered(level, releases)
        release = next_release(releases, config.major)
        name = f"recommender {release} through {as_of}"
        with temporary_settings({PREFECT_API_URL: api}), tags(level.name, identity_of(level)):
            close_crashed(identity_of(level))
            named = pipeline.with_options(flow_run_name=name)
            return named(level, shop, as_of, config, actor, name, release, judge_only)
    except MlopsError:
        raise
    except Exception as error:
        if not is_unreachable(error):
            raise
        raise DependencyDown(
            f"Prefect's server at {api} does not answer: {error}",
            fix="Start it again, or unset PREFECT_API_URL: then one is started for the run.",
        ) from error


def is_unreachable(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, is that Prefect's server does not answer."""
    while error and not isinstance(error, httpx.HTTPError):
        error = error.__cause__
    return error is not None


def close_crashed(tag: str) -> None:
    """Close a place's flow runs that still say `Running`: their process is gone, as the caller holds the lock."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
        FlowRunFilterTags,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    running = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[tag]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING])),
    )
    with get_client(sync_client=True) as client:
        for left in client.read_flow_runs(flow_run_filter=running):
            client.set_flow_run_state(left.id, Crashed(message="Its process ended."), force=True)

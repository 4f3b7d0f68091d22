"""The pipeline: a merge, a schedule or a person starts it; level 4's loop does so too."""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.deploy import CODE
from level3_cicd.evaluate import evaluate
from level3_cicd.gate import gate
from level3_cicd.ledger import day_reached, releases_named, verdicts_of_runs
from level3_cicd.pending_verdict import record_pending
from level3_cicd.prepare import prepare
from level3_cicd.register import register
from level3_cicd.registered import Registered
from level3_cicd.run import Evidence, Run
from level3_cicd.tools import registry
from level3_cicd.tools.github_summary import tell_verdict, write_summary
from level3_cicd.tools.prefect_settings import away_from_settings_files, prepare_prefect
from level3_cicd.tools.servers import launch_for_runs, wait_for_runs
from level3_cicd.train import train
from level3_cicd.validate import validate
from shared.config import read_config
from shared.dataset.feed import Feed, open_feed, require_day
from shared.dataset.read_once import read_once
from shared.errors import UsageError
from shared.locks import held
from shared.places import home, shop_folder
from shared.release.number import next_release
from shared.release.provenance import code_digest, lock_digest, revision
from shared.service.belonging import settle
from shared.steps import Step

STEPS: tuple[Step, ...] = (prepare, validate, train, evaluate, gate, register)
RESULTS_KEPT = 20


@dataclass(frozen=True)
class Outcome:
    """A release that has passed: where its evidence is, and the verdict in words."""

    release: str
    bundle_digest: str
    source: str
    verdict: str
    judged_only: bool

    def next_command(self, as_of: date | None) -> str:
        """The words of the command that goes on from here."""
        return f"deploy model --version {self.release}" + (f" --as-of {as_of}" if as_of else "")

    def describe(self) -> str:
        """The outcome in words."""
        if self.judged_only:
            return f"The gate would let it pass; nothing was registered.\n{self.verdict}\n  Where: {self.source}"
        return f"Release {self.release} passed the gate and is registered.\n{self.verdict}\n  Where: {self.source}"


def run(
    level: Path,
    as_of: date,
    *,
    actor: str = "operator",
    model: str | None = None,
    judge_only: bool = False,
    config_file: Path = CONFIG,
    config: PipelineConfig | None = None,
    left_out: Collection[date] = (),
    steps: Iterable[Step] = STEPS,
) -> Outcome:
    """Train, judge and register a release for a level's folder. `model` names another one than the configuration.

    config: instead of the file's. left_out: days that are in quarantine.

    With `judge_only` it gets no version: what was not merged must not become the candidate of a registry that lasts.
    Raises CheckFailed if data or gate say no, Locked if a pipeline is running there already.
    """
    config = (config or read_config(config_file, PipelineConfig)).with_model(model)
    feed = open_feed(shop_folder())
    require_day(feed, as_of)
    settle(level, shop_folder())
    with alone(level):
        known = len(verdicts_of_runs(level))
        if not judge_only:
            require_no_earlier_day(level, as_of)
        try:
            entry = play_at_prefect(level, feed.without(left_out), as_of, config, actor, judge_only, steps)
        finally:
            write_summary(level, known)
        return Outcome(entry.release, entry.bundle_digest, entry.source, tell_verdict(level), judge_only)


def require_no_earlier_day(level: Path, as_of: date) -> None:
    """Refuse to decide for a day that is before the level's last decision: the past cannot be decided again."""
    reached = day_reached(level)
    if reached and as_of < reached:
        raise UsageError(
            f"The last decision in {level} knew of {reached}; {as_of} is earlier.",
            fix=f"Pass --as-of {reached} or a later day; --judge-only only looks.",
        )


def play_at_prefect(
    level: Path, days: Feed, as_of: date, config: PipelineConfig, actor: str, judge_only: bool, steps: Iterable[Step]
) -> Registered:
    """Play the steps as a flow. Prefect's server starts while Prefect and MLflow are imported and the days are read."""
    prepare_prefect(home())
    server = None if os.environ.get("PREFECT_API_URL") else launch_for_runs(home())
    with away_from_settings_files(home()):
        from level3_cicd.flow import run_flow

    feed = read_once(days, as_of)
    release = number_of_next(level, config.major)
    code, lock, commit = code_digest(CODE), lock_digest(), revision()

    def make_run(evidence: Evidence, work: Path) -> Run:
        from level3_cicd.tools.tasks import keep

        return Run(level, feed, as_of, config, actor, release, commit, lock, code, work, evidence, judge_only, keep)

    api = wait_for_runs(home(), server) if server else os.environ["PREFECT_API_URL"]
    name = f"recommender {release} through {as_of}"
    return run_flow(level, steps, make_run, name, release, as_of, actor, api)


def number_of_next(level: Path, major: int) -> str:
    """A release number that was never used: above all in registry, ledger, pointer and store."""
    registry.align_aliases(level)
    registered = registry.registered(level)
    digests = {release: entry.bundle_digest for release, entry in registered.items()}
    record_pending(level, digests, on_row=lambda row: registry.tag_with_row(level, row))
    return next_release({*registered, *releases_named(level), *registry.stored(level)}, major)


def plan(as_of: date, model: str | None = None, config_file: Path = CONFIG) -> str:
    """What a run would do, in words. Nothing is changed."""
    feed = open_feed(shop_folder())
    require_day(feed, as_of)
    config = read_config(config_file, PipelineConfig).with_model(model)
    wanted = f"{config.model} {config.parameters} on {feed.summary(as_of)}"
    return f"Would train, judge and register {wanted}. Nothing was changed."


@contextmanager
def alone(level: Path) -> Iterator[None]:
    """Keep other runs out of the level's folder, and remove what killed ones left. Raises Locked if one is there."""
    level.mkdir(parents=True, exist_ok=True)
    with held(level / ".pipeline.lock", busy=f"A pipeline is already running in {level}."):
        for left in level.glob(".train.*"):
            shutil.rmtree(left)
        forget_old_results(home())
        yield


def forget_old_results(home: Path) -> None:
    """Keep the last cached results of steps: a trained model takes 20 MB."""
    results = sorted((home / "prefect" / "storage").glob("*"), key=lambda file: file.stat().st_mtime)
    for file in results[:-RESULTS_KEPT]:
        file.unlink(missing_ok=True)

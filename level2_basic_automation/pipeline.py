"""One command: prepare, validate, train, evaluate, register, deploy. Cron or a person runs it.

Bad data is warned about and trained on all the same; whatever was trained is deployed.
"""

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from level2_basic_automation.deploy import deploy, releases, run_folder
from shared.config import read_config
from shared.dataset.checks import check_days
from shared.dataset.feed import Feed, open_feed, require_day
from shared.errors import Locked
from shared.model.config import ModelConfig
from shared.model.holdout import hold_out
from shared.places import home
from shared.release.bundle import Evidence, write_bundle
from shared.release.number import next_release
from shared.release.provenance import revision

log = logging.getLogger("level2")
LEVEL = "level2"
CONFIG = Path(__file__).with_name("config.toml")


@dataclass(frozen=True)
class Run:
    """What a run made."""

    release: str
    folder: Path
    metrics: dict[str, float]
    warnings: int


def run(as_of: date, config_file: Path = CONFIG, deploy: Callable[[str], object] = deploy) -> Run:
    """Train on everything through `as_of` and deploy the result."""
    level = home() / LEVEL
    level.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(level / ".pipeline.lock", timeout=0):
            made = train(as_of, config_file)
            deploy(made.release)
            return made
    except Timeout as error:
        raise Locked(f"A pipeline is already running in {level}.", fix="Wait for it to end.") from error


def train(as_of: date, config_file: Path = CONFIG) -> Run:
    """Train and evaluate into a run folder of its own, which appears whole or not at all."""
    config = read_config(config_file, ModelConfig)
    level = home() / LEVEL
    feed = open_feed(home() / "shop")
    require_day(feed, as_of)
    warnings = validate(feed, as_of)
    release = next_release(releases(level), config.major)
    transactions = feed.through(as_of)
    holdout = hold_out(transactions, as_of)
    metrics = holdout.judge(config.estimator().fit(holdout.known, as_of=holdout.known_through))
    model = config.estimator().fit(transactions, as_of=as_of)

    folder = run_folder(level, release)
    part = folder.with_name(f".{release}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    evidence = Evidence(feed.digest(as_of), revision(), metrics)
    write_bundle(part / "bundle", model, feed.products(), evidence)
    shutil.copy(config_file, part / "config.toml")
    (part / "metrics.json").write_text(json.dumps(metrics, indent=1))
    (part / "run.log").write_text(
        f"release {release}\nas_of {as_of}\nrows {len(transactions)}\n" + "\n".join(warnings) + "\n"
    )
    part.rename(folder)
    return Run(release, folder, metrics, len(warnings))


def validate(feed: Feed, as_of: date) -> list[str]:
    """Warn about the last day's data. Nobody is stopped by it."""
    findings = check_days(feed, [as_of]).itertuples()
    warnings = [f"{row.day}: {row.check} {row.column}: {row.found}, limit {row.limit}" for row in findings]
    for warning in warnings:
        log.warning(warning)
    return warnings

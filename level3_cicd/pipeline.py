"""Run the pipeline: a merge, a schedule or a person starts it; level 4's loop does so too."""

import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.tools.github_summary import report
from level3_cicd.tools.prefect_settings import prepare_prefect
from level3_cicd.tools.servers import launch_for_runs, wait_for_runs
from shared.config import read_config
from shared.dataset.feed import open_feed, require_day
from shared.errors import Locked
from shared.places import home

if TYPE_CHECKING:
    from level3_cicd.tools.registry import Registered

RESULTS_KEPT = 20


def run(
    as_of: date,
    level: Path | None = None,
    config_file: Path = CONFIG,
    actor: str = "operator",
    model: str | None = None,
    judge_only: bool = False,
) -> "Registered":
    """Train, judge and register a release for a level's folder. `model` names another one than the configuration.

    With `judge_only` it gets no version: what was not merged must not become the candidate of a registry that lasts.
    Raises CheckFailed if data or gate say no, Locked if a pipeline is running there already.
    """
    level = level or home() / "level3"
    config = read_config(config_file, PipelineConfig)
    if model and model != config.model:
        config = config.model_copy(update={"model": model, "parameters": {}})
        config.estimator()
    require_day(open_feed(home() / "shop"), as_of)
    level.mkdir(parents=True, exist_ok=True)
    prepare_prefect(home())
    try:
        with FileLock(level / ".pipeline.lock", timeout=0):
            for left in level.glob(".train.*"):
                shutil.rmtree(left)
            forget_old_results(home())
            # Prefect's server starts while Prefect and MLflow are imported, and the registry is asked.
            server = None if os.environ.get("PREFECT_API_URL") else launch_for_runs(home())
            from level3_cicd import flow
            from level3_cicd.tools import registry

            registry.registered(level)
            api = wait_for_runs(home(), server) if server else os.environ["PREFECT_API_URL"]
            began = datetime.now(UTC)
            try:
                return flow.run(level, home() / "shop", as_of, config, actor, api, judge_only)
            finally:
                report(level, began)
    except Timeout as error:
        raise Locked(f"A pipeline is already running in {level}.", fix="Wait for it to end.") from error


def forget_old_results(home: Path) -> None:
    """Keep the last cached results of steps: a trained model takes 20 MB."""
    results = sorted((home / "prefect" / "storage").glob("*"), key=lambda file: file.stat().st_mtime)
    for file in results[:-RESULTS_KEPT]:
        file.unlink(missing_ok=True)

"""Run the pipeline: a merge, a schedule or a person starts it; level 4's loop does so too."""

import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.servers import find_server
from level3_cicd.summary import report
from level3_cicd.tools import prepare_prefect
from shared.config import read_config
from shared.dataset import open_feed, require_day
from shared.errors import Locked
from shared.places import home

if TYPE_CHECKING:
    from level3_cicd.registry import Registered


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
    server = find_server(home(), "prefect")
    if server:
        os.environ.setdefault("PREFECT_API_URL", f"{server.url}/api")
    try:
        with FileLock(level / ".pipeline.lock", timeout=0):
            for left in level.glob(".train.*"):
                shutil.rmtree(left)
            from level3_cicd import flow

            began = datetime.now(UTC)
            try:
                return flow.run(level, home() / "shop", as_of, config, actor, judge_only)
            finally:
                report(level, began)
    except Timeout as error:
        raise Locked(f"A pipeline is already running in {level}.", fix="Wait for it to end.") from error

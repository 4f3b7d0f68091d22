"""Run the pipeline: a merge, a schedule or a person starts it; level 4's loop does so too."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.tools import prepare_prefect
from shared.config import read_config
from shared.dataset import open_feed, require_day
from shared.errors import Locked
from shared.places import home

if TYPE_CHECKING:
    from level3_cicd.registry import Registered


def run(as_of: date, level: Path | None = None, config_file: Path = CONFIG, actor: str = "operator") -> "Registered":
    """Train, judge and register a release for a level's folder. Raises CheckFailed if data or gate say no."""
    level = level or home() / "level3"
    config = read_config(config_file, PipelineConfig)
    require_day(open_feed(home() / "shop"), as_of)
    level.mkdir(parents=True, exist_ok=True)
    prepare_prefect(home())
    try:
        with FileLock(level / ".pipeline.lock", timeout=0):
            from level3_cicd.flow import pipeline

            return pipeline(level, home() / "shop", as_of, config, actor)
    except Timeout as error:
        raise Locked(f"A pipeline is already running in {level}.", fix="Wait for it to end.") from error

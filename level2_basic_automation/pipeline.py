"""The pipeline: one command, started by cron or by a person.

Bad data is warned about and trained on all the same; whatever was trained is deployed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from level2_basic_automation import deploy as deployment
from level2_basic_automation.evaluate import evaluate
from level2_basic_automation.prepare import prepare
from level2_basic_automation.register import register
from level2_basic_automation.run import Run
from level2_basic_automation.store import releases
from level2_basic_automation.train import train
from level2_basic_automation.validate import validate
from shared.config import read_config
from shared.dataset.feed import open_feed, require_day
from shared.dataset.read_once import read_once
from shared.errors import UsageError
from shared.locks import held
from shared.model.config import ModelConfig
from shared.places import shop_folder
from shared.release.manifest import open_manifest
from shared.release.number import next_release
from shared.release.pointer import Pointer
from shared.service.belonging import settle
from shared.steps import Step, play

CONFIG = Path(__file__).with_name("config.toml")
ONLY_THE_CONFIGURATION = "Level 2 trains and deploys what its config.toml says."


def deploy(run: Run, register: Path) -> Pointer:
    """Deploy what was registered."""
    return deployment.deploy(run.level, run.release, run.as_of)


STEPS: tuple[Step, ...] = (prepare, validate, train, evaluate, register, deploy)


@dataclass(frozen=True)
class Outcome:
    """What a run made."""

    release: str
    folder: Path
    metrics: dict[str, float]
    warnings: int

    def next_command(self, as_of: date | None) -> str:
        """The words of the command that goes on from here."""
        return f"ask {open_manifest(self.folder / 'bundle').somebody}"

    def describe(self) -> str:
        """The outcome in words."""
        ndcg = self.metrics["ndcg_at_10"]
        return f"Release {self.release} is trained and live: NDCG@10 {ndcg:.4f}.\n  Where: {self.folder}"


def run(
    level: Path,
    as_of: date,
    *,
    actor: str = "operator",
    model: str | None = None,
    judge_only: bool = False,
    config_file: Path = CONFIG,
    steps: Iterable[Step] = STEPS,
) -> Outcome:
    """Train on everything through `as_of` and deploy the result. Raises Locked if a pipeline is running there."""
    if model or judge_only:
        raise UsageError(ONLY_THE_CONFIGURATION, fix="Use --level 3.")
    require_day(open_feed(shop_folder()), as_of)
    settle(level, shop_folder())
    level.mkdir(parents=True, exist_ok=True)
    with held(level / ".pipeline.lock", busy=f"A pipeline is already running in {level}."):
        config = read_config(config_file, ModelConfig)
        feed = open_feed(shop_folder())
        require_day(feed, as_of)
        release = next_release(releases(level), config.major)
        made = play(steps, Run(level, read_once(feed, as_of), as_of, config, config_file, release))
    return Outcome(release, made["register"], made["evaluate"], len(made.get("validate", [])))


def plan(as_of: date, model: str | None = None, config_file: Path = CONFIG) -> str:
    """What a run would do, in words. Nothing is changed."""
    if model:
        raise UsageError(ONLY_THE_CONFIGURATION, fix="Use --level 3.")
    feed = open_feed(shop_folder())
    require_day(feed, as_of)
    config = read_config(config_file, ModelConfig)
    wanted = f"{config.model} {config.parameters} on {feed.summary(as_of)}"
    return f"Would train and deploy {wanted}. Nothing was changed."

"""Retrain: the loop trains a challenger by level 3's pipeline, without what is in quarantine."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from pathlib import Path

from level3_cicd import pipeline
from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.pipeline import Outcome
from level4_monitoring.tune import Setting, choose, evenings, mean_score
from shared.config import read_config
from shared.dataset.feed import Feed
from shared.model.frecency import Frecency
from shared.model.histories import gather
from shared.model.holdout import HOLDOUT_DAYS
from shared.release.manifest import read_manifest
from shared.release.pointer import readable_pointer


def retrain(
    level: Path,
    feed: Feed,
    as_of: date,
    actor: str,
    left_out: Collection[date],
    taken: Mapping[date, str],
    tune: bool = True,
) -> Outcome:
    """Train, judge and register a challenger. feed: without what is in quarantine; taken: days that ingest accepted.

    tune: whether frecency's setting is chosen anew, by the last days.
    Raises CheckFailed if data or gate say no, Locked, DependencyDown.
    """
    config = accept(read_config(CONFIG, PipelineConfig), taken)
    if tune and config.model == Frecency.kind:
        config = tuned(config, live_setting(level, config), feed, as_of - timedelta(days=HOLDOUT_DAYS))
    return pipeline.run(level, as_of, actor=actor, config=config, left_out=left_out)


def accept(config: PipelineConfig, taken: Mapping[date, str]) -> PipelineConfig:
    """A configuration that does not refuse what ingest took."""
    return config.model_copy(update={"accepted_days": {**config.accepted_days, **taken}})


def live_setting(level: Path, config: PipelineConfig) -> Setting:
    """Frecency's setting that is live; the configuration's where there is none."""
    pointer = readable_pointer(level)
    known = read_manifest(level / pointer.bundle, pointer.bundle_digest) if pointer else {}
    parameters = known["config"] if known.get("kind") == Frecency.kind else config.estimator().get_params()
    return Setting(parameters["half_life"], parameters.get("unsold_days", 0))


def tuned(config: PipelineConfig, live: Setting, feed: Feed, known_through: date) -> PipelineConfig:
    """A configuration with the setting that suits the last days that the training may know of."""
    model = config.estimator()
    popular = (model.get_params()["popular_weight"], model.popular_days)
    judged = evenings(feed, gather(feed.through(known_through), known_through), popular)
    chosen = choose(live, lambda setting: mean_score(judged, setting)) if judged else live
    parameters = {**config.parameters, "half_life": chosen.half_life, "unsold_days": chosen.unsold_days}
    return config.model_copy(update={"parameters": parameters})

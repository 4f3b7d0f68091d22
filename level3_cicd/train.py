"""Train: a model that has not seen the held-out week. The same inputs are trained on once."""

import pandas as pd

from level3_cicd.config import PipelineConfig
from level3_cicd.run import Run
from shared.model.holdout import Holdout
from shared.model.lesson_store import LESSONS, LessonStore
from shared.model.lessons import KeptLessons
from shared.model.popular import Popular


def train(run: Run, prepare: Holdout) -> Popular:
    """The candidate. A kept one counts only if it knows exactly the days that it may know."""
    lessons = LessonStore(run.level / LESSONS, run.feed.files_digest, run.code)
    return run.kept(
        "fit",
        run.key_of_inputs(prepare.known_through),
        lambda: fit(run.config, prepare, run.feed.products(), lessons),
        lambda model: model.trained_through_ == model.histories_.day == prepare.known_through,
    )


def fit(
    config: PipelineConfig, holdout: Holdout, products: pd.DataFrame | None = None, kept: KeptLessons | None = None
) -> Popular:
    """A model of this configuration, on what was known before the held-out week."""
    return config.estimator().fit(holdout.known, as_of=holdout.known_through, products=products, kept=kept)

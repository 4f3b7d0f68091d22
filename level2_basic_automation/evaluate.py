"""Evaluate: a number. Nobody says which is too low."""

from level2_basic_automation.run import Run
from shared.model.holdout import Holdout


def evaluate(run: Run, prepare: Holdout) -> dict[str, float]:
    """The metrics of such a model, trained without the last week, on that week."""
    model = run.config.estimator()
    products, kept = run.feed.products(), run.lessons
    return prepare.judge(model.fit(prepare.known, as_of=prepare.known_through, products=products, kept=kept))

"""Train: a model on everything that is known."""

from level2_basic_automation.run import Run
from shared.model.popular import Popular


def train(run: Run) -> Popular:
    """The model that will be deployed."""
    known = run.feed.through(run.as_of)
    return run.config.estimator().fit(known, as_of=run.as_of, products=run.feed.products(), kept=run.lessons)

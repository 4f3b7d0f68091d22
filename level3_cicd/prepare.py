"""Prepare: the last week is held out, so that a candidate is judged on what it has not seen."""

from level3_cicd.run import Run
from shared.model.holdout import Holdout, hold_out


def prepare(run: Run) -> Holdout:
    """The last week through `as_of`, held out. Raises CheckFailed if nothing is known before it."""
    return hold_out(run.feed.through(run.as_of), run.as_of)

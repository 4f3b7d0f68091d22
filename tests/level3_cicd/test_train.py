"""Training: the same inputs make the same bundle."""

from datetime import date
from pathlib import Path

import pytest

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.evaluate import LiveSide, measure
from level3_cicd.train import fit
from shared.config import read_config
from shared.dataset.feed import Feed
from shared.model.holdout import hold_out
from shared.release.bundle import Evidence, write_bundle


@pytest.mark.thorough
@pytest.mark.parametrize("model", ["frecency", "ranker"])
def test_two_runs_on_the_same_inputs_make_the_same_bundle(home: Path, model: str) -> None:
    config = read_config(CONFIG, PipelineConfig).model_copy(update={"model": model, "parameters": {}})
    feed, as_of = Feed(home / "shop"), date(2017, 4, 2)
    holdout = hold_out(feed.through(as_of), as_of)
    digests = set()
    for run in ("one", "two"):
        trained = fit(config, holdout, feed.products())
        judged = measure(trained, LiveSide(), holdout, feed.products())
        evidence = Evidence(feed.digest(as_of), "code", judged.metrics)
        refreshed = trained.refresh(feed.through(as_of), as_of=as_of)
        digests.add(write_bundle(home / run, refreshed, feed.products(), evidence))
    assert len(digests) == 1

"""A run, and when a result of its steps may be used again."""

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from level3_cicd.config import CONFIG, GateLimits, PipelineConfig
from level3_cicd.run import Run
from shared.config import read_config
from shared.dataset.day_files import day_file
from shared.dataset.feed import Feed
from shared.dataset.read_once import read_once
from tests.level3_cicd.fakes import FakeEvidence

LIMITS = GateLimits(
    least_gain_over_popular=0.0,
    most_loss_to_live=0.03,
    most_loss_in_a_slice=0.05,
    least_coverage=0.5,
    most_milliseconds=50,
)


@pytest.mark.thorough
def test_a_result_is_kept_for_the_same_inputs_only(home: Path) -> None:
    feed, config = Feed(home / "shop"), read_config(CONFIG, PipelineConfig)
    as_of = date(2017, 1, 29)
    read = read_once(feed, as_of)
    one = Run(home, read, as_of, config, "me", "1.0", "commit", "lock", "code", home, FakeEvidence())
    again = dataclasses.replace(one, feed=read_once(feed, as_of), actor="you", release="1.1")
    judged_otherwise = dataclasses.replace(one, config=config.model_copy(update={"gate": LIMITS}))
    assert len({run.key_of_inputs("day") for run in (one, again, judged_otherwise)}) == 1
    file = day_file(feed.folder, date(2017, 1, 10))
    rows = feed.day(date(2017, 1, 10)).iloc[1:]
    file.unlink()  # other homes share it
    rows.to_parquet(file)
    others = [
        one,
        dataclasses.replace(one, as_of=date(2017, 1, 28)),
        dataclasses.replace(one, config=config.model_copy(update={"model": "popular"})),
        dataclasses.replace(one, code="other code"),
        dataclasses.replace(one, lock="other requirements"),
        dataclasses.replace(one, feed=read_once(feed, as_of)),
        dataclasses.replace(one, feed=dataclasses.replace(read, catalogue=read.products().iloc[1:])),
    ]
    assert len({run.key_of_inputs("day") for run in others} | {one.key_of_inputs("another day")}) == 8

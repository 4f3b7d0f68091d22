"""Evaluation asks the candidate once, and what it writes knows every day through `as_of`."""

import math
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.evaluate import NOTHING_LIVE, LiveSide, evaluate, find_live, measure, open_live, side_of_live, time_one
from level3_cicd.run import Run
from shared.config import read_config
from shared.dataset.feed import Feed
from shared.dataset.read_once import read_once
from shared.dataset.writing import write_feed
from shared.errors import DependencyDown, UsageError
from shared.model.frecency import Frecency
from shared.model.histories import ARRAYS, gather
from shared.model.holdout import hold_out
from shared.model.popular import Popular
from shared.release.bundle import Evidence, open_bundle, write_bundle
from shared.release.pointer import Pointer, point_to
from tests.conftest import make_products, make_transactions
from tests.level3_cicd.fakes import FakeEvidence

AS_OF = date(2017, 3, 1)


class Asked(Frecency):
    """A model that counts how often it is asked."""

    def recommend(self, customers: object, k: int = 10, reasons: bool = False) -> pd.DataFrame:
        self.asked_ = getattr(self, "asked_", 0) + 1
        return super().recommend(customers, k, reasons)  # type: ignore[arg-type]


def test_the_candidate_is_asked_once() -> None:
    holdout = hold_out(make_transactions(days=60), AS_OF)
    candidate = Asked().fit(holdout.known)
    judged = measure(candidate, NOTHING_LIVE, holdout, make_products())
    assert candidate.asked_ == 1
    assert judged.metrics["ndcg_at_10"] == holdout.judge(Frecency().fit(holdout.known))["ndcg_at_10"]


def test_the_bundle_that_was_judged_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transactions = make_transactions(days=60)
    new = transactions[transactions["time"] > pd.Timestamp(AS_OF)].assign(customer_id="new in the last days")
    write_feed(tmp_path / "shop", pd.concat([transactions, new]), make_products(), name="a shop")
    feed = read_once(Feed(tmp_path / "shop"), AS_OF)
    run = Run(
        level=tmp_path,
        feed=feed,
        as_of=AS_OF,
        config=read_config(CONFIG, PipelineConfig),
        actor="a test",
        release="1.0",
        revision="",
        lock="",
        code="",
        work=tmp_path / "work",
        evidence=FakeEvidence(),
    )
    holdout = hold_out(feed.through(AS_OF), AS_OF)
    monkeypatch.setattr("level3_cicd.evaluate.find_live", lambda level, holdout: NOTHING_LIVE)
    candidate = Frecency().fit(holdout.known, as_of=holdout.known_through)
    evaluate(run, holdout, candidate)
    bundle = open_bundle(run.bundle)
    assert bundle.manifest["histories_through"] == AS_OF.isoformat()
    assert bundle.trained_through == AS_OF - timedelta(days=7)
    expected = gather(feed.through(AS_OF), AS_OF)
    assert b"new in the last days" in expected.customers
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(bundle.model.histories_, name), getattr(expected, name))


def live_at(level: Path, model: Frecency) -> None:
    digest = write_bundle(level / "bundles" / "1.0", model, make_products(), Evidence("data", "code"))
    point_to(level, Pointer("1.0", "bundles/1.0", digest))


def test_what_is_live_is_compared_with_histories_through_the_day_before_the_held_out_week(tmp_path: Path) -> None:
    rows = make_transactions(days=60)
    holdout = hold_out(rows, AS_OF)
    live_at(tmp_path, Frecency().fit(holdout.known, as_of=date(2017, 2, 1)))
    side = find_live(tmp_path, holdout)
    assert (side.release, side.unreadable) == ("1.0", "")
    assert side.model is not None
    assert side.model.histories_.day == holdout.known_through


def test_a_live_release_that_has_seen_the_week_judges_nobody_but_what_is_only_looked_at(tmp_path: Path) -> None:
    rows = make_transactions(days=60)
    live_at(tmp_path, Frecency().fit(rows, as_of=AS_OF))
    run = SimpleNamespace(level=tmp_path, judge_only=True)
    holdout = hold_out(rows, AS_OF)
    assert "has seen the week" in side_of_live(run, holdout).left_out  # type: ignore[arg-type]
    run.judge_only = False
    with pytest.raises(UsageError, match="Pass a later --as-of"):
        side_of_live(run, holdout)  # type: ignore[arg-type]


def test_what_is_live_and_cannot_be_read_is_told_to_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holdout = hold_out(make_transactions(days=60), AS_OF)
    monkeypatch.setattr("level3_cicd.tools.registry.champion", lambda level: None)
    assert find_live(tmp_path, holdout) == NOTHING_LIVE
    (tmp_path / "live.json").write_text("{")
    assert "is damaged" in find_live(tmp_path, holdout).unreadable
    point_to(tmp_path, Pointer("1.0", "bundles/1.0", "digest"))
    fetched: list[str] = []
    monkeypatch.setattr("level3_cicd.tools.registry.fetch", lambda level, release: fetched.append(release))
    side = find_live(tmp_path, holdout)
    assert (fetched, side.release, side.model, bool(side.unreadable)) == (["1.0"], "1.0", None, True)

    def down(level: Path, release: str) -> None:
        raise DependencyDown("the registry does not answer")

    monkeypatch.setattr("level3_cicd.tools.registry.fetch", down)
    assert find_live(tmp_path, holdout) == LiveSide("1.0", "digest", unreadable="the registry does not answer")


def test_a_bundle_that_does_not_open_or_answer_has_no_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert math.isnan(time_one(tmp_path))
    rows = make_transactions(days=60)
    write_bundle(tmp_path / "bundle", Frecency().fit(rows), make_products(), Evidence("data", "code"))
    assert 0 < time_one(tmp_path / "bundle") < 1000
    monkeypatch.setattr(Frecency, "recommend", lambda *given, **how: pd.DataFrame())
    assert math.isnan(time_one(tmp_path / "bundle"))


def test_a_live_model_that_has_seen_the_week_cannot_be_compared_with(tmp_path: Path) -> None:
    rows = make_transactions(days=60)
    digest = write_bundle(tmp_path / "it", Frecency().fit(rows), make_products(), Evidence("data", "code"))
    with pytest.raises(UsageError, match="it has seen the week after"):
        open_live(tmp_path, Pointer("1.0", "it", digest), hold_out(rows, date(2017, 3, 1)))


@pytest.mark.parametrize("live", [None, Popular()])
def test_slices_are_measured_with_and_without_a_live_model_and_judged_with_one(live: Popular | None) -> None:
    rows = make_transactions(days=60)
    holdout = hold_out(rows, date(2017, 3, 1))
    candidate = Frecency().fit(holdout.known)
    side = LiveSide("1.0", "digest", live.fit(holdout.known)) if live else LiveSide()
    judged = measure(candidate, side, holdout, make_products())
    assert set(judged.slices) == {"light", "heavy", "new", "ALL"}
    assert judged.slices["ALL"]["customers"] == 20
    assert ("live" in judged.slices["ALL"]) == bool(live)
    assert set(judged.measured.slices) == (set(judged.slices) if live else set())
    if live:
        mine, other = judged.measured.slices["ALL"]
        assert mine.mean() == judged.slices["ALL"]["candidate"] > other.mean()


def test_a_model_without_histories_is_timed_too(tmp_path: Path) -> None:
    write_bundle(tmp_path / "it", Popular().fit(make_transactions()), make_products(), Evidence("data", "code"))
    assert 0 < time_one(tmp_path / "it") < 1000

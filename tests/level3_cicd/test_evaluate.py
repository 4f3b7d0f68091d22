"""Evaluation asks the candidate once, and what it writes knows every day through `as_of`."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.evaluate import NOTHING_LIVE, evaluate, measure
from level3_cicd.run import Run
from shared.config import read_config
from shared.dataset.feed import Feed
from shared.dataset.read_once import read_once
from shared.dataset.writing import write_feed
from shared.model.frecency import Frecency
from shared.model.histories import ARRAYS, gather
from shared.model.holdout import hold_out
from shared.release.bundle import open_bundle
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

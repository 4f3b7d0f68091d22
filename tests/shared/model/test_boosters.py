"""LightGBM's trees are exported to the bit; without LightGBM scikit-learn's are grown; serving needs neither."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from shared.model.boosters import Growth, grow, read_booster
from shared.model.lessons import Lesson
from shared.model.ranker import Ranker
from shared.release.bundle import Evidence, open_bundle, write_bundle
from tests.conftest import make_products, make_transactions

GROWTH = Growth(trees=10, leaves=7, leaf_size=20, learning_rate=0.2, negatives=0.1)


def make_lesson(missing: float = 0.2) -> Lesson:
    chance = np.random.default_rng(1)
    matrix = chance.normal(size=(2000, 4)).astype(np.float32)
    bought = matrix[:, 0] * matrix[:, 1] + matrix[:, 2] > 0.8
    matrix[chance.random(matrix.shape) < missing] = np.nan
    return Lesson(matrix, bought, np.full(100, 20))


def train(options: dict[str, Any], lesson: Lesson, **of_data: Any) -> lightgbm.Booster:
    options = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 20, **options}
    data = lightgbm.Dataset(lesson.matrix, lesson.bought, group=lesson.sizes, params=options, **of_data)
    return lightgbm.train(options, data, 15)


@pytest.mark.parametrize("objective", ["rank_xendcg", "binary"])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_exported_trees_score_to_the_bit_as_lightgbm(objective: str, missing: float) -> None:
    # Without missing values in training, LightGBM takes one that comes later for 0.
    booster = train({"objective": objective}, make_lesson(missing))
    asked = make_lesson(0.2).matrix
    expected = booster.predict(asked, raw_score=True)
    np.testing.assert_array_equal(read_booster(booster.dump_model()).score(asked), expected)


@pytest.mark.parametrize(
    ("options", "of_data"),
    [({"zero_as_missing": True}, {}), ({"linear_tree": True}, {}), ({}, {"categorical_feature": [3]})],
)
def test_trees_of_another_kind_are_refused(options: dict, of_data: dict) -> None:
    lesson = make_lesson()
    if of_data:
        kind = np.repeat(np.arange(4), 500)
        lesson = lesson._replace(matrix=np.column_stack([lesson.matrix[:, :3], kind]), bought=kind == 2)
    booster = train({"objective": "binary", **options}, lesson, **of_data)
    with pytest.raises(ValueError, match="the trees have"):
        read_booster(booster.dump_model())


def test_both_boosters_count_alike() -> None:
    lesson = make_lesson()
    trees, learner = grow(lesson, GROWTH)
    assert learner == f"lightgbm {lightgbm.__version__}"
    assert len(trees) == 20
    # Two scores with a spread of 1 that agree have a spread near 2.
    assert 1.5 < trees.score(lesson.matrix).std() <= 2.001


def test_the_same_lesson_grows_the_same_trees() -> None:
    first, again = (grow(make_lesson(), GROWTH)[0].arrays() for _ in range(2))
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name], err_msg=name)


class NoSystemLibrary:
    """An import that fails as LightGBM's does where libgomp.so.1 is missing."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file")


@pytest.fixture(params=["not installed", "no libgomp"])
def no_lightgbm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "not installed":
        monkeypatch.setitem(sys.modules, "lightgbm", None)
    else:
        monkeypatch.delitem(sys.modules, "lightgbm")
        monkeypatch.setattr(sys, "meta_path", [NoSystemLibrary(), *sys.meta_path])


@pytest.mark.usefixtures("no_lightgbm")
def test_without_lightgbm_scikit_learn_grows_them_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    lesson = make_lesson()
    trees, learner = grow(lesson, GROWTH)
    assert learner.startswith("scikit-learn ")
    assert "scikit-learn's trees are grown instead" in caplog.text
    odds = trees.score(lesson.matrix)
    assert odds[lesson.bought].mean() > odds[~lesson.bought].mean()
    # One negative in ten was kept: the odds of all are a tenth of theirs.
    of_sample = grow(lesson, replace(GROWTH, negatives=1.0))[0].score(lesson.matrix)
    np.testing.assert_allclose(odds, of_sample + np.log(0.1))


@pytest.mark.usefixtures("no_lightgbm")
@pytest.mark.parametrize("learner", ["lightgbm 99.0", "a learner that nobody knows 1.0"])
def test_a_bundle_is_served_without_its_learner(learner: str, tmp_path: Path) -> None:
    transactions: pd.DataFrame = make_transactions()
    ranker = Ranker(leaf_size=5, trees=5).fit(transactions, products=make_products())
    ranker.learner_ = np.array(learner.encode())
    write_bundle(tmp_path / "bundle", ranker, make_products(), Evidence("data", "revision"))
    opened = open_bundle(tmp_path / "bundle")
    assert opened.manifest["training"]["learner"] == learner
    expected = ranker.recommend(["c03", "nobody"])
    pd.testing.assert_frame_equal(opened.model.recommend(["c03", "nobody"]), expected, check_exact=True)

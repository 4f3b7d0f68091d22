"""Trees kept as arrays score to the bit as scikit-learn's do, and arrays that are no trees are refused."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from shared.model.trees import Trees


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    chance = np.random.default_rng(1)
    matrix = chance.normal(size=(2000, 4))
    matrix[chance.random(matrix.shape) < 0.2] = np.nan
    return matrix


@pytest.fixture(scope="module")
def model(matrix: np.ndarray) -> HistGradientBoostingClassifier:
    bought = np.nan_to_num(matrix[:, 0] * matrix[:, 1]) + np.isnan(matrix[:, 2]) > 0.3
    return HistGradientBoostingClassifier(max_iter=20, early_stopping=False, random_state=0).fit(matrix, bought)


@pytest.mark.parametrize("rows", [0, 1, 100, None])
def test_scores_are_those_of_scikit_learn(
    model: HistGradientBoostingClassifier, matrix: np.ndarray, rows: int | None
) -> None:
    asked = matrix[:rows]
    expected = model.decision_function(asked) if len(asked) else np.empty(0)
    np.testing.assert_array_equal(Trees.of(model).score(asked), expected)


def test_arrays_give_the_same_trees(model: HistGradientBoostingClassifier, matrix: np.ndarray) -> None:
    trees = Trees.of(model)
    np.testing.assert_array_equal(Trees(**trees.arrays()).score(matrix), trees.score(matrix))
    assert all(array.dtype.kind in "bif" for array in trees.arrays().values())


def test_no_trees_score_nothing() -> None:
    assert len(Trees.none()) == 0
    assert Trees.none().score(np.ones((3, 2))).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["left", "right", "feature"])
@pytest.mark.parametrize("value", [-1, 1 << 20])
def test_nodes_that_lead_out_of_the_arrays_are_refused(
    model: HistGradientBoostingClassifier, name: str, value: int
) -> None:
    trees = Trees.of(model)
    with pytest.raises(ValueError, match="no trees"):
        replace(trees, **{name: np.full_like(getattr(trees, name), value)})


def test_nodes_in_a_circle_are_refused(model: HistGradientBoostingClassifier) -> None:
    with pytest.raises(ValueError, match="no trees"):
        replace(Trees.of(model), left=np.zeros_like(Trees.of(model).left))


@pytest.mark.parametrize("name", ["value", "threshold", "missing_left"])
def test_arrays_of_different_lengths_are_refused(model: HistGradientBoostingClassifier, name: str) -> None:
    trees = Trees.of(model)
    with pytest.raises(ValueError, match="no trees"):
        replace(trees, **{name: getattr(trees, name)[:-1]})


@pytest.mark.parametrize("change", ["begin later", "end earlier", "an empty tree", "a tree that goes back"])
def test_trees_that_are_not_one_after_the_other_are_refused(model: HistGradientBoostingClassifier, change: str) -> None:
    trees = Trees.of(model)
    starts = trees.starts.copy()
    starts[{"begin later": 0, "end earlier": -1}.get(change, 1)] += {"begin later": 1, "end earlier": -1}.get(change, 0)
    if change == "an empty tree":
        starts = np.insert(starts, 1, starts[1])
    if change == "a tree that goes back":
        starts[1] = starts[2] + 1
    with pytest.raises(ValueError, match="no trees: the arrays differ"):
        replace(trees, starts=starts)


def test_another_width_is_refused(model: HistGradientBoostingClassifier) -> None:
    with pytest.raises(ValueError, match="4 features, not 5"):
        Trees.of(model).score(np.ones((1, 5)))

"""Boosted trees as plain arrays: whoever grew them, kept as data, and asked without unpickling anything."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

# Threads of the trees wait for each other: on two cores with company, two took 2 to 3 times as long as one.
THREADS = 1


@dataclass(frozen=True)
class Trees:
    """t trees of n nodes in all, for a matrix with `width` columns; no trees give 0.

    starts (t + 1,) delimits the trees. Per node: leaf; value of a leaf; otherwise the column `feature`,
    its `threshold`, where a missing value goes, and the children as positions in the tree.
    """

    width: np.ndarray
    baseline: np.ndarray
    starts: np.ndarray
    leaf: np.ndarray
    value: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    left: np.ndarray
    right: np.ndarray

    def __post_init__(self) -> None:
        """Raises ValueError for nodes that would lead out of the matrix, out of their tree, or round in a circle."""
        nodes = len(self.leaf)
        size = np.diff(self.starts)
        whole = self.starts[0] == 0 and self.starts[-1] == nodes and (size > 0).all()
        if not whole or any(getattr(self, name).shape != (nodes,) for name in NODE_FIELDS):
            raise ValueError("the nodes are no trees: the arrays differ in length")
        at = np.arange(nodes) - np.repeat(self.starts[:-1], size)
        size, inner = np.repeat(size, size), ~self.leaf
        columns_exist = (self.feature >= 0) & (self.feature < self.width)
        children_follow = [(child > at) & (child < size) for child in (self.left, self.right)]
        if not all(fine[inner].all() for fine in (columns_exist, *children_follow)):
            raise ValueError("the nodes are no trees: they lead elsewhere")

    @classmethod
    def of(cls, model: HistGradientBoostingClassifier) -> Self:
        """The trees of a fitted binary classifier without categorical features."""
        trees = [iteration[0].nodes for iteration in model._predictors]
        nodes = np.concatenate(trees)
        return cls(
            width=np.array(model.n_features_in_),
            baseline=np.array(model._baseline_prediction).reshape(()),
            starts=np.cumsum([0, *map(len, trees)]),
            leaf=nodes["is_leaf"].astype(bool),
            value=nodes["value"],
            feature=nodes["feature_idx"].astype(np.int32),
            threshold=nodes["num_threshold"],
            missing_left=nodes["missing_go_to_left"].astype(bool),
            left=nodes["left"].astype(np.int32),
            right=nodes["right"].astype(np.int32),
        )

    @classmethod
    def from_nodes(cls, trees: list[list[dict[str, Any]]], width: int) -> Self:
        """Trees from lists of nodes with the names of the fields; what a node does not say is 0."""
        flat = [node for tree in trees for node in tree]
        columns = {
            name: np.array([node.get(name, 0) for node in flat], dtype=kind) for name, kind in NODE_TYPES.items()
        }
        return cls(np.array(width), np.array(0.0), np.cumsum([0, *map(len, trees)]), **columns)

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """All trees of several, for the same matrix: their scores add up."""
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in NODE_FIELDS}
        starts = np.cumsum(np.concatenate([[0], *(np.diff(part.starts) for part in parts)]))
        return cls(parts[0].width, np.array(sum(float(part.baseline) for part in parts)), starts, **columns)

    @classmethod
    def none(cls) -> Self:
        """No trees."""
        flag, number, real = np.empty(0, bool), np.empty(0, np.int32), np.empty(0)
        return cls(np.array(0), np.array(0.0), np.zeros(1, np.int64), flag, real, number, real, flag, number, number)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, as a bundle stores them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def times(self, factor: float) -> Self:
        """The same trees with scores times a factor."""
        return replace(self, baseline=np.array(self.baseline * factor), value=self.value * factor)

    def plus(self, amount: float) -> Self:
        """The same trees with a constant added to every score."""
        return replace(self, baseline=np.array(self.baseline + amount))

    def score(self, matrix: np.ndarray) -> np.ndarray:
        """The score of every row; the same bits as the learner's. Raises ValueError for another width."""
        if len(self) and matrix.shape[1] != self.width:
            raise ValueError(f"the trees know {self.width} features, not {matrix.shape[1]}")
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        unused = np.zeros(matrix.shape[1], np.uint32)
        score = np.full(len(matrix), float(self.baseline))
        for tree in self._predictors:
            score += tree.predict(matrix, NO_CATEGORIES, unused, THREADS)
        return score

    @cached_property
    def _predictors(self) -> list[TreePredictor]:
        nodes = np.zeros(len(self.leaf), dtype=PREDICTOR_RECORD_DTYPE)
        for ours, theirs in NODE_FIELDS.items():
            nodes[theirs] = getattr(self, ours)
        trees = [nodes[start:end] for start, end in pairwise(self.starts)]
        return [TreePredictor(tree, NO_CATEGORIES, NO_CATEGORIES) for tree in trees]


NO_CATEGORIES = np.empty((0, 8), dtype=np.uint32)
NODE_TYPES = {
    "leaf": bool,
    "value": np.float64,
    "feature": np.int32,
    "threshold": np.float64,
    "missing_left": bool,
    "left": np.int32,
    "right": np.int32,
}
NODE_FIELDS = {
    "leaf": "is_leaf",
    "value": "value",
    "feature": "feature_idx",
    "threshold": "num_threshold",
    "missing_left": "missing_go_to_left",
    "left": "left",
    "right": "right",
}

"""Who grows the trees: LightGBM where it can be imported, otherwise scikit-learn. Training only; serving needs neither.

Two short boosters are mixed: one learns the order of a customer's products (`rank_xendcg`, Bruch 2021), the other
whether a product is bought (log loss). Each score is divided by its spread, so their sum has no unit: it is no
probability, and only its order means something.
"""

import logging
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from shared.model.lessons import Lesson
from shared.model.trees import THREADS, Trees

OBJECTIVES = ("rank_xendcg", "binary")
BINS = 63
FEATURE_SHARE = 0.5
# Enough rows to find the bins of a column, and the spread of a score.
SAMPLED_ROWS = 50_000
log = logging.getLogger("ranker")


@dataclass(frozen=True)
class Growth:
    """How trees grow; `trees` for each booster."""

    trees: int
    leaves: int
    leaf_size: int
    learning_rate: float
    negatives: float


def grow(lesson: Lesson, growth: Growth) -> tuple[Trees, str]:
    """(trees, the learner's name and version)."""
    library = find_lightgbm()
    if library is None:
        return grow_plain(lesson, growth), f"scikit-learn {sklearn.__version__}"
    return grow_mixture(library, lesson, growth), f"lightgbm {library.__version__}"


def find_lightgbm() -> ModuleType | None:
    """LightGBM; None, said in the log, where it is not installed or its system library libgomp is missing."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        log.warning(
            "LightGBM cannot be imported (%s); scikit-learn's trees are grown instead, about 0.002 NDCG@10 less good. "
            "To fix: install lightgbm, and the system library libgomp1.",
            error,
        )
        return None
    return lightgbm


def grow_mixture(library: ModuleType, lesson: Lesson, growth: Growth) -> Trees:
    """Both boosters on one binned data set, each divided by the spread of its scores."""
    options = {
        "num_leaves": growth.leaves,
        "min_data_in_leaf": growth.leaf_size,
        "learning_rate": growth.learning_rate,
        "max_bin": BINS,
        "bin_construct_sample_cnt": SAMPLED_ROWS,
        "feature_fraction": FEATURE_SHARE,
        "num_threads": THREADS,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 0,
        "verbose": -1,
    }
    data = library.Dataset(lesson.matrix, lesson.bought.astype(np.float32), group=lesson.sizes, params=options)
    sample = lesson.matrix[:: max(1, len(lesson.matrix) // SAMPLED_ROWS)]
    boosters = []
    for objective in OBJECTIVES:
        booster = library.train({**options, "objective": objective}, data, growth.trees)
        trees = read_booster(booster.dump_model())
        spread = float(trees.score(sample).std())
        boosters.append(trees.times(1 / spread if spread > 0 else 1.0))
    return Trees.joined(boosters)


def grow_plain(lesson: Lesson, growth: Growth) -> Trees:
    """Scikit-learn's trees, without weights, which run in Python below 200,000 rows.

    The odds are those of the sample; taking the share of the kept negatives off the baseline mends them.
    """
    model = HistGradientBoostingClassifier(
        max_iter=growth.trees,
        max_leaf_nodes=growth.leaves,
        min_samples_leaf=growth.leaf_size,
        learning_rate=growth.learning_rate,
        early_stopping=False,
        random_state=0,
    )
    # A column without any value cannot be binned; a constant one is never split either.
    empty = np.isnan(lesson.matrix).all(axis=0)
    with threadpool_limits(THREADS):
        trees = Trees.of(model.fit(np.where(empty, 0.0, lesson.matrix), lesson.bought))
    return trees.plus(np.log(growth.negatives))


def read_booster(dumped: dict[str, Any]) -> Trees:
    """LightGBM's trees, to the bit. Raises ValueError for categorical or linear trees, or where zero is missing."""
    trees = [read_tree(tree["tree_structure"]) for tree in dumped["tree_info"]]
    return Trees.from_nodes(trees, width=dumped["max_feature_idx"] + 1)


def read_tree(root: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes of one tree, each before its children."""
    nodes: list[dict[str, Any]] = []

    def visit(node: dict[str, Any]) -> int:
        at = len(nodes)
        if "leaf_const" in node:
            raise ValueError("the trees have linear leaves")
        if "split_feature" not in node:
            nodes.append({"leaf": True, "value": node["leaf_value"]})
            return at
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise ValueError(f"the trees have splits of another kind: {node['decision_type']}, {node['missing_type']}")
        missing_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0.0
        nodes.append({"feature": node["split_feature"], "threshold": node["threshold"], "missing_left": missing_left})
        nodes[at] |= {"left": visit(node["left_child"])}
        nodes[at] |= {"right": visit(node["right_child"])}
        return at

    visit(root)
    return nodes

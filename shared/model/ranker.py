"""The ranker: candidates first, then boosted trees that were taught by the last weeks what customers buy again.

Each label week is a lesson: what was known before it, and whether each candidate was bought in it.
"""

from typing import ClassVar, Self

import numpy as np
import pandas as pd

from shared.model.boosters import Growth, grow
from shared.model.candidates import candidates
from shared.model.facts import product_facts
from shared.model.features import FEATURES, features
from shared.model.frecency import Frecency
from shared.model.histories import Histories, positions, select, spread
from shared.model.lessons import Curriculum, KeptLessons, teach
from shared.model.popular import LONGEST_LIST, Listed, Popular
from shared.model.taxonomy import Taxonomy
from shared.model.trees import Trees

# With fewer positive examples than this, the trees learn noise and the frecency scores are better.
FEWEST_POSITIVES = 50


class Ranker(Frecency):
    """Ranks a customer's own products and popular ones, the likeliest to be bought within a week first.

    The scores order a customer's products and mean nothing else: they are no probabilities. `trees` grow for each
    of two boosters (see `boosters`), on the examples of `label_weeks`, with a share of `negatives` kept. Until
    there are label weeks to learn from, it recommends as `Frecency` does.
    """

    kind: ClassVar[str] = "ranker"
    # It learns by itself what does not sell any more.
    unsold_days = 0

    def __init__(
        self,
        label_weeks: int = 10,
        negatives: float = 0.1,
        trees: int = 60,
        leaves: int = 31,
        leaf_size: int = 300,
        learning_rate: float = 0.15,
        half_life: float = 84.0,
        popular_weight: float = 2.0,
        popular_days: int = 28,
    ) -> None:
        Popular.__init__(self, popular_days)
        self.half_life = half_life
        self.popular_weight = popular_weight
        self.label_weeks = label_weeks
        self.negatives = negatives
        self.trees = trees
        self.leaves = leaves
        self.leaf_size = leaf_size
        self.learning_rate = learning_rate

    def learn(
        self, histories: Histories, products: pd.DataFrame | None = None, kept: KeptLessons | None = None
    ) -> Self:
        """Learn from histories, as `fit` does from the transactions that they were gathered from."""
        self.trees_, self.learner_ = Trees.none(), np.array(b"none")
        self.taxonomy_ = Taxonomy.of(products)
        super().learn(histories)
        plan = Curriculum(LONGEST_LIST, self.negatives, self.popular_days, self.half_life)
        lesson = teach(self.histories_, self.taxonomy_, self.label_weeks, plan, kept)
        if lesson.bought.sum() >= FEWEST_POSITIVES and not lesson.bought.all():
            growth = Growth(self.trees, self.leaves, self.leaf_size, self.learning_rate, self.negatives)
            self.trees_, learner = grow(lesson, growth)
            self.learner_ = np.array(learner.encode())
        return self

    def with_histories(self, histories: Histories) -> Self:
        """Use these histories from now on."""
        super().with_histories(histories)
        self._facts = product_facts(self.histories_, self.taxonomy_)
        popular = positions(histories.products, self._catalogue[self._by_popularity])
        self._popular = popular[popular >= 0]
        return self

    def evidence(self) -> dict[str, str]:
        """Who grew the trees, and whether they know types of products."""
        return {
            "learner": self.learner_.item().decode(),
            "product_types": "known" if self.taxonomy_.known else "none: the catalogue tells nothing of types",
        }

    def parameters(self) -> dict[str, np.ndarray]:
        """The trained part, as a bundle stores it."""
        trees = {f"tree_{name}": array for name, array in self.trees_.arrays().items()}
        kinds = {f"kind_{name}": array for name, array in self.taxonomy_.arrays().items()}
        return super().parameters() | {"learner": self.learner_} | trees | kinds

    def with_parameters(self, parameters: dict[str, np.ndarray]) -> Self:
        """Take over what another was taught. Raises ValueError if its trees know other features."""
        own = {name: array for name, array in parameters.items() if not name.startswith(("tree_", "kind_"))}
        super().with_parameters(own)
        self.trees_ = Trees(**named(parameters, "tree_"))
        self.taxonomy_ = Taxonomy(**named(parameters, "kind_"))
        if len(self.trees_) and self.trees_.width != len(FEATURES):
            raise ValueError(f"the trees know {self.trees_.width} features; this version has {len(FEATURES)}")
        return self

    def _candidates(self, rows: np.ndarray, k: int) -> Listed:
        known, unknown = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
        if not len(self.trees_):
            return super()._candidates(rows, k)
        asked = select(self.histories_, rows[known])
        chosen = candidates(asked, self._popular, LONGEST_LIST, self.half_life)
        pairs = np.append(spread(self.histories_.starts, rows[known])[1], -1)
        mine = Listed(
            row=known[chosen.row],
            product=self._in_catalogue[chosen.product],
            score=self.trees_.score(features(asked, self._facts, chosen)),
            pair=pairs[chosen.pair],
        )
        popular = Popular._candidates(self, rows[unknown], k)
        return mine.and_also(popular._replace(row=unknown[popular.row]))


def named(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Those arrays whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

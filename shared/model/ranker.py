"""The ranker: candidates first, then boosted trees that were taught by the last weeks what customers buy again.

Each label week is a lesson: what was known before it, and whether each candidate was bought in it.
"""

from datetime import date, timedelta
from typing import ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from shared.model.features import FEATURES, MONTH, WEEK, candidates, features, product_facts, tally
from shared.model.frecency import Frecency
from shared.model.histories import Histories, day_number, positions, purchases_of, rewind, select
from shared.model.popular import LONGEST_LIST, Popular
from shared.model.trees import THREADS, Trees

# With fewer positive examples than this, the trees learn noise and the frecency scores are better.
FEWEST_POSITIVES = 50


class Lesson(NamedTuple):
    """Examples of one or more label weeks: a row of features, whether it was bought, what it counts."""

    matrix: np.ndarray
    bought: np.ndarray
    weight: np.ndarray


class Ranker(Frecency):
    """Ranks a customer's own products and popular ones by the odds that they are bought within a week.

    Until there are label weeks to learn from, it recommends as `Frecency` does.
    """

    kind: ClassVar[str] = "ranker"

    def __init__(
        self,
        label_weeks: int = 10,
        negatives: float = 0.1,
        trees: int = 60,
        leaves: int = 15,
        leaf_size: int = 300,
        learning_rate: float = 0.1,
        half_life: float = 84.0,
        popular_weight: float = 2.0,
        popular_days: int = 28,
    ) -> None:
        super().__init__(half_life, popular_weight, popular_days)
        self.label_weeks = label_weeks
        self.negatives = negatives
        self.trees = trees
        self.leaves = leaves
        self.leaf_size = leaf_size
        self.learning_rate = learning_rate

    def fit(self, transactions: pd.DataFrame, y: None = None, *, as_of: date | None = None) -> Self:
        """Learn from the transactions through `as_of` (their last day, if not given)."""
        self.trees_ = Trees.none()
        super().fit(transactions, as_of=as_of)
        lesson = self._lessons()
        if lesson.bought.sum() >= FEWEST_POSITIVES and not lesson.bought.all():
            self.trees_ = self._grow(lesson)
        return self

    def with_histories(self, histories: Histories) -> Self:
        """Use these histories from now on."""
        super().with_histories(histories)
        self._facts = product_facts(histories)
        popular = positions(histories.products, self._catalogue[self._by_popularity])
        self._popular = popular[popular >= 0]
        self._in_catalogue = positions(self._catalogue, histories.products)
        return self

    def parameters(self) -> dict[str, np.ndarray]:
        """The trained part, as a bundle stores it."""
        return super().parameters() | {f"tree_{name}": array for name, array in self.trees_.arrays().items()}

    def with_parameters(self, parameters: dict[str, np.ndarray]) -> Self:
        """Take over what another was taught. Raises ValueError if its trees know other features."""
        trees = {name: array for name, array in parameters.items() if name.startswith("tree_")}
        super().with_parameters({name: array for name, array in parameters.items() if name not in trees})
        self.trees_ = Trees(**{name.removeprefix("tree_"): array for name, array in trees.items()})
        if len(self.trees_) and self.trees_.width != len(FEATURES):
            raise ValueError(f"the trees know {self.trees_.width} features; this version has {len(FEATURES)}")
        return self

    def _candidates(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        known, unknown = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
        if not len(self.trees_):
            return super()._candidates(rows, k)
        asked = select(self.histories_, rows[known])
        chosen = candidates(asked, self._popular, LONGEST_LIST)
        odds = self.trees_.score(features(asked, self._facts, chosen))
        row, product, score = Popular._candidates(self, rows[unknown], k)
        return (
            np.concatenate([known[chosen.row], unknown[row]]),
            np.concatenate([self._in_catalogue[chosen.product], product]),
            np.concatenate([1 / (1 + np.exp(-odds)), score]),
        )

    def _lessons(self) -> Lesson:
        """The label weeks' examples. A week with less than a month of history before it teaches nothing."""
        first = int(self.histories_.days.min(initial=1 << 15)) + MONTH
        ends = [self.histories_.day - timedelta(days=WEEK * week) for week in range(1, self.label_weeks + 1)]
        chance = np.random.default_rng(0)
        lessons = [self._lesson(end, chance) for end in reversed(ends) if day_number(end) >= first]
        if not lessons:
            return Lesson(np.empty((0, len(FEATURES))), np.empty(0, bool), np.empty(0))
        return Lesson(*map(np.concatenate, zip(*lessons, strict=True)))

    def _lesson(self, end: date, chance: np.random.Generator) -> Lesson:
        """What was known through `end` of those who shopped in the week after it, and what they bought."""
        size = len(self.histories_.products)
        customer, product, day = purchases_of(self.histories_)
        now = (day > day_number(end)) & (day <= day_number(end) + WEEK)
        before = rewind(self.histories_, end)
        shoppers = np.unique(customer[now])
        shoppers = shoppers[np.diff(before.starts)[shoppers] > 0]
        known = select(before, shoppers)
        popular = np.argsort(-tally(before, self.popular_days)[0], kind="stable")[:LONGEST_LIST]
        chosen = candidates(known, popular, LONGEST_LIST)
        bought = np.isin(shoppers[chosen.row] * size + chosen.product, customer[now] * size + product[now])
        kept = bought | (chance.random(len(bought)) < self.negatives)
        matrix = features(known, product_facts(before), chosen.keep(kept))
        return Lesson(matrix, bought[kept], np.where(bought[kept], 1.0, 1.0 / self.negatives))

    def _grow(self, lesson: Lesson) -> Trees:
        model = HistGradientBoostingClassifier(
            max_iter=self.trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.leaf_size,
            learning_rate=self.learning_rate,
            early_stopping=False,
            random_state=0,
        )
        with threadpool_limits(THREADS):
            return Trees.of(model.fit(lesson.matrix, lesson.bought, lesson.weight))

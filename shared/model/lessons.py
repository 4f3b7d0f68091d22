"""The ranker's lessons: what was known before a label week, and what was bought in it.

A lesson depends on its week and on what came before, never on later weeks, so it can be kept for the next training.
"""

from datetime import date, timedelta
from typing import NamedTuple, Protocol, Self

import numpy as np

from shared.model.candidates import candidates
from shared.model.facts import MONTH, WEEK, product_facts, tally
from shared.model.features import FEATURES, features
from shared.model.histories import Histories, day_number, rewind, select
from shared.model.taxonomy import Taxonomy


class Lesson(NamedTuple):
    """Examples of one or more label weeks, customer by customer.

    matrix (e, number of FEATURES), bought (e,): whether the candidate was bought; sizes: examples per customer.
    """

    matrix: np.ndarray
    bought: np.ndarray
    sizes: np.ndarray

    @classmethod
    def joined(cls, lessons: list[Self]) -> Self:
        """Several lessons as one; none as an empty one."""
        if not lessons:
            return cls(np.empty((0, len(FEATURES)), np.float32), np.empty(0, bool), np.empty(0, np.int64))
        return cls(*map(np.concatenate, zip(*lessons, strict=True)))


class Curriculum(NamedTuple):
    """How lessons are made: candidates of a customer from each source, share of the not bought that is kept."""

    longest: int
    negatives: float
    popular_days: int
    half_life: float


class KeptLessons(Protocol):
    """The lessons of earlier trainings, wherever they lie."""

    def find(self, end: date, taxonomy: Taxonomy, plan: Curriculum) -> Lesson | None:
        """The lesson of the week after a day, if it was kept for the same data, taxonomy and plan."""

    def keep(self, end: date, taxonomy: Taxonomy, plan: Curriculum, lesson: Lesson) -> None:
        """Keep a lesson."""


def teach(
    histories: Histories, taxonomy: Taxonomy, weeks: int, plan: Curriculum, kept: KeptLessons | None = None
) -> Lesson:
    """The lessons of the last label weeks; those of earlier trainings are taken from where they are kept."""
    lessons = []
    for end in label_weeks(histories, weeks):
        found = kept.find(end, taxonomy, plan) if kept else None
        lesson = found or lesson_of(histories, taxonomy, end, plan)
        if kept and not found:
            kept.keep(end, taxonomy, plan, lesson)
        lessons.append(lesson)
    return Lesson.joined(lessons)


def label_weeks(histories: Histories, weeks: int) -> list[date]:
    """The days before the last label weeks, oldest first; with less than a month of history a week teaches nothing."""
    first = int(histories.days.min(initial=(1 << 16) - 1)) + MONTH
    ends = [histories.day - timedelta(days=WEEK * week) for week in range(weeks, 0, -1)]
    return [end for end in ends if day_number(end) >= first]


def lesson_of(histories: Histories, taxonomy: Taxonomy, end: date, plan: Curriculum) -> Lesson:
    """What was known through `end` of those who shopped in the week after it, and what they bought."""
    size = len(histories.products)
    customer, product, day = histories.purchases
    now = (day > day_number(end)) & (day <= day_number(end) + WEEK)
    before = rewind(histories, end)
    shoppers = np.unique(customer[now])
    shoppers = shoppers[np.diff(before.starts)[shoppers] > 0]
    known = select(before, shoppers)
    chosen = candidates(known, most_popular(before, plan), plan.longest, plan.half_life)
    bought = np.isin(shoppers[chosen.row] * size + chosen.product, customer[now] * size + product[now])
    # Each week draws for itself, so that its lesson is the same in every training.
    chance = np.random.default_rng(day_number(end))
    kept = np.flatnonzero(bought | (chance.random(len(bought)) < plan.negatives))
    kept = kept[np.argsort(chosen.row[kept], kind="stable")]
    matrix = features(known, product_facts(before, taxonomy), chosen.keep(kept))
    sizes = np.bincount(chosen.row[kept], minlength=len(shoppers))
    return Lesson(matrix, bought[kept], sizes[sizes > 0])


def most_popular(histories: Histories, plan: Curriculum) -> np.ndarray:
    """The products that most customers bought lately, of those that anybody had bought by then."""
    known = np.bincount(histories.product, minlength=len(histories.products)) > 0
    order = np.argsort(-tally(histories, plan.popular_days)[0], kind="stable")
    return order[known[order]][: plan.longest]

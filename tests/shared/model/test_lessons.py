"""A lesson knows nothing of its week or of later ones, and is the same in every training."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from shared.model.features import FEATURES
from shared.model.histories import gather
from shared.model.lessons import Curriculum, Lesson, label_weeks, lesson_of
from shared.model.taxonomy import Taxonomy
from tests.conftest import make_transactions

END = date(2017, 2, 2)
LAST = date(2017, 2, 9)
ALL = Curriculum(longest=100, negatives=1.0, popular_days=28, half_life=84.0)
CATALOGUE = pd.DataFrame(
    {"product_id": [f"p{at:02}" for at in range(20)], "product_name": [f"Kind {at % 3}, {at % 6}" for at in range(20)]}
)


def learn(transactions: pd.DataFrame, plan: Curriculum = ALL, through: date = LAST) -> Lesson:
    return lesson_of(gather(transactions, through), Taxonomy.of(CATALOGUE), END, plan)


def altered(transactions: pd.DataFrame) -> pd.DataFrame:
    """Another future: the same shoppers buy other things, more often, and products come up that nobody knew."""
    late = transactions["time"] > pd.Timestamp(END + timedelta(days=1))
    future = transactions[late].assign(product_id="p00")
    unheard = future.assign(product_id="a new one", basket_id="other")
    return pd.concat([transactions[~late], future, unheard, unheard.assign(basket_id="yet another")])


@pytest.mark.parametrize("feature", FEATURES)
def test_no_feature_knows_the_future(feature: str, transactions: pd.DataFrame) -> None:
    at = FEATURES.index(feature)
    known, other = learn(transactions), learn(altered(transactions))
    assert known.bought.sum() != other.bought.sum()
    np.testing.assert_array_equal(known.matrix[:, at], other.matrix[:, at])


def test_a_lesson_is_the_same_in_a_later_training(transactions: pd.DataFrame) -> None:
    later = pd.concat([transactions, make_transactions(customers=30, products=24, days=60).iloc[40 * 30 :]])
    plan = ALL._replace(negatives=0.3)
    for name, now, then in zip(
        Lesson._fields, learn(transactions, plan), learn(later, plan, LAST + timedelta(weeks=2)), strict=True
    ):
        np.testing.assert_array_equal(now, then, err_msg=name)


def test_a_share_of_the_not_bought_is_kept_and_all_that_was_bought(transactions: pd.DataFrame) -> None:
    everything, some = learn(transactions), learn(transactions, ALL._replace(negatives=0.3))
    assert some.bought.sum() == everything.bought.sum() > 0
    assert len(some.bought) - some.bought.sum() == pytest.approx(0.3 * (~everything.bought).sum(), rel=0.3)
    assert some.sizes.sum() == len(some.bought)


def test_examples_come_customer_by_customer(transactions: pd.DataFrame) -> None:
    lesson = learn(transactions)
    visits = lesson.matrix[:, FEATURES.index("times")]
    assert lesson.sizes.tolist() == [20] * 20
    assert visits.reshape(20, 20).max(axis=1).min() >= 1


def test_a_week_with_less_than_a_month_before_it_teaches_nothing(transactions: pd.DataFrame) -> None:
    assert label_weeks(gather(transactions, LAST), 10) == [date(2017, 2, 2)]
    month_before = gather(transactions, date(2017, 2, 5))
    assert label_weeks(month_before, 10) == [date(2017, 1, 29)]
    assert label_weeks(gather(transactions, date(2017, 2, 4)), 10) == []
    assert [part.shape for part in Lesson.joined([])] == [(0, len(FEATURES)), (0,), (0,)]

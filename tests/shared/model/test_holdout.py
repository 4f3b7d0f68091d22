"""What a model is judged on: seven days that it has not seen, and what customers bought in them."""

from datetime import date, timedelta

import pandas as pd
import pytest

from shared.errors import CheckFailed
from shared.model.frecency import Frecency
from shared.model.holdout import hold_out
from tests.conftest import FIRST_DAY, make_transactions

AS_OF = date(2017, 1, 31)


def one_a_day(days: int = 40) -> pd.DataFrame:
    """A customer who buys another product every day, named after the day."""
    rows = [
        ("anna", f"day {day}", pd.Timestamp(FIRST_DAY + timedelta(days=day)) + pd.Timedelta("23:59:59"), 1.0)
        for day in range(days)
    ]
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "time", "quantity"])


def test_exactly_the_last_seven_days_are_held_out() -> None:
    holdout = hold_out(one_a_day(), AS_OF)
    assert holdout.known_through == date(2017, 1, 24)
    assert holdout.known["product_id"].tolist() == [f"day {day}" for day in range(24)]
    assert holdout.bought["product_id"].tolist() == [f"day {day}" for day in range(24, 31)]


def test_what_was_returned_was_not_bought() -> None:
    returned = one_a_day().assign(quantity=-1.0)
    holdout = hold_out(pd.concat([one_a_day(), returned.assign(customer_id="berta")]), AS_OF)
    assert set(holdout.bought["customer_id"]) == {"anna"}
    with pytest.raises(CheckFailed, match="No purchase is known"):
        hold_out(returned, AS_OF)


def test_judging_lists_is_judging_the_model_that_made_them() -> None:
    holdout = hold_out(make_transactions(), date(2017, 2, 9))
    model = Frecency().fit(holdout.known, as_of=holdout.known_through)
    lists = model.recommend(holdout.bought["customer_id"].unique())
    assert holdout.measure(lists) == holdout.judge(model)


def test_without_purchases_before_the_week_or_in_it_nothing_can_be_judged() -> None:
    rows = one_a_day()
    with pytest.raises(CheckFailed, match="No purchase is known through 2017-01-24"):
        hold_out(rows[rows["time"] >= "2017-01-25"], AS_OF)
    with pytest.raises(CheckFailed, match="No purchase is known through 2017-01-31"):
        hold_out(rows[rows["time"] < "2017-01-25"], AS_OF)

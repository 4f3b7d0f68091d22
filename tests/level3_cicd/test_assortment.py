"""A new assortment is seen on its first day, and where it cannot be seen that is told."""

import pandas as pd
import pytest

from level3_cicd.assortment import judge, new_share
from shared.columns import PRODUCT, QUANTITY


def rows(products: str, quantity: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame({PRODUCT: list(products), QUANTITY: quantity})


def test_what_nobody_bought_before_is_new_and_what_was_not_sold_does_not_count() -> None:
    assert new_share(rows("abcd"), rows("aab")) == 0.5
    assert new_share(rows("abcd"), rows("abcd", quantity=0.0)) == 1.0
    assert new_share(rows("ab", quantity=0.0), rows("a")) is None


@pytest.mark.parametrize(
    ("share", "weeks", "verdict"),
    [
        (0.2, [0.1] * 4, "stable"),
        (0.21, [0.1] * 4, "new assortment"),
        (0.9, [0.4] * 4, "blind"),
        (0.9, [0.1] * 3, "too few"),
        (0.9, [0.1, 0.1, 0.1, None], "too few"),
        (None, [0.1] * 4, "too few"),
    ],
)
def test_a_day_is_compared_with_the_same_weekday_of_four_weeks(
    share: float | None, weeks: list[float | None], verdict: str
) -> None:
    assert judge(share, weeks).verdict == verdict


def test_the_verdict_in_words() -> None:
    assert str(judge(0.21, [0.1] * 4)) == (
        "assortment: new assortment, 21.0% of rows are of products that nobody bought for 56 days "
        "(usually 10.0%, limit 20.0%)"
    )
    assert "from day 84 of the shop on" in str(judge(0.18, []))
    assert str(judge(None, [])) == "assortment: nobody bought anything"

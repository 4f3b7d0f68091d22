"""Bad days are found; odd but legal ones pass."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from shared.checks import check_day, check_days, usual_day
from shared.columns import AMOUNT, CUSTOMER, PRODUCT, STORE, TIME
from shared.dataset import Feed, open_feed

DAY = date(2017, 6, 7)


@pytest.fixture(scope="module")
def feed(real_shop: Path) -> Feed:
    return open_feed(real_shop)


def test_a_month_with_black_friday_and_christmas_passes(feed: Feed) -> None:
    days = [day for day in feed.days if date(2017, 11, 22) <= day <= date(2017, 12, 27)]
    assert len(check_days(feed, days)) == 0


HARM: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "renamed column": lambda rows: rows.rename(columns={AMOUNT: "sales"}),
    "amounts in cents": lambda rows: rows.assign(**{AMOUNT: rows[AMOUNT] * 100}),
    "day twice": lambda rows: pd.concat([rows, rows]),
    "no customers": lambda rows: rows.assign(**{CUSTOMER: None}),
    "half the stores": lambda rows: rows[rows[STORE].isin(sorted(rows[STORE].unique())[::2])],
    "other product keys": lambda rows: rows.assign(**{PRODUCT: "X" + rows[PRODUCT]}),
    "yesterday's rows": lambda rows: rows.assign(**{TIME: rows[TIME] - pd.Timedelta(days=1)}),
    "a tenth of the rows": lambda rows: rows.iloc[::10],
}


@pytest.mark.parametrize("harm", sorted(HARM))
def test_harm_is_found(feed: Feed, harm: str) -> None:
    known = pd.Index(feed.products()[PRODUCT])
    rows, usual = feed.day(DAY), usual_day(feed, DAY)
    assert len(check_day(rows, DAY, known, usual)) == 0
    assert len(check_day(HARM[harm](rows), DAY, known, usual)) > 0

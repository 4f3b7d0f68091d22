"""Bad days are found; odd but legal ones pass."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset.checks import check_day, check_days, is_damage
from shared.dataset.feed import Feed, open_feed
from shared.dataset.reference import Reference, ReferenceReader
from shared.dataset.writing import write_feed

DAY = date(2017, 6, 7)


@pytest.fixture(scope="module")
def feed(real_shop: Path) -> Feed:
    return open_feed(real_shop)


@pytest.fixture(scope="module")
def reference(feed: Feed) -> Reference | None:
    return ReferenceReader(feed).reference(DAY)


HARM: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "renamed column": lambda rows: rows.rename(columns={AMOUNT: "sales"}),
    "amounts in cents": lambda rows: rows.assign(**{AMOUNT: rows[AMOUNT] * 100}),
    "day twice": lambda rows: pd.concat([rows, rows]),
    "no customers": lambda rows: rows.assign(**{CUSTOMER: None}),
    "half the stores": lambda rows: rows[rows[STORE].isin(sorted(rows[STORE].unique())[::2])],
    "other product keys": lambda rows: rows.assign(**{PRODUCT: "X" + rows[PRODUCT]}),
    "quantities in grams": lambda rows: rows.assign(**{QUANTITY: rows[QUANTITY] * 1000}),
    "a third of the amounts in cents": lambda rows: rows.assign(
        **{AMOUNT: rows[AMOUNT].where(rows[STORE].str[-1] > "3", rows[AMOUNT] * 100)}
    ),
    "wrong sign": lambda rows: rows.assign(**{AMOUNT: -rows[AMOUNT]}),
    "no store": lambda rows: rows.assign(**{STORE: rows[STORE].where(rows.index > 3)}),
    "other customer keys": lambda rows: rows.assign(**{CUSTOMER: rows[CUSTOMER].str.zfill(8)}),
    "customers mixed up": lambda rows: rows.assign(
        **{CUSTOMER: rows[CUSTOMER].map(dict(zip(rows[CUSTOMER].unique(), rows[CUSTOMER].unique()[::-1], strict=True)))}
    ),
    "garbled letters": lambda rows: rows.assign(**{PRODUCT: rows[PRODUCT].where(rows.index > 3, "caf\ufffd")}),
    "the first two thirds": lambda rows: rows.iloc[: 2 * len(rows) // 3],
    "an empty day": lambda rows: rows.iloc[:0],
    "yesterday's rows": lambda rows: rows.assign(**{TIME: rows[TIME] - pd.Timedelta(days=1)}),
    "a tenth of the rows": lambda rows: rows.iloc[::10],
}


@pytest.mark.parametrize("harm", sorted(HARM))
def test_harm_is_found(feed: Feed, reference: Reference | None, harm: str) -> None:
    known = pd.Index(feed.products()[PRODUCT])
    rows = feed.day(DAY)
    assert len(check_day(rows, DAY, known, reference)) == 0
    assert len(check_day(HARM[harm](rows), DAY, known, reference)) > 0


@pytest.mark.parametrize("same_baskets", [True, False])
def test_yesterday_under_todays_date_is_found(feed: Feed, reference: Reference | None, same_baskets: bool) -> None:
    rows = feed.day(DAY - timedelta(days=1))
    rows = rows.assign(**{TIME: rows[TIME] + pd.Timedelta(days=1)})
    rows = rows if same_baskets else rows.assign(**{BASKET: "9" + rows[BASKET]})
    findings = check_day(rows, DAY, pd.Index([]), reference)
    assert findings["check"].tolist() == ["delivered before"]


def test_a_small_and_regular_shop_passes(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> None:
    write_feed(tmp_path / "shop", transactions, products, name="checkerboard")
    small = open_feed(tmp_path / "shop")
    assert len(check_days(small, small.days)) == 0


@pytest.mark.story
def test_the_whole_year_passes(feed: Feed) -> None:
    assert len(check_days(feed, [day for day in feed.days if day.year == 2017])) == 0


CHANGED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "customers seen before": lambda rows: rows.assign(
        **{CUSTOMER: rows[CUSTOMER].where(rows[CUSTOMER].str[-1] > "4", "N" + rows[CUSTOMER])}
    ),
    "customers hardly seen before": lambda rows: rows.assign(**{CUSTOMER: "N" + rows[CUSTOMER]}),
    "products seen before": lambda rows: rows.assign(
        **{PRODUCT: rows[PRODUCT].where(rows[PRODUCT].str[-1] > "4", "N" + rows[PRODUCT])}
    ),
}


@pytest.mark.parametrize("check", CHANGED)
def test_a_shop_that_changes_is_told_from_an_export_that_is_damaged(
    feed: Feed, reference: Reference | None, check: str
) -> None:
    findings = check_day(CHANGED[check](feed.day(DAY)), DAY, pd.Index([]), reference)
    assert check in findings["check"].tolist()
    assert is_damage(check) == ("hardly" in check)


@pytest.mark.parametrize("harm", ["amounts in cents", "day twice", "half the stores", "a tenth of the rows"])
def test_damage_is_damage(feed: Feed, reference: Reference | None, harm: str) -> None:
    findings = check_day(HARM[harm](feed.day(DAY)), DAY, pd.Index(feed.products()[PRODUCT]), reference)
    assert any(map(is_damage, findings["check"]))

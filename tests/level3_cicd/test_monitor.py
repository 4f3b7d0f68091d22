"""Monitoring says what it cannot judge and why: no nan, no traceback, whatever the shop is like."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from level3_cicd import monitor as level3
from level3_cicd.monitor import monitor
from level4_monitoring import monitor as level4
from shared.columns import CUSTOMER, QUANTITY, TIME
from shared.dataset.feed import Feed, open_feed
from shared.dataset.writing import write_feed
from shared.errors import UsageError
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to, require_pointer
from shared.service.follower import load
from tests.conftest import FIRST_DAY, make_products, make_transactions

DAYS = 60
LAST = FIRST_DAY + timedelta(days=DAYS - 1)
WEEK_BEFORE = LAST - timedelta(days=7)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def in_last_week(rows: pd.DataFrame) -> pd.Series:
    return rows[TIME] >= pd.Timestamp(WEEK_BEFORE + timedelta(days=1))


def nothing_sold(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{QUANTITY: rows[QUANTITY].mask(in_last_week(rows), 0.0)})


def one_customer(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows[CUSTOMER] == "c00"]


def same(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def one_in_the_week(rows: pd.DataFrame) -> pd.DataFrame:
    """Only one customer comes in the last week, on its last day: the others are empty days."""
    return rows[~in_last_week(rows) | ((rows[TIME] >= pd.Timestamp(LAST)) & (rows[CUSTOMER] == "c00"))]


def make_shop(folder: Path, change: Change, days: int = DAYS, trained: date = WEEK_BEFORE) -> tuple[Path, Feed]:
    """A checkerboard shop with a release that knows nothing of the last week, live at level 3."""
    write_feed(folder / "shop", change(make_transactions(days=days)), make_products(), name="checkerboard")
    feed, level = open_feed(folder / "shop"), folder / "level3"
    model = Frecency().fit(feed.through(trained), as_of=trained)
    digest = write_bundle(level / "bundles" / "1.0", model, feed.products(), Evidence("data", "code"))
    point_to(level, Pointer("1.0", "bundles/1.0", digest))
    return level, feed


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidently takes seconds to import; its page has tests of its own."""
    for module in (level3, level4):
        monkeypatch.setattr(module, "show", lambda *given: None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (same, ["NDCG@10 ", "and not known when it was judged", "always the same: "]),
        (nothing_sold, ["its lists cannot be judged", "Nobody bought anything", "drift cannot be judged"]),
        (one_in_the_week, ["NDCG@10 ", "drift cannot be judged", "1 basket in 7 days, from 15 on it can be judged"]),
        (one_customer, ["NDCG@10 ", "7 baskets in 7 days"]),
    ],
)
def test_a_report_says_what_it_cannot_judge(tmp_path: Path, change: Change, told: list[str]) -> None:
    level, feed = make_shop(tmp_path, change)
    seen = level3.monitor(level, feed, LAST)
    words = seen.describe()
    assert [each for each in told if each not in words] == []
    assert "nan" not in words
    assert seen.drifted == []


def test_a_shop_of_less_than_five_weeks_is_compared_with_what_there_is(tmp_path: Path) -> None:
    days = 20
    last = FIRST_DAY + timedelta(days=days - 1)
    level, feed = make_shop(tmp_path, same, days, trained=last - timedelta(days=7))
    words = level3.monitor(level, feed, last).describe()
    assert "The shop began on 2017-01-01: the week is compared with 13 days instead of four weeks." in words


def test_a_week_that_the_release_has_seen_is_refused(tmp_path: Path) -> None:
    level, feed = make_shop(tmp_path, same, trained=LAST)
    with pytest.raises(UsageError, match="it has seen of the week"):
        level3.monitor(level, feed, LAST)


def test_histories_that_know_of_the_week_are_set_back_before_it(tmp_path: Path) -> None:
    level, feed = make_shop(tmp_path, same)
    live = load(level, require_pointer(level))
    live.bundle.model.refresh(feed.through(LAST), as_of=LAST)
    model = level3.as_it_was_before(live, feed, LAST - timedelta(days=6), LAST)
    assert model.histories_.day == WEEK_BEFORE


@pytest.mark.thorough
def test_a_report_on_a_week_that_the_release_has_seen_is_refused(home: Path) -> None:
    feed, through = Feed(home / "shop"), date(2017, 2, 5)
    level = home / "level3"
    model = Frecency().fit(feed.through(through), as_of=through)
    digest = write_bundle(level / "bundles" / "1.0", model, feed.products(), Evidence("data", "code"))
    point_to(level, Pointer("1.0", "bundles/1.0", digest))
    with pytest.raises(UsageError, match=r"has seen of the week.*\n.*from 2017-02-12 on"):
        monitor(level, feed, date(2017, 2, 11))

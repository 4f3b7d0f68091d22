"""Days that come by post: made from the journal when they have ended, by the calendar."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from level4_monitoring import days_posted, schedule, serve
from level4_monitoring.config import CONFIG
from level4_monitoring.days_posted import come_by_post, make_days
from level4_monitoring.purchases import Journal, Purchase
from shared.columns import CUSTOMER, PRODUCT
from shared.dataset.clock import known_through
from shared.dataset.feed import open_feed
from shared.errors import UsageError
from tests.conftest import write_checkerboard

NOON = timedelta(hours=12)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    write_checkerboard(tmp_path / "shop")
    return tmp_path / "shop"


def by_post(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration by which days come by post."""
    file = folder / "config.toml"
    file.write_text(CONFIG.read_text().replace('days_come_by = "file"', 'days_come_by = "post"'))
    monkeypatch.setattr(days_posted, "CONFIG", file)


def at(shop: Path, days: int) -> datetime:
    """Noon, so many days after the last one that is known."""
    return datetime.combine(known_through(shop) + timedelta(days=days), datetime.min.time()) + NOON


def post(shop: Path, moment: datetime, *products: str) -> None:
    rows = [Purchase(customer="c00", basket="b", product=one, time=moment) for one in products]
    Journal(shop.parent / "level4").take(moment.date(), rows)


def test_a_day_is_made_when_it_has_ended_also_one_on_which_nothing_was_posted(shop: Path) -> None:
    known, level = known_through(shop), shop.parent / "level4"
    first, third = at(shop, 1), at(shop, 3)
    post(shop, first, "p03", "p01")
    assert make_days(level, shop, first) == []
    assert make_days(level, shop, third) == [known + timedelta(days=1), known + timedelta(days=2)]
    feed = open_feed(shop)
    rows = feed.day(known + timedelta(days=1))[[CUSTOMER, PRODUCT]].astype(str)
    assert sorted(map(tuple, rows.to_numpy())) == [("c00", "p01"), ("c00", "p03")]
    assert feed.matches_record(known + timedelta(days=1))
    assert feed.day(known + timedelta(days=2)).empty
    assert known_through(shop) == known + timedelta(days=2)
    assert make_days(level, shop, third) == []


def test_what_was_delivered_as_a_file_stays_the_day(shop: Path) -> None:
    known, level = known_through(shop), shop.parent / "level4"
    post(shop, at(shop, 1), "p03")
    make_days(level, shop, at(shop, 2))
    before = open_feed(shop).day(known + timedelta(days=1))
    (level / "purchases" / f"{known + timedelta(days=1)}.jsonl").unlink()
    days_posted.make_day(level, shop, known + timedelta(days=1))
    assert open_feed(shop).day(known + timedelta(days=1)).equals(before)


def test_a_shop_that_is_far_behind_the_calendar_is_refused_and_stays_as_it_was(shop: Path) -> None:
    known = known_through(shop)
    with pytest.raises(UsageError, match="33 days would be made, at most 31 are"):
        make_days(shop.parent / "level4", shop, at(shop, 34))
    assert known_through(shop) == known


def test_the_loop_makes_days_only_where_they_come_by_post(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[datetime] = []
    monkeypatch.setattr(schedule, "make_days", lambda level, shop, now: made.append(now))
    monkeypatch.setattr(schedule, "tick_all", lambda known: [])
    schedule.tick_arrived(shop.parent / "level4", at(shop, 1))
    assert (made, come_by_post()) == ([], False)
    by_post(shop.parent, monkeypatch)
    schedule.tick_arrived(shop.parent / "level4", at(shop, 1))
    assert made == [at(shop, 1)]
    now: datetime = serve.app().state.taking.clock()
    assert abs(now - datetime.now()) < timedelta(minutes=1)

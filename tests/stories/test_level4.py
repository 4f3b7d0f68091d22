"""Level 4's story: its parts, and all of it."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from level4_monitoring.kept import Alarm, Kept
from shared.columns import AMOUNT, CUSTOMER
from shared.dataset.feed import Feed
from stories import level4 as story
from tests.conftest import make_transactions
from tests.level4_monitoring.fakes import LIMITS, SmallShop, decided


def test_half_of_the_cards_go_to_another_customer_and_none_is_lost() -> None:
    rows = make_transactions()
    customers = rows[CUSTOMER].unique()
    changed = story.reissue(customers)(rows)
    by_card = dict(zip(rows[CUSTOMER], changed[CUSTOMER], strict=True))
    assert sum(card != given for card, given in by_card.items()) == len(customers) // 2
    assert sorted(by_card.values()) == sorted(customers)
    assert changed[AMOUNT].tolist() == rows[AMOUNT].tolist()


def test_a_bad_batch_is_in_cents() -> None:
    rows = make_transactions(days=1)
    assert np.allclose(story.in_cents(rows)[AMOUNT], 100 * rows[AMOUNT])


def test_a_growing_shop_has_the_days_that_have_arrived_and_leaves_the_real_one_alone(tmp_path: Path) -> None:
    real = SmallShop(tmp_path / "real")
    (tmp_path / "own").mkdir()
    grown = story.GrowingShop(real.feed, tmp_path / "own" / "shop")
    grown.open_with(real.day(9))
    assert Feed(grown.folder).last_day == real.day(9)
    grown.arrive(real.day(10), story.in_cents)
    feed = Feed(grown.folder)
    assert feed.last_day == real.day(10)
    assert feed.matches_record(real.day(10))
    assert feed.day(real.day(10))[AMOUNT].mean() == 100 * real.feed.day(real.day(10))[AMOUNT].mean()
    assert real.feed.matches_record(real.day(10))


def test_what_happens_to_the_shop_follows_what_the_loop_did() -> None:
    cards = story.reissue(make_transactions()[CUSTOMER].unique())
    played = story.Story(story.GrowingShop(Feed(Path()), Path()), print, LIMITS)
    assert played.change_of(story.REISSUED - timedelta(days=1), cards) is story.as_it_is
    assert played.change_of(story.REISSUED, cards) is cards
    played.events.days |= {"promotion in the new world": date(2017, 5, 9), "roll back": date(2017, 5, 11)}
    assert played.change_of(date(2017, 5, 9), cards) is cards
    assert played.change_of(date(2017, 5, 10), cards) is story.as_it_is
    assert played.change_of(date(2017, 5, 13), cards) is story.in_cents


def test_what_a_tick_says_is_noted_once_with_its_first_day() -> None:
    events = story.Events()
    alarmed = Kept(date(2017, 4, 11), {}, (Alarm("quality", ""),))
    for number in (3, 4):
        events.note(decided("retrain", number, decision={"trigger": "2017-04-11"}), alarmed)
    events.note(decided("promote", 8, release="1.4"), Kept(date(2017, 4, 12)))
    assert events.days["quality alarm"] == events.days["training for the alarm"] == date(2017, 3, 4)
    assert "promotion in the new world" in events
    assert "close" not in events


@pytest.mark.story
@pytest.mark.long
def test_the_story_goes_as_it_must(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = home / "stories" / "level4"
    monkeypatch.setenv("MLOPS_HOME", str(own))
    told: list[str] = []
    events = story.play(told.append)
    days = events.days
    assert days["promote"] < days["close"] < story.REISSUED
    assert story.REISSUED <= days["quality alarm"] <= story.REISSUED + timedelta(days=2)
    assert days["training for the alarm"] == days["quality alarm"] + timedelta(days=21)
    assert (
        days["promotion in the new world"] < days["roll back"] <= days["promotion in the new world"] + timedelta(days=5)
    )
    assert "asked again with this, it decides the same" in "\n".join(told)

"""Which days a season and its drills have, and what a shop that is too short is told."""

from datetime import date, timedelta

import pytest

from comparison.world import ARMED_DAYS, KNOWN_DAYS, Calendar
from shared.errors import UsageError

FIRST = date(2010, 2, 1)


def shop(days: int) -> Calendar:
    return Calendar(FIRST, FIRST + timedelta(days=days - 1))


def test_the_real_year_opens_on_a_monday_and_has_five_days_to_begin_a_drill() -> None:
    year = Calendar(date(2017, 1, 1), date(2017, 12, 31))
    assert year.opening == date(2017, 2, 27)
    for window in (28, 42, 56):
        assert year.starts(window) == [date(2017, 5, 3) + timedelta(days=36 * number) for number in range(5)]
    assert len({day.weekday() for day in year.starts(28)}) == 5


def test_another_shop_spreads_its_drills_over_what_it_has() -> None:
    calendar = shop(180)
    assert calendar.opening == FIRST + timedelta(days=KNOWN_DAYS)
    starts = calendar.starts(28)
    assert len(starts) == 5
    assert starts[0] == calendar.opening + timedelta(days=65)
    assert starts[-1] <= calendar.last - timedelta(days=27)


def test_the_shortest_shop_has_one_drill_when_the_alarm_is_armed() -> None:
    calendar = shop(KNOWN_DAYS + ARMED_DAYS + 28)
    assert calendar.starts(28) == [calendar.opening + timedelta(days=ARMED_DAYS)]


def test_a_shop_that_is_too_short_is_told_how_many_days_a_drill_needs() -> None:
    with pytest.raises(UsageError, match=r"has 118 days(.|\n)*needs 119: 56 for the first release"):
        shop(118).starts(28)
    with pytest.raises(UsageError, match="needs 98"):
        shop(97).require(42, "the demo")

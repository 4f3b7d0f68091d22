"""When a season begins, and who plays it, whatever the shop and the levels that are here."""

import sys
from datetime import date
from types import SimpleNamespace

import pytest

from comparison import season
from comparison.season import OPENING, opening_day
from comparison.teams.by_level import team_of
from shared.errors import UsageError


def feed(first: date, last: date) -> season.Feed:
    return SimpleNamespace(first_day=first, last_day=last)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("first", "last", "days", "opening"),
    [
        (date(2017, 1, 1), date(2018, 1, 1), 14, OPENING),
        (date(2017, 1, 1), date(2017, 6, 18), 14, OPENING),
        (date(2017, 1, 1), date(2017, 6, 17), 14, date(2017, 6, 4)),  # spans the chosen day and ends before the season
        (date(2017, 6, 1), date(2017, 8, 31), 14, date(2017, 8, 18)),  # began only then
        (date(2010, 1, 1), date(2010, 1, 22), 14, date(2010, 1, 9)),
    ],
)
def test_a_season_lies_within_the_shop(first: date, last: date, days: int, opening: date) -> None:
    assert opening_day(feed(first, last), days) == opening


@pytest.mark.parametrize(
    ("last", "fix"), [(date(2010, 1, 21), "Pass --days 13, or import"), (date(2010, 1, 9), "Import more days")]
)
def test_a_shop_that_is_too_young_for_the_season_is_told(last: date, fix: str) -> None:
    with pytest.raises(UsageError, match=f"needs 22(.|\n)*{fix}"):
        opening_day(feed(date(2010, 1, 1), last), 14)


def test_a_level_that_is_not_here_is_named_before_anything_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "comparison.teams.level2", raising=False)
    monkeypatch.setitem(sys.modules, "level2_basic_automation.serve", None)
    with pytest.raises(UsageError, match=r"Level 2 cannot be compared: .*(\n.*)*--only"):
        team_of(2)
    assert team_of(1).level == 1

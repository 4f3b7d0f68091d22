"""Which days are looked at, and what is refused."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from level3_cicd.validate import days_to_validate, find_harm, refuse_bad_data
from shared.dataset.clock import known_through
from shared.dataset.day_files import day_file, digest_rows
from shared.dataset.feed import Feed
from shared.errors import CheckFailed
from tests.conftest import copy_shop, make_transactions


@pytest.fixture
def shop(tmp_path: Path) -> Feed:
    """Two customers' half a year."""
    return copy_shop("half a year", tmp_path / "shop", lambda: make_transactions(customers=2, days=200))


@pytest.mark.thorough
def test_the_day_that_the_real_shop_has_reached_is_fit_to_train_on_and_the_one_after_is_not(home: Path) -> None:
    feed = Feed(home / "shop")
    reached = known_through(home / "shop")
    assert (reached, feed.last_day) == (date(2017, 12, 31), date(2018, 1, 1))
    assert find_harm(feed, days_to_validate(feed, reached, None, (), {})).empty
    with pytest.raises(CheckFailed, match="pass an --as-of before 2018-01-01"):
        refuse_bad_data(find_harm(feed, [feed.last_day]), feed)


@pytest.mark.parametrize(
    ("validated", "refused", "accepted", "looked_at"),
    [
        (None, [], [], range(12, 19)),
        (15, [], [], range(12, 19)),
        (4, [], [], range(5, 19)),
        (None, [5, 25], [], [5, *range(12, 19)]),
        (15, [5], [5, 13], [12, *range(14, 19)]),
    ],
)
def test_days_are_looked_at_until_they_have_passed_or_were_accepted(
    shop: Feed, validated: int | None, refused: list[int], accepted: list[int], looked_at: Iterable[int]
) -> None:
    def days(numbers: Iterable[int]) -> list[date]:
        return [date(2017, 6, number) for number in numbers]

    known = date(2017, 6, validated) if validated else None
    digests = {day: digest_rows(shop.day(day))[:16] for day in days(accepted)}
    found = days_to_validate(shop, date(2017, 6, 18), known, days(refused), digests)
    assert found == days(looked_at)


def test_a_day_is_accepted_with_the_rows_that_somebody_looked_at_and_not_with_others(shop: Feed) -> None:
    day = date(2017, 6, 18)
    assert day not in days_to_validate(shop, day, None, (), {day: digest_rows(shop.day(day))[:16]})
    assert day in days_to_validate(shop, day, None, (), {day: digest_rows(shop.day(day).iloc[1:])[:16]})


@pytest.mark.thorough
def test_a_day_whose_rows_are_others_by_now_is_looked_at_however_old_it_is(home: Path) -> None:
    feed, old = Feed(home / "shop"), date(2017, 3, 1)
    rows = feed.day(old)
    day_file(feed.folder, old).unlink()  # other homes share it
    rows.to_parquet(day_file(feed.folder, old))
    passed = date(2017, 6, 17)
    assert days_to_validate(feed, date(2017, 6, 18), passed, (), {}) == [date(2017, 6, day) for day in range(12, 19)]
    rows.iloc[10:].to_parquet(day_file(feed.folder, old))
    found = find_harm(feed, days_to_validate(feed, date(2017, 6, 18), passed, (), {}))
    assert found[["day", "check"]].to_numpy().tolist() == [[old, "rows as delivered"]]

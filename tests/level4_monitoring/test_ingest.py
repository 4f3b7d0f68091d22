"""Damage and change told apart, before anything uses a day."""

import numpy as np
import pandas as pd
import pytest

from level4_monitoring.ingest import (
    Checked,
    accepted_row,
    check,
    days_to_ingest,
    digests_of,
    ingest,
    ingest_alarms,
    is_known_for,
    judge,
    recent,
)
from level4_monitoring.past import Past
from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset.feed import Feed, open_feed
from shared.dataset.reference import ReferenceReader
from shared.dataset.writing import write_feed
from tests.level4_monitoring.fakes import LIMITS, day, row

SCHEDULE = LIMITS.schedule
CUSTOMERS, DAYS, ROWS = 300, 40, 200


def a_days_rows(number: int, chance: np.random.Generator) -> pd.DataFrame:
    """Two hundred rows of regular customers, through the day."""
    customers = chance.choice(CUSTOMERS, ROWS, replace=False)
    seconds = chance.integers(8 * 3600, 20 * 3600, ROWS)
    return pd.DataFrame(
        {
            CUSTOMER: [f"c{at}" for at in customers],
            BASKET: [f"b{number}-{at}" for at in customers],
            PRODUCT: [f"p{at % 50}" for at in customers + chance.integers(0, 2, ROWS)],
            STORE: "s1",
            TIME: pd.Timestamp(day(number)) + pd.to_timedelta(seconds, unit="s"),
            QUANTITY: 1.0,
            AMOUNT: chance.uniform(1, 5, ROWS).round(2),
        }
    ).astype({TIME: "datetime64[ms]"})


@pytest.fixture(scope="module")
def days() -> list[pd.DataFrame]:
    chance = np.random.default_rng(1)
    return [a_days_rows(number, chance) for number in range(DAYS)]


def shop_of(folder, days: list[pd.DataFrame]) -> Feed:
    catalogue = pd.DataFrame({PRODUCT: [f"p{at}" for at in range(50)] + [f"n{at}" for at in range(50)]})
    write_feed(folder, pd.concat(days), catalogue.assign(product_name="x", department="y"), name="test")
    return open_feed(folder)


def checked(tmp_path, days: list[pd.DataFrame], change) -> Checked:
    """The findings on the last day after a change."""
    feed = shop_of(tmp_path / "shop", [*days[:-1], change(days[-1])])
    return check(feed, day(DAYS - 1), ReferenceReader(feed))


def reissue(share: float):
    """New numbers for a share of the customers."""

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        new = rows[CUSTOMER].str[1:].astype(int) < share * CUSTOMERS
        return rows.assign(**{CUSTOMER: rows[CUSTOMER].where(~new, "new-" + rows[CUSTOMER])})

    return change


def test_a_usual_day_is_taken(tmp_path, days: list[pd.DataFrame]) -> None:
    found = checked(tmp_path, days, lambda rows: rows)
    assert (found.verdict, found.damage, found.change, found.rows) == ("taken", (), (), ROWS)


def test_change_is_taken_and_told(tmp_path, days: list[pd.DataFrame]) -> None:
    found = checked(tmp_path, days, reissue(0.5))
    assert found.verdict == "taken"
    assert found.damage == ()
    assert any("customers seen before" in told for told in found.change)


def test_half_of_the_products_renamed_is_change(tmp_path, days: list[pd.DataFrame]) -> None:
    def renamed(rows: pd.DataFrame) -> pd.DataFrame:
        number = rows[PRODUCT].str[1:]
        return rows.assign(**{PRODUCT: rows[PRODUCT].where(number.astype(int) % 2 == 0, "n" + number)})

    found = checked(tmp_path, days, renamed)
    assert (found.verdict, found.damage) == ("taken", ())
    assert found.change


def test_a_day_of_strangers_is_quarantined(tmp_path, days: list[pd.DataFrame]) -> None:
    found = checked(tmp_path, days, reissue(1.0))
    assert found.verdict == "quarantined"
    assert any("customers hardly seen before" in told for told in found.damage)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.assign(**{AMOUNT: rows[AMOUNT] * 100}), "unit of amount"),
        (lambda rows: pd.concat([rows, rows.iloc[:3]]), "repeated rows"),
        (lambda rows: rows[rows[TIME].dt.hour < 12], "ends early"),
        (
            lambda rows: rows.assign(**{PRODUCT: "in no catalogue"}).drop_duplicates(CUSTOMER),
            "unknown products",
        ),
    ],
)
def test_damage_is_quarantined(tmp_path, days: list[pd.DataFrame], change, told: str) -> None:
    found = checked(tmp_path, days, change)
    assert found.verdict == "quarantined"
    assert any(told in words for words in found.damage)


def test_a_day_is_ingested_once_and_again_when_its_rows_are_others(tmp_path, days: list[pd.DataFrame]) -> None:
    feed = shop_of(tmp_path / "shop", days)
    rows = ingest(feed, Past([]), day(30), SCHEDULE, "loop")
    assert [(made.as_of, made.verdict) for made in rows] == [(day(30), "taken")]
    assert ingest(feed, Past(rows), day(30), SCHEDULE, "loop") == []
    digests = digests_of(feed) | {day(30): "others"}
    assert days_to_ingest(Past(rows), digests, day(31)) == [day(30), day(31)]


def test_an_empty_day_is_recorded_once() -> None:
    empty = judge(Checked(day(3), "", 0), day(3), SCHEDULE, "loop")
    assert empty.verdict == "empty"
    assert days_to_ingest(Past([empty]), {}, day(3)) == []


def test_rows_that_come_late_are_taken_for_two_weeks_and_then_need_a_person() -> None:
    found = Checked(day(0), "new", 10)
    assert judge(found, day(14), SCHEDULE, "loop").verdict == "taken"
    late = judge(found, day(15), SCHEDULE, "loop")
    assert late.verdict == "quarantined"
    assert [alarm.kind for alarm in ingest_alarms(Past([late]), day(15), SCHEDULE)] == ["late-rows"]


def test_alarms_are_those_of_the_evening() -> None:
    found = Checked(day(3), "digest", 10, damage=("a hole",), change=("new customers",))
    bad = judge(found, day(3), SCHEDULE, "loop")
    alarms = ingest_alarms(Past([bad, row("gate", "passed", 3)]), day(3), SCHEDULE)
    assert [alarm.kind for alarm in alarms] == ["change", "quarantine"]
    assert ingest_alarms(Past([bad]), day(4), SCHEDULE) == []


def test_a_persons_word_is_about_the_rows_that_are_there(tmp_path, days: list[pd.DataFrame]) -> None:
    feed = shop_of(tmp_path / "shop", days)
    accepted = accepted_row(feed, day(5), "a sale", "operator")
    assert accepted.data_digest == digests_of(feed)[day(5)]
    assert is_known_for(feed, day(5)) == 6
    assert recent({day(1), day(9), day(10)}, day(10), 2) == (day(9), day(10))

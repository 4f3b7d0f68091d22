"""A version of a day's file is read once, whoever looks at it, and another version is another one."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shared.dataset import day_files, reference
from shared.dataset.day_files import day_file
from shared.dataset.feed import Feed, open_feed
from shared.dataset.reference import Profile, ReferenceReader, Window, overlap, profile_of
from shared.dataset.writing import write_day
from tests.conftest import FIRST_DAY, write_checkerboard

DAY = FIRST_DAY + timedelta(days=35)


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feed:
    monkeypatch.setattr(reference, "PROFILES", {})
    write_checkerboard(tmp_path / "shop")
    return open_feed(tmp_path / "shop")


def test_the_next_reader_reads_no_day_again(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    whole = reference.profile
    monkeypatch.setattr(reference, "profile", lambda rows: read.append(len(rows)) or whole(rows))
    before = ReferenceReader(feed).reference(DAY)
    seen = len(read)
    again = ReferenceReader(open_feed(feed.folder)).reference(DAY)
    assert seen > 20
    assert len(read) == seen
    assert before is not None
    assert again is not None
    assert again.shares == before.shares


def test_a_days_table_is_read_once_and_another_version_of_it_again(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = day_files.parse_day
    monkeypatch.setattr(day_files, "parse_day", lambda source, file: read.append(file.name) or whole(source, file))
    first, again = feed.day(DAY), open_feed(feed.folder).day(DAY)
    first.loc[:, "quantity"] = 9.0  # a table that is handed out is its receiver's own
    assert (len(read), again["quantity"].max(), feed.day(DAY)["quantity"].max()) == (1, 1.0, 1.0)
    part = feed.folder / "part.parquet"
    write_day(part, again.iloc[:3])
    part.replace(day_file(feed.folder, DAY))
    assert (len(feed.day(DAY)), len(read)) == (3, 2)


def test_another_version_of_a_days_file_is_read(feed: Feed) -> None:
    before = profile_of(feed, DAY)
    part = feed.folder / "part.parquet"
    write_day(part, feed.day(DAY).iloc[:3])
    part.replace(day_file(feed.folder, DAY))
    assert (before.rows, profile_of(feed, DAY).rows) == (20, 3)


def test_a_day_without_a_file_is_empty_and_the_oldest_profiles_are_forgotten(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert profile_of(feed, DAY + timedelta(days=99)).rows == 0
    monkeypatch.setattr(reference, "KEPT_DAYS", 2)
    for number in range(4):
        profile_of(feed, DAY - timedelta(days=number))
    assert len(reference.PROFILES) == 2


def test_a_day_is_compared_with_the_same_weekdays_of_four_weeks(feed: Feed) -> None:
    reader = ReferenceReader(feed)
    assert reader.reference(FIRST_DAY + timedelta(days=13)) is None
    two = reader.reference(FIRST_DAY + timedelta(days=14))
    four = reader.reference(FIRST_DAY + timedelta(days=39))
    assert two is not None
    assert four is not None
    assert (len(two.seconds), len(four.seconds)) == (2 * 20, 4 * 20)
    assert (two.rows, four.rows) == (20.0, 20.0)
    assert four.rows_by_store.to_dict() == {f"s{at}": 20 for at in range(4)}
    assert len(four.window.day) == len(four.window.contents) == 28 * 20
    assert set(four.window.day) == set(range(28))
    assert reader.reference(FIRST_DAY + timedelta(days=40)) is not None
    assert reader.reference(FIRST_DAY + timedelta(days=999)) is None


def test_the_usual_shares_are_the_middle_ones_of_the_same_weekdays(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([0.1, 0.2, 0.8, 0.4])
    monkeypatch.setattr(reference, "overlap", lambda day, window: dict.fromkeys(["customers"], next(shares)))
    found = ReferenceReader(feed).reference(FIRST_DAY + timedelta(days=39))
    assert found is not None
    assert found.shares["customers"] == pytest.approx(0.3)


def test_what_a_window_knows_of_a_day_and_of_one_of_its_days() -> None:
    numbers = [np.array(values, dtype=np.uint64) for values in ([1, 2, 3, 4], [1, 2], [7], [5, 6, 7, 8])]
    none = np.array([])
    today = Profile(*numbers, seconds=none, amounts=none, quantities=none, stores=pd.Series(dtype=int))
    known = [np.array(values, dtype=np.uint64) for values in ([1, 1, 9], [2, 1], [8], [5, 6, 5, 9])]
    window = Window(*known, day=np.array([0, 0, 1, 1]))
    assert overlap(today, window) == {"customers": 0.25, "products": 1.0, "purchases": 0.0, "repeated": 0.5}
    nothing = Window(*[one[:0] for one in known], day=np.array([], dtype=np.int64))
    assert overlap(today, nothing)["repeated"] == 0.0


def test_a_profile_is_sorted_by_time_of_day_and_counts_stores(feed: Feed) -> None:
    rows = feed.day(DAY)
    later = rows.assign(time=rows["time"] + pd.to_timedelta(np.arange(20)[::-1], "s"), amount=np.arange(20.0)[::-1])
    found = reference.profile(later)
    assert found.seconds.tolist() == list(range(36_000, 36_020))
    assert found.amounts.tolist() == list(range(20))
    assert (found.rows, found.quantities.tolist()) == (20, [1.0] * 20)
    assert found.stores.to_dict() == {f"s{at}": 5 for at in range(4)}
    assert len(found.customers) == 20


def test_days_that_no_later_day_needs_are_forgotten(feed: Feed) -> None:
    reader = ReferenceReader(feed)
    reader.reference(FIRST_DAY + timedelta(days=20))
    before = min(reader._profiles)
    reader.reference(FIRST_DAY + timedelta(days=57))
    assert before == FIRST_DAY
    assert min(reader._profiles) == FIRST_DAY + timedelta(days=1)

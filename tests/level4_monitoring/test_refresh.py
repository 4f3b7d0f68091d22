"""Histories are carried forward from yesterday's, made anew where days were corrected, and never written in place."""

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from level4_monitoring.refresh import KEPT, rebuilt, refresh
from shared.dataset.feed import Feed
from shared.dataset.writing import write_feed
from shared.model.frecency import Frecency
from shared.model.histories import ARRAYS, gather
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import digest_of
from shared.release.mapped import open_histories
from shared.release.pointer import Pointer, point_to, read_good, read_pointer, remember_good
from tests.conftest import make_products, make_transactions

TRAINED = date(2017, 2, 9)


@pytest.fixture
def level(tmp_path: Path) -> Path:
    write_feed(tmp_path / "shop", make_transactions(days=70), make_products(), name="a shop")
    feed = Feed(tmp_path / "shop")
    model = Frecency().fit(feed.through(TRAINED), as_of=TRAINED)
    digest = write_bundle(
        tmp_path / "bundles" / "1.0", model, feed.products(), Evidence(feed.digest(TRAINED), "a revision")
    )
    remember_good(tmp_path, point_to(tmp_path, Pointer("1.0", "bundles/1.0", digest)))
    return tmp_path


def correct(shop: Path, day: date) -> None:
    """The shop brings a day again: somebody bought something else."""
    rows = make_transactions(days=70)
    rows.loc[rows["time"].dt.date == day, "product_id"] = "corrected"
    shutil.rmtree(shop)
    write_feed(shop, rows, make_products(), name="a shop")


def days_read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[date, date]]:
    read: list[tuple[date, date]] = []
    between = Feed.between

    def watched(feed: Feed, first: date, last: date) -> pd.DataFrame:
        read.append((first, last))
        return between(feed, first, last)

    monkeypatch.setattr(Feed, "between", watched)
    return read


def assert_gathered(level: Path, day: date) -> None:
    pointer = read_pointer(level)
    assert pointer is not None
    found = open_histories(level / pointer.histories, pointer.histories_digest)
    expected = gather(Feed(level / "shop").through(day), day)
    assert found.day == day
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_a_day_is_added_to_what_is_known(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = days_read(monkeypatch)
    for days in range(1, 5):
        refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=days))
    assert read == [(TRAINED + timedelta(days=days),) * 2 for days in range(1, 5)]
    assert_gathered(level, TRAINED + timedelta(days=4))


def test_after_a_correction_they_are_carried_from_the_day_before_it(
    level: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in range(1, 6):
        refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=days))
    correct(level / "shop", TRAINED + timedelta(days=3))
    read = days_read(monkeypatch)
    refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=6))
    assert read == [(TRAINED + timedelta(days=3), TRAINED + timedelta(days=6))]
    assert_gathered(level, TRAINED + timedelta(days=6))


def test_after_an_old_correction_they_are_gathered_anew(level: Path) -> None:
    refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=1))
    correct(level / "shop", TRAINED - timedelta(days=3))
    refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=2))
    assert_gathered(level, TRAINED + timedelta(days=2))


def test_the_same_day_corrected_gets_files_of_its_own(level: Path) -> None:
    day = TRAINED + timedelta(days=1)
    first = refresh(level, Feed(level / "shop"), day).pointer
    mapped = open_histories(level / first.histories)
    before = mapped.product.copy()
    correct(level / "shop", day)
    second = refresh(level, Feed(level / "shop"), day).pointer
    assert first.histories != second.histories
    np.testing.assert_array_equal(mapped.product, before)
    assert_gathered(level, day)


def test_a_refresh_that_is_made_again_changes_no_file(level: Path) -> None:
    first = refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=1)).pointer
    stamp = (level / first.histories / "days.npy").stat().st_ino
    second = refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=1)).pointer
    assert (first.histories, first.histories_digest) == (second.histories, second.histories_digest)
    assert (level / second.histories / "days.npy").stat().st_ino == stamp
    assert [folder.name for folder in (level / "histories").iterdir()] == [Path(first.histories).name]


def test_damaged_histories_are_not_carried(level: Path) -> None:
    pointer = refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=1)).pointer
    file = level / pointer.histories / "product.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    refresh(level, Feed(level / "shop"), TRAINED + timedelta(days=2))
    assert_gathered(level, TRAINED + timedelta(days=2))


def test_the_last_are_kept_and_those_that_a_pointer_names(level: Path) -> None:
    feed = Feed(level / "shop")
    named = refresh(level, feed, TRAINED + timedelta(days=1)).pointer
    good = level / "last_good.json"
    before = [{**json.loads(good.read_bytes())[0], "release": "0.9"}]
    for days in range(2, KEPT + 4):
        now = refresh(level, feed, TRAINED + timedelta(days=days)).pointer
        good.write_text(json.dumps([*json.loads(good.read_bytes())[:1], *before]))
    assert {pointer.histories for pointer in read_good(level)} == {now.histories, named.histories}
    assert len(list((level / "histories").iterdir())) == KEPT + 1
    assert digest_of(level / named.histories) == named.histories_digest


def test_once_a_week_they_are_rebuilt_and_what_differs_is_replaced_in_words(level: Path) -> None:
    feed = Feed(level / "shop")
    for days in range(1, 4):
        assert refresh(level, feed, TRAINED + timedelta(days=days), rebuild=True).mended == ""
    carried = gather(feed.through(TRAINED + timedelta(days=4)), TRAINED + timedelta(days=4))
    other = replace(carried, days=carried.days.copy())
    other.days[0] += 1
    anew, told = rebuilt(other, feed, TRAINED + timedelta(days=4))
    assert "differ from rebuilt ones in days" in told
    assert np.array_equal(anew.days, carried.days)

"""A shop grows by later files of the same kind: nothing is read twice, nothing is lost, and each change is told."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from level3_cicd.validate import days_to_validate
from shared.columns import CUSTOMER, NAME, PRODUCT
from shared.dataset.clock import known_through, set_known_through
from shared.dataset.feed import Feed
from shared.errors import CheckFailed, UsageError
from shared.importing import days_added
from shared.importing.days_added import add_days, tell_days
from shared.importing.mapping import Mapping
from shared.importing.shop_import import Source, import_shop
from tests.conftest import write_checkerboard

FIRST = date(2017, 3, 1)


def export(path: Path, days: list[int], price: str = "1,50", products: int = 3) -> Path:
    """A German export of some days after FIRST: semicolons, decimal commas, day first, customers in every row."""
    lines = ["Kunde;Artikel;Datum;Preis;Name"]
    for day in days:
        on = (FIRST + timedelta(days=day)).strftime("%d.%m.%Y")
        lines += [f"{who:03};A{what};{on} 10:00;{price};Ware {what}" for who in range(4) for what in range(products)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A shop of ten days."""
    mapping = Mapping("Kunde", "Artikel", "Datum", price="Preis", name="Name", decimal=",")
    import_shop(Source(export(tmp_path / "all.csv", list(range(10, 20))), mapping), tmp_path / "shop")
    return tmp_path / "shop"


def files(shop: Path) -> dict[str, int]:
    """Each file of a shop, and when it was written."""
    return {str(path.relative_to(shop)): path.stat().st_mtime_ns for path in shop.rglob("*") if path.is_file()}


def test_new_days_are_read_as_the_import_was(tmp_path: Path, shop: Path) -> None:
    before = files(shop)
    added = add_days(export(tmp_path / "new.csv", [20, 21], products=4), shop)
    feed = Feed(shop)
    assert tell_days(added) == ["2 new days, 2017-03-21 to 2017-03-22, 32 rows", "1 new product in the catalogue"]
    assert feed.last_day == date(2017, 3, 22)
    assert feed.day(date(2017, 3, 21))[CUSTOMER].unique().tolist() == ["000", "001", "002", "003"]
    assert feed.day(date(2017, 3, 21))["amount"].unique().tolist() == [1.5]
    assert dict(feed.products()[[PRODUCT, NAME]].to_numpy())["A3"] == "Ware 3"
    assert before.items() - files(shop).items() == {("shop.json", before["shop.json"])}
    assert feed.identity == Feed(shop).identity


def test_the_same_file_twice_changes_nothing(tmp_path: Path, shop: Path) -> None:
    file = export(tmp_path / "new.csv", [20, 21])
    add_days(file, shop)
    before = files(shop)
    again = add_days(file, shop)
    assert (again.known, again.changes, files(shop)) == (True, [], before)
    overlapping = add_days(export(tmp_path / "part.csv", [19, 20]), shop)
    assert overlapping.changes == []
    assert before.items() - files(shop).items() == {("shop.json", before["shop.json"])}  # it remembers the file
    assert tell_days(overlapping) == ["overlaps: 2 days as they were (2017-03-20 to 2017-03-21)"]


def test_a_corrected_day_is_a_new_version_and_the_earlier_one_is_kept(tmp_path: Path, shop: Path) -> None:
    early, day = Feed(shop), date(2017, 3, 15)
    digest, rows = early.digest(early.last_day), early.day(day)
    added = add_days(export(tmp_path / "mended.csv", [14, 20], price="2,50"), shop)
    assert tell_days(added)[1:] == ["2017-03-15 corrected: 12 rows in place of 12"]
    assert added.earliest == day
    late = Feed(shop)
    assert set(late.day(day)["amount"]) == {2.5}
    assert late.matches_record(day)
    assert late.digest(date(2017, 3, 20)) != digest
    pd.testing.assert_frame_equal(early.day(day), rows)
    assert late.about["added"][0]["replaced"][day.isoformat()] == early.about["days"][day.isoformat()]


def test_an_old_file_does_not_undo_a_correction(tmp_path: Path, shop: Path) -> None:
    file = export(tmp_path / "new.csv", [20])
    add_days(file, shop)
    add_days(export(tmp_path / "mended.csv", [20], price="2,50"), shop)
    assert add_days(file, shop).known
    assert set(Feed(shop).day(date(2017, 3, 21))["amount"]) == {2.5}


def test_holes_and_going_back_are_told(tmp_path: Path, shop: Path) -> None:
    added = add_days(export(tmp_path / "new.csv", [5, 23]), shop)
    assert tell_days(added) == [
        "2 new days, 2017-03-06 to 2017-03-24, 24 rows",
        "goes back: 1 day before 2017-03-20 had no rows until now (2017-03-06)",
        "leaves a hole: no rows on 3 days (2017-03-21 to 2017-03-23)",
    ]
    assert Feed(shop).days == sorted(Feed(shop).days)
    assert Feed(shop).first_day == date(2017, 3, 6)


def test_a_dry_run_and_a_refused_file_leave_the_shop_as_it_is(tmp_path: Path, shop: Path) -> None:
    before = files(shop)
    added = add_days(export(tmp_path / "new.csv", [20]), shop, dry_run=True)
    assert len(added.changes) == 1
    american = tmp_path / "american.csv"
    american.write_text("Kunde;Artikel;Datum;Preis;Name\n1;a;03/25/2017;1.50;x\n1;a;03/26/2017;1.50;x\n")
    with pytest.raises(CheckFailed, match="--time-format '%m/%d/%Y'"):
        add_days(american, shop)
    assert files(shop) == before
    assert [path.name for path in tmp_path.glob(".shop*")] == [".shop.lock"]


def test_a_shop_that_was_not_imported_has_no_mapping(tmp_path: Path) -> None:
    write_checkerboard(tmp_path / "shop")
    with pytest.raises(UsageError, match="imported shop"):
        add_days(export(tmp_path / "new.csv", [20]), tmp_path / "shop")


def test_a_kill_before_the_record_leaves_the_shop_as_it_was(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, file = Feed(shop).digest(date.max), export(tmp_path / "new.csv", [14, 20], price="2,50")

    def killed(folder: Path, about: dict) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(days_added, "write_record", killed)
        with pytest.raises(KeyboardInterrupt):
            add_days(file, shop)
    assert Feed(shop).digest(date.max) == digest
    assert set(Feed(shop).day(date(2017, 3, 15))["amount"]) == {1.5}
    assert len(add_days(file, shop).changes) == 2
    assert set(Feed(shop).day(date(2017, 3, 15))["amount"]) == {2.5}


def test_the_clock_goes_on_with_the_days(tmp_path: Path, shop: Path) -> None:
    set_known_through(shop, date(2017, 3, 18))
    add_days(export(tmp_path / "mended.csv", [14], price="2,50"), shop)
    assert known_through(shop) == date(2017, 3, 18)
    add_days(export(tmp_path / "new.csv", [20, 21]), shop)
    assert known_through(shop) == date(2017, 3, 22)


def test_a_catalogue_of_its_own_does_not_grow_by_rows_but_by_a_file(tmp_path: Path) -> None:
    shop, catalogue = tmp_path / "shop", tmp_path / "products.csv"
    catalogue.write_text("id,name\nA0,Null\nA1,Eins\nA2,Zwei\n")
    mapping = Mapping("Kunde", "Artikel", "Datum", price="Preis", decimal=",")
    import_shop(Source(export(tmp_path / "all.csv", [20, 21]), mapping, products=catalogue), shop)
    add_days(export(tmp_path / "new.csv", [22], products=4), shop)
    assert Feed(shop).products()[PRODUCT].tolist() == ["A0", "A1", "A2"]
    catalogue.write_text("id,name\nA3,Drei\nA0,Nichts\n")
    add_days(export(tmp_path / "newer.csv", [23], products=4), shop, products=catalogue)
    assert Feed(shop).products()[NAME].tolist() == ["Nichts", "Eins", "Zwei", "Drei"]


def test_days_that_were_added_before_the_first_run_are_all_validated(tmp_path: Path, shop: Path) -> None:
    add_days(export(tmp_path / "new.csv", list(range(20, 40))), shop)
    feed = Feed(shop)
    looked_at = days_to_validate(feed, feed.last_day, None, (), ())
    assert looked_at[0] == date(2017, 3, 21)
    assert len(looked_at) == 20


def test_adding_reads_the_last_weeks_and_no_more_of_the_history(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.dataset import feed as module

    read: list[Path] = []
    real = module.read_day
    monkeypatch.setattr(module, "read_day", lambda file: read.append(file) or real(file))
    monkeypatch.setattr(days_added, "RECENT_DAYS", 3)
    add_days(export(tmp_path / "new.csv", [20]), shop)
    assert [file.stem for file in read] == ["2017-03-18", "2017-03-19", "2017-03-20"]


def test_a_reader_never_mixes_two_shops(tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.dataset import feed as module
    from shared.errors import Locked

    feed, real = Feed(shop), module.read_day
    assert feed.days
    mapping = Mapping("Kunde", "Artikel", "Datum", price="Preis", name="Name", decimal=",")

    def read_while_another_takes_its_place(file: Path) -> object:
        if not (tmp_path / "aside").exists():
            other = Source(export(tmp_path / "other.csv", list(range(10, 20)), price="9,99"), mapping)
            import_shop(other, shop, replace_shop=True)
        return real(file)

    monkeypatch.setattr(module, "read_day", read_while_another_takes_its_place)
    with pytest.raises(Locked, match="took the place"):
        feed.through(feed.last_day)
    assert set(Feed(shop).through(date(2017, 3, 20))["amount"]) == {9.99}


def test_a_reader_of_a_shop_that_grows_reads_it_as_it_was(tmp_path: Path, shop: Path) -> None:
    feed = Feed(shop)
    before = feed.through(feed.last_day)
    add_days(export(tmp_path / "mended.csv", [14, 20], price="2,50"), shop)
    pd.testing.assert_frame_equal(feed.through(date.max), before)

"""The feed: what it brings for which day."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from shared.columns import CUSTOMER, PRODUCT, TIME, TRANSACTIONS
from shared.dataset.clock import known_through
from shared.dataset.day_files import day_file, digest_rows
from shared.dataset.feed import Feed, open_feed, require_day
from shared.dataset.purchases import purchases, require_purchases
from shared.dataset.writing import building, staged, write_days, write_feed
from shared.errors import CheckFailed, Locked, MlopsError, UsageError
from shared.places import set_aside


def test_the_real_year_is_whole(real_shop: Path) -> None:
    feed = open_feed(real_shop)
    assert (feed.first_day, feed.last_day) == (date(2017, 1, 1), date(2018, 1, 1))
    assert sum(day["rows"] for day in feed.about["days"].values()) == 1_469_307
    assert date(2017, 12, 25) not in feed.days
    assert len(feed.day(date(2017, 12, 25))) == 0
    assert len(feed.day(date(2017, 11, 24))) == 1_869


def test_through_knows_nothing_of_the_next_day(real_shop: Path) -> None:
    known = open_feed(real_shop).through(date(2017, 1, 10))
    assert known[TIME].max() < pd.Timestamp("2017-01-11")
    assert known[TIME].min() >= pd.Timestamp("2017-01-01")


def test_names_can_be_read(real_shop: Path) -> None:
    products = open_feed(real_shop).products().set_index(PRODUCT)
    assert products.loc["1082185", "product_name"] == "Bananas, 40 lb"
    assert not products["product_name"].isna().any()


def test_a_digest_sees_rows_and_not_their_order(transactions: pd.DataFrame) -> None:
    shuffled = transactions.sample(frac=1, random_state=1)
    assert digest_rows(shuffled) == digest_rows(transactions)
    assert digest_rows(transactions.iloc[1:]) != digest_rows(transactions)


def test_the_digest_of_a_range_ends_with_the_range(
    tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame
) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    write_feed(whole, transactions, products, name="whole")
    write_feed(part, transactions[transactions[TIME] < "2017-01-15"], products, name="part")
    day = date(2017, 1, 14)
    assert Feed(whole).digest(day) == Feed(part).digest(day)
    assert Feed(whole).digest(date(2017, 1, 15)) != Feed(part).digest(day)


def test_only_what_was_sold_is_a_purchase(transactions: pd.DataFrame) -> None:
    transactions.loc[0, "quantity"] = 0
    bought = purchases(transactions)
    assert not bought.duplicated([CUSTOMER, PRODUCT]).any()
    assert len(purchases(transactions.iloc[:1])) == 0


def test_nothing_is_learned_from_days_without_a_purchase(transactions: pd.DataFrame) -> None:
    require_purchases(transactions, date(2017, 2, 9))
    with pytest.raises(CheckFailed, match="No purchase is known through 2017-02-09"):
        require_purchases(transactions.assign(quantity=0.0), date(2017, 2, 9))


def read_a_file_that_is_no_longer_there() -> None:
    raise FileNotFoundError


@pytest.mark.parametrize("read", [dict, read_a_file_that_is_no_longer_there])
@pytest.mark.parametrize("rows", [0, 50])
def test_what_is_read_is_of_one_shop_or_not_read(
    rows: int, read: Callable, tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame
) -> None:
    shop = tmp_path / "shop"
    write_feed(shop, transactions, products, name="checkerboard")
    feed = open_feed(shop)
    shutil.rmtree(shop)
    if rows:
        write_feed(shop, transactions.iloc[:rows], products, name="another")
    with pytest.raises(Locked, match="Another shop took the place of 'checkerboard'"), feed.one_shop():
        read()


@pytest.mark.parametrize("touched", [False, True])
def test_a_shop_that_is_the_same_is_read_and_a_readers_own_error_is_told(
    touched: bool, tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame
) -> None:
    shop, record = tmp_path / "shop", tmp_path / "shop" / "shop.json"
    write_feed(shop, transactions, products, name="checkerboard")
    feed = open_feed(shop)
    if touched:
        record.write_text(record.read_text() + "\n")
    with feed.one_shop():
        pass
    with pytest.raises(KeyError), feed.one_shop():
        raise KeyError("the reader's own")


def test_a_shop_is_never_overwritten(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> None:
    write_feed(tmp_path / "shop", transactions, products, name="first")
    with pytest.raises(UsageError, match="already holds a shop"):
        write_feed(tmp_path / "shop", transactions.iloc[:5], products, name="second")
    assert Feed(tmp_path / "shop").about["name"] == "first"


def test_a_day_outside_of_the_feed_is_refused(real_shop: Path) -> None:
    with pytest.raises(UsageError, match="2017-01-01 to 2018-01-01"):
        require_day(open_feed(real_shop), date(2016, 12, 31))


def test_a_kill_while_one_shop_replaces_another_loses_neither(
    tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = tmp_path / "shop"
    write_feed(shop, transactions, products, name="old")

    def killed(folder: Path) -> None:
        set_aside(folder)
        raise KeyboardInterrupt

    monkeypatch.setattr("shared.dataset.writing.set_aside", killed)
    with pytest.raises(KeyboardInterrupt), staged(shop, replace=True) as part:
        write_days(part, [(date(2017, 1, 1), transactions)], products, {"name": "new"})
    assert open_feed(shop).about["name"] == "new"
    assert open_feed(tmp_path / "aside" / "shop-1").about["name"] == "old"


def test_a_replacement_that_a_kill_cut_off_before_its_turn_does_not_come_back(
    tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = tmp_path / "shop"
    write_feed(shop, transactions, products, name="old")
    monkeypatch.setattr("shared.dataset.writing.set_aside", lambda folder: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt), staged(shop, replace=True) as part:
        write_days(part, [(date(2017, 1, 1), transactions)], products, {"name": "new"})
    assert open_feed(shop).about["name"] == "old"
    assert [path.name for path in tmp_path.glob(".shop*")] == [".shop.lock"]


def test_what_is_built_beside_a_shop_is_gone_afterwards_and_begins_empty(tmp_path: Path) -> None:
    for _ in range(2):
        with building(tmp_path / "shop") as part:
            assert list(part.iterdir()) == []
            (part / "file").write_text("half a day")
        assert not part.exists()
    part.mkdir()
    (part / "file").write_text("what a kill left")
    with building(tmp_path / "shop") as part:
        assert list(part.iterdir()) == []


def test_a_days_file_holds_the_columns_of_transactions_and_no_others(
    tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame
) -> None:
    write_feed(tmp_path / "shop", transactions.iloc[20:], products, name="checkerboard")
    file = day_file(tmp_path / "shop", date(2017, 1, 5))
    assert pq.read_schema(file).names == list(TRANSACTIONS)


def test_a_day_that_is_not_as_noted_is_seen(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> None:
    shop = tmp_path / "shop"
    write_feed(shop, transactions, products, name="checkerboard")
    feed, day = open_feed(shop), date(2017, 1, 5)
    file_stamps = feed.file_stamps(day)
    assert feed.matches_record(day)
    file = day_file(shop, day)
    pq.write_table(pq.read_table(file).slice(1), file)
    assert not feed.matches_record(day)
    assert feed.file_stamps(day) != file_stamps
    assert feed.file_stamps(day - timedelta(days=1)) == open_feed(shop).file_stamps(day - timedelta(days=1))


def test_of_several_that_are_the_first_one_prepares_the_shop(
    tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[int] = []

    def read() -> tuple[pd.DataFrame, pd.DataFrame]:
        prepared.append(1)
        return transactions, products

    monkeypatch.setattr("shared.dataset.feed.read_real_year", read)
    with ThreadPoolExecutor(4) as several:
        feeds = list(several.map(open_feed, [tmp_path / "shop"] * 4))
    assert (len(prepared), {len(feed.days) for feed in feeds}) == (1, {40})


@pytest.mark.parametrize(
    ("file", "use"),
    [
        ("shop.json", lambda shop: Feed(shop).days),
        ("shop.json", known_through),
        ("products.parquet", lambda shop: Feed(shop).products()),
    ],
)
def test_a_damaged_file_of_the_shop_is_named(
    tmp_path: Path,
    transactions: pd.DataFrame,
    products: pd.DataFrame,
    file: str,
    use: Callable[[Path], object],
) -> None:
    shop = tmp_path / "shop"
    write_feed(shop, transactions, products, name="checkerboard")
    (shop / file).write_bytes(b"{ damaged")
    with pytest.raises(MlopsError, match=file):
        use(shop)

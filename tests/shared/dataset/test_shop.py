"""A shop's record names its files and says which shop it is; a day's file is what the record says."""

import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.columns import CUSTOMER, PRODUCT, PRODUCTS, TIME, TYPE
from shared.dataset.clock import known_through
from shared.dataset.day_files import SCHEMA, day_file, digest_file, digest_rows, parse_day, read_day
from shared.dataset.feed import Feed, open_feed, require_in_feed, stamp_of
from shared.dataset.purchases import count_products, require_purchases
from shared.dataset.real_year import name_products
from shared.dataset.shop import catalogue_of, file_of, identity, read_shop
from shared.dataset.writing import digest_of_days, take_over, whole, write_day, write_feed
from shared.errors import CheckFailed, IntegrityError, UsageError
from tests.conftest import FIRST_DAY, make_products, make_transactions, write_checkerboard

DAY = FIRST_DAY + timedelta(days=3)


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return write_checkerboard(tmp_path / "shop", days=10)


def test_a_record_names_files_and_later_versions_have_names_of_their_own() -> None:
    about = {"days": {"2017-01-01": {}, "2017-01-02": {"path": "2017-01-02.abc.parquet"}}}
    assert file_of(about, date(2017, 1, 1)) == "2017-01-01.parquet"
    assert file_of(about, date(2017, 1, 2)) == "2017-01-02.abc.parquet"
    assert file_of(about, date(2017, 1, 3)) == "2017-01-03.parquet"
    assert (catalogue_of({}), catalogue_of({"catalogue": "products-2.parquet"})) == (
        "products.parquet",
        "products-2.parquet",
    )


def test_a_shop_is_known_by_what_is_written_or_by_its_name_and_source() -> None:
    assert identity({"identity": "abc", "name": "x"}) == "abc"
    old = {"name": "x", "source": {"file": "a.csv"}}
    assert identity(old) == identity({**old, "days": {"2017-01-01": {}}})
    assert identity(old) != identity({**old, "name": "y"})
    assert identity(old) != identity({**old, "source": None})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"days": []}', '{"days": 0}', "null", "\xff"])
def test_a_record_that_is_none_is_told_with_the_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "shop.json").write_text(content, encoding="latin-1")
    with pytest.raises(IntegrityError, match=r"shop\.json cannot be read") as told:
        read_shop(tmp_path)
    assert "--replace" in str(told.value.fix)


def test_what_is_recorded_of_a_day_is_what_its_file_holds(feed: Feed) -> None:
    entry = feed.about["days"][DAY.isoformat()]
    assert entry["rows"] == len(feed.day(DAY)) == 20
    assert entry["digest"] == digest_rows(feed.day(DAY))
    assert entry["file"] == digest_file(feed.file(DAY))
    assert feed.identity == digest_of_days(feed.about["days"])


def test_days_are_between_both_ends_and_in_order(feed: Feed) -> None:
    found = feed.between(FIRST_DAY + timedelta(days=2), FIRST_DAY + timedelta(days=4))
    assert found[TIME].dt.day.drop_duplicates().tolist() == [3, 4, 5]
    assert len(feed.through(FIRST_DAY)) == 20
    assert feed.through(FIRST_DAY - timedelta(days=1)).empty
    assert feed.days == sorted(feed.days)


def test_days_that_are_left_out_were_never_delivered(feed: Feed) -> None:
    fewer = feed.without([DAY]).without([DAY + timedelta(days=1)])
    assert len(fewer.days) == 8
    assert fewer.day(DAY).empty
    assert feed.without([]) is feed
    assert len(feed.days) == 10
    assert fewer.digest(DAY) != feed.digest(DAY)
    assert fewer.digest(DAY - timedelta(days=1)) == feed.digest(DAY - timedelta(days=1))


def test_what_is_known_is_told_in_words(feed: Feed) -> None:
    assert feed.summary(DAY) == f"80 rows through {DAY}, data {feed.digest(DAY)[:12]}"


def test_distinct_values_of_all_days_are_each_there_once(feed: Feed) -> None:
    found = feed.distinct([CUSTOMER])
    assert sorted(found[CUSTOMER]) == sorted(set(feed.through(feed.last_day)[CUSTOMER]))
    assert found.index.tolist() == list(range(20))
    pairs = feed.distinct([CUSTOMER, PRODUCT])
    assert not pairs.duplicated().any()
    assert len(pairs) > len(found)


def test_a_catalogue_has_a_type_where_the_shop_has_one(tmp_path: Path) -> None:
    typed = make_products().assign(**{TYPE: "fruit", "more": 1})
    write_feed(tmp_path / "shop", make_transactions(days=2), typed, name="typed")
    assert list(open_feed(tmp_path / "shop").products()) == [*PRODUCTS, TYPE]
    plain = write_checkerboard(tmp_path / "plain")
    assert list(plain.products()) == pq.read_schema(plain.catalogue_file).names == list(PRODUCTS)


def test_a_day_outside_is_refused_and_both_ends_are_inside(feed: Feed) -> None:
    for day in (feed.first_day, feed.last_day):
        require_in_feed(feed, day)
    for day in (feed.first_day - timedelta(days=1), feed.last_day + timedelta(days=1)):
        with pytest.raises(UsageError, match="outside of the shop's feed"):
            require_in_feed(feed, day)


def test_a_feed_of_another_format_is_refused(feed: Feed) -> None:
    record = feed.folder / "shop.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"format": 2}))
    with pytest.raises(UsageError, match="was written in format 2; this version reads 1"):
        open_feed(feed.folder)


def test_a_shop_that_was_whole_takes_its_place(feed: Feed) -> None:
    feed.folder.replace(whole(feed.folder))
    assert stamp_of(feed.folder) == ()
    take_over(feed.folder)
    assert len(open_feed(feed.folder).days) == 10
    whole(feed.folder).mkdir()
    take_over(feed.folder)
    assert not whole(feed.folder).exists()
    take_over(feed.folder.with_name("nothing"))


def test_a_day_may_be_set_as_reached_when_a_feed_is_written(tmp_path: Path) -> None:
    write_feed(tmp_path / "shop", make_transactions(days=5), make_products(), name="x", today=DAY)
    assert known_through(tmp_path / "shop") == DAY


def test_a_days_table_has_the_feeds_columns_or_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "2017-01-01.parquet"
    entry = write_day(file, make_transactions(days=1))
    assert entry["rows"] == 20
    assert read_day(file).schema == parse_day(file.read_bytes(), file).schema == SCHEMA
    pq.write_table(pa.table({"a": [1]}), file)
    with pytest.raises(CheckFailed, match=r"2017-01-01\.parquet cannot be read as a day of the feed"):
        read_day(file)
    with pytest.raises(CheckFailed, match="cannot be read as a day"):
        read_day(tmp_path / "nothing.parquet")
    assert day_file(tmp_path, FIRST_DAY) == tmp_path / "days" / "2017-01-01.parquet"


def test_a_file_without_a_noted_digest_is_compared_by_its_rows(feed: Feed) -> None:
    del feed.about["days"][DAY.isoformat()]["file"]
    assert feed.matches_record(DAY)
    feed.about["days"][DAY.isoformat()]["digest"] = "another"
    assert not feed.matches_record(DAY)
    assert feed.matches_record(DAY - timedelta(days=99))


def test_products_that_were_bought_are_counted_once() -> None:
    rows = make_transactions(days=1).assign(quantity=[1.0, 1.0, *[0.0] * 18])
    assert count_products(rows) == 2
    assert count_products(pd.concat([rows, rows])) == 2
    with pytest.raises(CheckFailed, match=r"through 2017-01-01: none of 20 rows has a quantity above 0\."):
        require_purchases(rows.assign(quantity=0.0), FIRST_DAY)
    with pytest.raises(CheckFailed, match=r"No purchase is known through 2017-01-01\."):
        require_purchases(rows.iloc[:0], FIRST_DAY)


def test_names_of_the_real_catalogue_are_made_of_the_finest_kind_and_the_size() -> None:
    raw = pd.DataFrame(
        {
            "product_id": [3, 1, 2],
            "product_type": ["APPLE SAUCE", None, None],
            "product_category": ["SAUCES", "TEA", None],
            "department": ["GROCERY", "GROCERY", "FUEL"],
            "package_size": ["50 OZ", None, ""],
        }
    )
    assert name_products(raw).to_numpy().tolist() == [
        ["1", "Tea", "GROCERY"], ["2", "Fuel", "FUEL"], ["3", "Apple Sauce, 50 oz", "GROCERY"],
    ]  # fmt: skip
    assert name_products(raw).index.tolist() == [0, 1, 2]

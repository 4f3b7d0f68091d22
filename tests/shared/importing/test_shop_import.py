"""A shop's own export becomes a feed; what cannot be used is counted, kept and explained."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.columns import AMOUNT, BASKET, CUSTOMER, DEPARTMENT, NAME, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset.feed import Feed, open_feed
from shared.errors import CheckFailed, MlopsError, UsageError
from shared.importing.mapping import Mapping
from shared.importing.shop_import import Source, describe_shop, import_shop
from shared.importing.spool import QUARANTINE

HEADER = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
RETAIL = Mapping(
    customer="Customer ID",
    product="StockCode",
    time="InvoiceDate",
    basket="Invoice",
    quantity="Quantity",
    price="Price",
    store="Country",
    name="Description",
)
MORNING, NEXT = datetime(2009, 12, 1, 7, 45), datetime(2009, 12, 3, 9, 0)
ROWS: list[list[Any]] = [
    [489434, 85048, "GLASS BALL", 12, MORNING, 6.95, 13085.0, "United Kingdom"],
    [489434, 85048, "GLASS BALL", 2, MORNING, 6.95, 13085.0, "United Kingdom"],
    [489434, "79323P", 'PINK, "COOL" LIGHTS', 1, MORNING, 6.75, 13085.0, "United Kingdom"],
    [489436, 85048, None, 0, NEXT, 0, 13086.0, None],
    ["C489435", "79323P", "PINK LIGHTS", -12, MORNING, 6.75, 13085.0, "France"],
    [489437, "79323P", "PINK LIGHTS", -1, NEXT, 6.75, 13085.0, "France"],
    [489438, "79323P", "PINK LIGHTS", 1, NEXT, 6.75, None, "France"],
    [489439, "79323P", "PINK LIGHTS", 1, None, 6.75, 13087.0, "France"],
]
LEFT_OUT = {"cancelled": 1, "return": 1, "no customer": 1, "time cannot be read": 1}


def write(path: Path, rows: list[list[Any]] = ROWS) -> Path:
    """The rows as a file of the kind that the suffix names."""
    table = pd.DataFrame(rows, columns=HEADER)
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".xlsx":
        table.to_excel(path, index=False)
    else:
        table.astype({"Invoice": str, "StockCode": str}).to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_each_kind_of_file_becomes_the_same_feed(tmp_path: Path, suffix: str) -> None:
    report = import_shop(Source(write(tmp_path / f"retail{suffix}"), RETAIL), tmp_path / "shop", accept_loss=True)
    assert (report.read, report.taken, report.rows, report.days) == (8, 4, 3, 2)
    assert dict(report.left_out) == LEFT_OUT
    feed = open_feed(tmp_path / "shop")
    rows = feed.through(feed.last_day).set_index(PRODUCT).sort_index()
    assert feed.days == [date(2009, 12, 1), date(2009, 12, 3)]
    assert rows.loc["79323P", [CUSTOMER, BASKET, STORE]].tolist() == ["13085", "489434", "United Kingdom"]
    assert rows.loc["85048", QUANTITY].tolist() == [14, 0]
    assert rows.loc["85048", AMOUNT].tolist() == [pytest.approx(97.3), 0]
    assert rows.loc["85048", STORE].tolist() == ["United Kingdom", "unknown"]
    names = feed.products().set_index(PRODUCT)
    assert names[NAME].to_dict() == {"79323P": 'PINK, "COOL" LIGHTS', "85048": "GLASS BALL"}
    assert set(names[DEPARTMENT]) == {"unknown"}


def test_what_is_left_out_is_kept_with_its_reason(tmp_path: Path) -> None:
    import_shop(Source(write(tmp_path / "retail.csv"), RETAIL), tmp_path / "shop", accept_loss=True)
    kept = pd.read_parquet(tmp_path / "shop" / QUARANTINE).set_index("reason")
    assert kept["row"].to_dict() == {"cancelled": 6, "return": 7, "no customer": 8, "time cannot be read": 9}
    assert kept.loc["cancelled", "Quantity"] == "-12"
    assert describe_shop(tmp_path / "shop")["quarantined"] == LEFT_OUT


def test_only_three_columns_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "small.csv"
    file.write_text("who;what;when\nanna;milk;2017-05-01\nanna;milk;2017-05-01\nanna;007;2017-05-02 10:00\n")
    import_shop(Source(file, Mapping("who", "what", "when")), tmp_path / "shop")
    rows = Feed(tmp_path / "shop").between(date(2017, 5, 1), date(2017, 5, 2))
    assert rows[BASKET].tolist() == ["anna 2017-05-01", "anna 2017-05-02"]
    assert rows[[PRODUCT, QUANTITY, AMOUNT]].to_numpy().tolist() == [["milk", 2, 0], ["007", 1, 0]]


def test_the_same_file_again_changes_nothing_and_another_is_refused(tmp_path: Path) -> None:
    shop, source = tmp_path / "shop", Source(write(tmp_path / "retail.csv"), RETAIL)
    first = import_shop(source, shop, accept_loss=True)
    before = {path: path.stat().st_mtime_ns for path in shop.rglob("*")}
    again = import_shop(source, shop)
    assert again.unchanged
    assert (again.left_out, again.rows) == (first.left_out, first.rows)
    assert {path: path.stat().st_mtime_ns for path in shop.rglob("*")} == before
    other = Source(write(tmp_path / "other.csv", ROWS[:2]), RETAIL)
    with pytest.raises(UsageError, match=r"already holds the shop 'retail'.*\n.*--replace"):
        import_shop(other, shop)
    import_shop(other, shop, replace_shop=True)
    assert Feed(shop).about["name"] == "other"
    assert Feed(tmp_path / "aside" / "shop-1").about["name"] == "retail"


def test_a_dry_run_leaves_nothing_behind(tmp_path: Path) -> None:
    report = import_shop(Source(write(tmp_path / "retail.csv"), RETAIL), tmp_path / "home" / "shop", dry_run=True)
    assert (report.taken, report.rows) == (4, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["retail.csv"]


def test_a_catalogue_brings_names_and_departments(tmp_path: Path) -> None:
    catalogue = tmp_path / "products.csv"
    catalogue.write_text("code,department,product name\n85048,GLASS,Ball of glass\n79323P,,\n79323P,X,twice\n")
    import_shop(Source(write(tmp_path / "retail.csv"), RETAIL, products=catalogue), tmp_path / "shop", accept_loss=True)
    products = Feed(tmp_path / "shop").products().to_numpy().tolist()
    assert products == [["79323P", "79323P", "unknown"], ["85048", "Ball of glass", "GLASS"]]


def test_broken_lines_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "small.csv"
    file.write_text("who,what,when\nanna,milk,2017-05-01\nanna,milk\nbert,tea,2017-05-01,1\n")
    report = import_shop(Source(file, Mapping("who", "what", "when")), tmp_path / "shop", accept_loss=True)
    assert dict(report.left_out) == {"2 fields instead of 3": 1, "4 fields instead of 3": 1}
    kept = pd.read_parquet(tmp_path / "shop" / QUARANTINE)
    assert kept[["row", "line"]].to_numpy().tolist() == [[3, "anna,milk"], [4, "bert,tea,2017-05-01,1"]]


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-200])
    return path


def text(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


SMALL = Mapping("who", "what", "when")
TROUBLES: dict[str, tuple[Callable[[Path], Path], Mapping, type[MlopsError], str]] = {
    "no file": (lambda at: at / "none.csv", RETAIL, UsageError, "There is no file"),
    "a folder": (lambda at: at, RETAIL, UsageError, "is a folder"),
    "unknown kind": (lambda at: text(at / "a.doc", b"x"), RETAIL, UsageError, "no known kind"),
    "empty": (lambda at: text(at / "a.csv", b""), RETAIL, CheckFailed, "is empty"),
    "only a header": (lambda at: text(at / "a.csv", b"who,what,when\n"), SMALL, CheckFailed, "No row of a.csv"),
    "missing column": (lambda at: write(at / "a.csv"), SMALL, UsageError, "'who' is not in a.csv.*Customer ID"),
    "column twice": (lambda at: text(at / "a.csv", b"who,who,what,when\n"), SMALL, UsageError, "twice"),
    "not UTF-8": (
        lambda at: text(at / "a.csv", b"who,what,when\nanna,caf\xe9,2017-05-01\n"),
        SMALL,
        CheckFailed,
        "byte 22, in line 2, is 0xe9.*\n.*--encoding",
    ),
    "cut Parquet": (lambda at: cut(write(at / "a.parquet")), RETAIL, CheckFailed, "damaged or cut off"),
    "cut XLSX": (lambda at: cut(write(at / "a.xlsx")), RETAIL, CheckFailed, "damaged or cut off"),
    "no XLSX": (lambda at: text(at / "a.xlsx", b"who,what"), RETAIL, CheckFailed, "damaged or cut off"),
    "open quote": (
        lambda at: text(at / "a.csv", b'who,what,when\nanna,"tea,2017-05-01\nbert,tea,2017-05-01\n'),
        SMALL,
        CheckFailed,
        "A quote",
    ),
    "no readable time": (
        lambda at: text(at / "a.csv", b"who,what,when\nanna,tea,soon\n"),
        SMALL,
        CheckFailed,
        "time cannot be read: 1.*\n.*--time-format",
    ),
    "day or month first": (
        lambda at: text(at / "a.csv", b"who,what,when\nanna,tea,1/2/2017\n"),
        SMALL,
        UsageError,
        r"%d/%m/%Y or as %m/%d/%Y",
    ),
}


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_trouble_with_a_file_is_told(tmp_path: Path, trouble: str) -> None:
    make, mapping, error, told = TROUBLES[trouble]
    with pytest.raises(error, match=told):
        import_shop(Source(make(tmp_path), mapping), tmp_path / "home" / "shop")
    assert {left.name for left in (tmp_path / "home").glob("*")} <= {".shop.lock"}


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    file = text(tmp_path / "a.csv", b"who,what,when\nanna,caf\xe9,2017-05-01\n")
    import_shop(Source(file, SMALL, encoding="latin-1"), tmp_path / "shop")
    assert Feed(tmp_path / "shop").products()[NAME].tolist() == ["café"]


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No encoding is called 'klingon'"):
        import_shop(Source(write(tmp_path / "a.csv"), RETAIL, encoding="klingon"), tmp_path / "shop")


FIELD = st.sampled_from(["", "a", "b", "C1", "1", "1.0", "-2", "0", "x", "2017-05-01", "2017-06-02 10:00", "nan"])


@pytest.mark.thorough
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(FIELD, min_size=5, max_size=6), min_size=1, max_size=12))
def test_no_row_is_lost(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("any")
    lines = ["who,basket,what,when,many", *(",".join(row) for row in rows)]
    (folder / "any.csv").write_text("\n".join([*lines, "anna,b,tea,2017-05-01,1"]) + "\n")
    mapping = Mapping("who", "what", "when", basket="basket", quantity="many")
    report = import_shop(Source(folder / "any.csv", mapping), folder / "shop", accept_loss=True)
    # A line without a single value is no row.
    assert report.read == sum(any(row) for row in rows) + 1 == report.taken + report.left_out.total()
    kept = folder / "shop" / QUARANTINE
    assert report.left_out.total() == (len(pd.read_parquet(kept)) if kept.exists() else 0)
    for day in Feed(folder / "shop").days:
        found = Feed(folder / "shop").day(day)
        assert not found.duplicated([CUSTOMER, BASKET, PRODUCT]).any()
        assert (found[TIME].dt.date == day).all()
        assert (found[QUANTITY] >= 0).all()


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"encoding": "base64"}, "No encoding"),
        ({"separator": ";;"}, "one character"),
        ({"time_format": "%Q"}, "no time format"),
    ],
)
def test_an_option_that_cannot_be_is_refused(tmp_path: Path, option: dict[str, str], complaint: str) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("c,p,t\nanna,milk,2017-01-01 10:00\n")
    mapping = Mapping(customer="c", product="p", time="t", time_format=option.pop("time_format", None))
    with pytest.raises(UsageError, match=complaint):
        import_shop(Source(file, mapping, **option), tmp_path / "shop")

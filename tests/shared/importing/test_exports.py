"""Files of every kind are opened, whatever is odd about their form; a trap is refused before it is sprung."""

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.chart import BarChart

from shared.columns import AMOUNT, CUSTOMER, NAME, PRODUCT, TIME
from shared.dataset.feed import Feed
from shared.errors import CheckFailed, MlopsError, UsageError
from shared.importing import exports
from shared.importing.mapping import Mapping
from shared.importing.report import Report
from shared.importing.shop_import import Source, import_shop
from shared.importing.spool import QUARANTINE

SMALL = Mapping("who", "what", "when", price="unit price")
ROWS = "anna,milk,2017-05-01 10:00,1.10\nbert,tea,2017-05-02 11:00,2.20\n"
HEADER = "who,what,when,unit price"


def imported(tmp_path: Path, content: bytes | str, mapping: Mapping = SMALL, **settings: str) -> pd.DataFrame:
    """The feed's rows of a CSV with this content."""
    file = tmp_path / "a.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    import_shop(Source(file, mapping, **settings), tmp_path / "shop")
    return Feed(tmp_path / "shop").between(date(2017, 1, 1), date(2017, 12, 31))


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{ROWS}",
        f"{HEADER},,,\n" + ROWS.replace("\n", ",,,\n"),
        f"{HEADER}\n" + ROWS.replace("\n", ",,\n"),
        f"{HEADER},note,note\n" + ROWS.replace("\n", ",x,y\n"),
        f"{HEADER},,\n{ROWS}",
        f"sep=;\n{HEADER}\n{ROWS}".replace(",", ";"),
        f'"sep=;"\r\n{HEADER}\r\n{ROWS}'.replace(",", ";"),
        f'who,what,when,"unit\nprice"\n{ROWS}',
        f'who,what,when," unit \r\n price "\n{ROWS}',
        f"\n\n{HEADER}\n{ROWS}\n,,,\n\n",
        f"\ufeff{HEADER}\n{ROWS}",
    ],
)
def test_the_form_of_a_csv_does_not_matter(tmp_path: Path, content: str) -> None:
    rows = imported(tmp_path, content)
    assert rows[CUSTOMER].tolist() == ["anna", "bert"]
    assert rows[AMOUNT].tolist() == [1.1, 2.2]
    assert rows[TIME].dt.hour.tolist() == [10, 11]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("named", [True, False])
def test_a_mark_at_the_beginning_is_no_part_of_a_name(tmp_path: Path, encoding: str, named: bool) -> None:
    mark = "" if encoding in ("utf-8-sig", "utf-16") else "\ufeff"
    content = f"{mark}{HEADER}\n{ROWS}".encode(encoding)
    rows = imported(tmp_path, content, **({"encoding": encoding} if named else {}))
    assert rows[CUSTOMER].tolist() == ["anna", "bert"]


def test_a_mark_that_contradicts_the_named_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mark of utf-8"):
        imported(tmp_path, f"\ufeff{HEADER}\n{ROWS}", encoding="cp1252")


def test_left_out_rows_of_a_file_with_two_columns_of_one_name_are_kept(tmp_path: Path) -> None:
    many = ROWS.replace("\n", ",x,y\n") * 60
    imported(tmp_path, f"{HEADER},note,note\n{many},milk,2017-05-01 10:00,1,left,out\n")
    kept = pd.read_parquet(tmp_path / "shop" / QUARANTINE)
    assert kept[["reason", "note", "note (2)"]].to_numpy().tolist() == [["no customer", "left", "out"]]


def test_a_column_that_is_nearly_named_is_proposed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'unit price', perhaps"):
        imported(tmp_path, f'who,what,when,"unit\nprice"\n{ROWS}', Mapping("who", "what", "when", price="price"))


TYPES: dict[str, dict[str, pa.Array]] = {
    "plain": {},
    "dictionary": {"who": pa.array(["7", "8"]).dictionary_encode(), "what": pa.array(["a", "b"]).dictionary_encode()},
    "decimal": {"unit price": pa.array([Decimal("1.10"), Decimal("2.20")])},
    "date32": {"when": pa.array([date(2017, 5, 1), date(2017, 5, 2)], pa.date32())},
    "date64": {"when": pa.array([date(2017, 5, 1), date(2017, 5, 2)], pa.date64())},
    "large string": {"who": pa.array(["7", "8"], pa.large_string())},
    "nanoseconds": {"when": pa.array([datetime(2017, 5, 1), datetime(2017, 5, 2)], pa.timestamp("ns"))},
    "zones": {
        "when": pa.array([datetime(2017, 5, 1, 9), datetime(2017, 5, 2, 9)], pa.timestamp("us", "Europe/Berlin"))
    },
    "spare lists": {"tags": pa.array([["x"], None]), "more": pa.array([{"a": 1}, {"a": 2}])},
}


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_arrows_types_are_read(tmp_path: Path, kind: str) -> None:
    plain = {
        "who": pa.array([7, 8]),
        "what": pa.array(["a", "b"]),
        "when": pa.array([datetime(2017, 5, 1), datetime(2017, 5, 2)]),
        "unit price": pa.array([1.1, 2.2]),
    }
    pq.write_table(pa.table({**plain, **TYPES[kind]}), tmp_path / "a.parquet")
    report = import_shop(Source(tmp_path / "a.parquet", SMALL), tmp_path / "shop")
    rows = Feed(tmp_path / "shop").between(date(2017, 5, 1), date(2017, 5, 2))
    assert (report.taken, rows[CUSTOMER].tolist(), rows[AMOUNT].tolist()) == (2, ["7", "8"], [1.1, 2.2])


def test_a_column_of_lists_that_is_named_is_refused(tmp_path: Path) -> None:
    table = pa.table({"who": ["a"], "what": [["x", "y"]], "when": [datetime(2017, 5, 1)], "unit price": [1.0]})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UsageError, match=r"'what' of a\.parquet holds lists"):
        import_shop(Source(tmp_path / "a.parquet", SMALL), tmp_path / "shop")


def test_customers_beyond_a_double_stay_apart(tmp_path: Path) -> None:
    numbers = [910000000000000000 + number for number in range(200)]
    table = {"who": pa.array([*numbers, None]), "what": ["a"] * 201, "when": [datetime(2017, 5, 1)] * 201}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    import_shop(Source(tmp_path / "a.parquet", Mapping("who", "what", "when")), tmp_path / "shop")
    assert set(Feed(tmp_path / "shop").day(date(2017, 5, 1))[CUSTOMER]) == {str(number) for number in numbers}


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_a_typed_file_without_a_bad_row_and_chunks_without_one(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 3)
    monkeypatch.setattr(f"shared.importing.{suffix[1:]}_export.CHUNK", 3)
    when = [datetime(2017, 5, 1 + number % 3, 10) for number in range(9)]
    table = pd.DataFrame({"who": range(9), "what": "a", "when": when, "unit price": 1.5, "note": 2.5})
    table.to_parquet(tmp_path / "a.parquet") if suffix == ".parquet" else table.to_excel(
        tmp_path / "a.xlsx", index=False
    )
    assert import_shop(Source(tmp_path / f"a{suffix}", SMALL), tmp_path / "shop").taken == 9


def workbook(path: Path, fill: Callable[[openpyxl.Workbook], object]) -> Path:
    """A workbook that `fill` has filled."""
    book = openpyxl.Workbook()
    fill(book)
    book.save(path)
    return path


def rows_of(sheet: object, *rows: list[object]) -> None:
    """Append rows to a sheet."""
    for row in rows:
        sheet.append(row)  # type: ignore[attr-defined]


def only_a_chart(book: openpyxl.Workbook) -> None:
    """A chart in place of the first sheet."""
    book.create_chartsheet().add_chart(BarChart())
    del book["Sheet"]


def test_a_chart_before_the_table_does_not_matter(tmp_path: Path) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        rows_of(book.active, ["who", "what", "when", "unit\nprice"], ["a", "p", datetime(2017, 5, 1), 1.5])
        book.create_chartsheet(index=0).add_chart(BarChart())

    file = workbook(tmp_path / "a.xlsx", fill)
    assert import_shop(Source(file, SMALL), tmp_path / "shop").taken == 1


BOOKS: dict[str, tuple[Callable[[openpyxl.Workbook], object], str]] = {
    "only a chart": (only_a_chart, "no sheet with a table"),
    "nothing": (lambda book: None, "no header"),
    "dates half read": (
        lambda book: rows_of(
            book.active,
            ["who", "what", "when", "unit price"],
            ["a", "p", datetime(2017, 3, 1, 10), 1],
            ["b", "p", "25/03/2017 10:00", 1],
        ),
        "more than one form",
    ),
    "card numbers typed as numbers": (
        lambda book: rows_of(
            book.active, ["who", "what", "when", "unit price"], [9.1e17, "p", datetime(2017, 3, 1, 10), 1]
        ),
        "rounded by a spreadsheet",
    ),
}


@pytest.mark.parametrize("trouble", sorted(BOOKS))
def test_trouble_with_a_workbook_is_told(tmp_path: Path, trouble: str) -> None:
    fill, told = BOOKS[trouble]
    with pytest.raises(MlopsError, match=told):
        import_shop(Source(workbook(tmp_path / "a.xlsx", fill), SMALL), tmp_path / "shop")


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"])
def test_a_small_workbook_that_unpacks_to_a_gigabyte_is_refused_unread(tmp_path: Path, part: str) -> None:
    file = tmp_path / "a.xlsx"
    workbook(file, lambda book: rows_of(book.active, ["who", "what", "when", "unit price"]))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(part, "w") as packed:
        for _ in range(70):
            packed.write(b" " * (1 << 20))
    with pytest.raises(CheckFailed, match="unpacks to"):
        import_shop(Source(file, SMALL), tmp_path / "shop")


def test_no_text_is_longer_than_a_line_and_none_steers_a_terminal(tmp_path: Path) -> None:
    file, catalogue = tmp_path / "a.csv", tmp_path / "p.csv"
    file.write_text(f"{HEADER},name\nanna,milk,2017-05-01,1,{'x' * 60_000}\nbert,tea,2017-05-01,1,a\x1b[31mb<script>\n")
    mapping = Mapping("who", "what", "when", name="name")
    import_shop(Source(file, mapping), tmp_path / "shop")
    names = Feed(tmp_path / "shop").products().set_index(PRODUCT)[NAME]
    assert len(names["milk"]) == 200
    assert names["tea"] == "a [31mb<script>"
    catalogue.write_text(f"id,name,department\nmilk,{'x' * 60_000},{'y' * 60_000}\n")
    import_shop(Source(file, mapping, products=catalogue), tmp_path / "other", name="z" * 1000)
    feed = Feed(tmp_path / "other")
    assert feed.products().map(len).to_numpy().tolist() == [[4, 200, 200]]
    assert len(feed.about["name"]) == 200


def test_what_later_chunks_tell_counts_for_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    file = tmp_path / "a.csv"
    lines = ["C7,a,x,2017-05-01,1", "8,b,x,2017-05-01,1", *["9,c,x,2017-05-01,1"] * 30, *["C1,d,x,2017-05-01,-1"] * 10]
    file.write_text("\n".join(["inv,who,what,when,qty", *lines]))
    mapping = Mapping("who", "what", "when", basket="inv", quantity="qty")
    report: Report = import_shop(Source(file, mapping), tmp_path / "shop", accept_loss=True)
    assert (report.read, report.taken, dict(report.left_out)) == (42, 31, {"cancelled": 11})
    assert len(pd.read_parquet(tmp_path / "shop" / QUARANTINE)) == 11

"""Files that other people's systems wrote: read as they are meant, or refused in words, and never half read."""

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from shared.columns import AMOUNT, CUSTOMER, NAME, PRODUCT, QUANTITY, TIME
from shared.errors import CheckFailed, UsageError
from shared.importing.mapping import Mapping
from shared.importing.shop_import import Source, import_shop
from tests.shared.importing.files import FEW, HEADER, MAPPING, bring, csv, rows, with_catalogue


@pytest.mark.parametrize(
    "opened",
    [
        ({3: '"17 in. screen'}),  # never closed
        ({3: '"17 in. screen', 9: '"19 in. screen'}),  # closed by the quote of another row
        ({3: '"17 in. screen', 9: 'screen 19"'}),  # closed as if it were meant so
    ],
)
def test_a_quote_that_swallows_rows_is_refused(tmp_path: Path, opened: dict[int, str]) -> None:
    file = csv(tmp_path / "a.csv", rows(name=lambda at: opened.get(at, "Thing")))
    with pytest.raises(CheckFailed, match=r"opened in line 5 of a\.csv is not closed"):
        bring(file)


def test_a_quoted_name_of_several_lines_is_one_name(tmp_path: Path) -> None:
    names = {3: '"Tea,\ngreen"', 9: '"A ""good"" one,\nwith milk,\nand sugar"'}
    report, found = bring(csv(tmp_path / "a.csv", rows(name=lambda at: names.get(at, "Thing"))))
    assert (report.read, len(found)) == (20, 20)


def test_a_quote_that_swallows_a_row_and_is_closed_in_the_next_one_is_refused(tmp_path: Path) -> None:
    header = "cust,prod,time,name,inv,qty,price"
    lines = [
        'a,p1,2017-03-01,"17 in screen,1,1,200.00',
        'b,p2,2017-03-02,Screen 15",2,9,5.00',
        "c,p3,2017-03-03,Mug,3,1,4.00",
    ]
    with pytest.raises(CheckFailed, match=r"opened in line 2 of a\.csv"):
        bring(csv(tmp_path / "a.csv", lines, header))


@pytest.mark.parametrize(
    "text",
    [
        '"Please ring\nHill Road 5, Leeds, LS1, UK, Europe, Earth, Sol, Milky Way"',
        '"{\n ""a"": 1,\n ""b"": [1, 2, 3, 4, 5],\n ""c"": ""x""\n}"',
        '"soft, warm,\nred, blue, green, small, 3, 4"',
    ],
)
def test_a_text_of_several_lines_may_have_as_many_separators_as_a_row(tmp_path: Path, text: str) -> None:
    report, _ = bring(csv(tmp_path / "a.csv", rows(name=lambda at: text if at % 7 == 3 else "Thing")))
    assert report.taken == 20


def test_an_open_quote_before_a_megabyte_is_told_with_its_line(tmp_path: Path) -> None:
    file = csv(tmp_path / "a.csv", rows(30_000, name=lambda at: '"17 in' if at == 39 else "Thing"))
    with pytest.raises(CheckFailed, match=r"opened in line 41 of a\.csv"):
        bring(file)


@pytest.mark.parametrize("many", [0, 100])
def test_one_row_with_a_field_too_many_is_never_taken_as_it_stands(tmp_path: Path, many: int) -> None:
    lines = [f"{line}," for line in rows(many)] + ["C1,P1,2017-03-01,1,5,20,3.50,Screw,"]
    file = csv(tmp_path / "a.csv", lines, header=f"{HEADER},note")
    if many:
        assert dict(bring(file)[0].left_out) == {"9 fields instead of 8": 1}
        return
    with pytest.raises(CheckFailed, match="9 fields instead of 8"):
        bring(file)


@pytest.mark.parametrize(
    "row",
    [
        "C1,P1,soon,A,1,2.95,Thing 1,",  # two columns are not as in whole rows
        "C1,P1,2017-03-01 10:00:00,500,1,2.95,3.50,",  # the last one is not
    ],
)
def test_a_longer_row_that_is_not_as_whole_rows_are_is_left_out(tmp_path: Path, row: str) -> None:
    report, _ = bring(csv(tmp_path / "a.csv", [*rows(60), row]), accept_loss=True)
    assert dict(report.left_out) == {"8 fields instead of 7": 1}


def test_separators_at_the_end_of_all_rows_but_the_first_do_no_harm(tmp_path: Path) -> None:
    lines = [
        f"{line}," if at else line for at, line in enumerate(rows(60, name=lambda at: f"{'Red ' * (at % 3)}thing"))
    ]
    assert bring(csv(tmp_path / "a.csv", lines))[0].taken == 60


def test_separators_at_the_end_of_some_rows_do_no_harm_where_the_rows_are_as_others(tmp_path: Path) -> None:
    lines = [f"{line}," if at > 35 else line for at, line in enumerate(rows(60))]
    assert bring(csv(tmp_path / "a.csv", lines))[0].taken == 60


def test_a_row_that_is_shifted_is_left_out_and_said(tmp_path: Path) -> None:
    lines = [f"{line}," for line in rows(40)]
    lines[7] = "C1,P1,2017-03-01,1,5,20,3.50,Screw,"  # an unquoted comma, and an empty last column
    report, _ = bring(csv(tmp_path / "a.csv", lines, header=f"{HEADER},note"), accept_loss=True)
    assert dict(report.left_out) == {"9 fields instead of 8": 1}


def test_a_separator_at_the_end_of_every_row_does_no_harm(tmp_path: Path) -> None:
    report, _ = bring(csv(tmp_path / "a.csv", [f"{line},," for line in rows()]))
    assert report.taken == 20


def test_a_dash_for_no_cents_is_no_minus(tmp_path: Path) -> None:
    report, found = bring(csv(tmp_path / "a.csv", rows(price=lambda at: "5.-" if at == 3 else "4.95")))
    assert (report.taken, found[AMOUNT].sum()) == (20, pytest.approx(19 * 4.95 + 5))


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (lambda at: f"{1 + at % 25:02}.03.2017 14.37", datetime(2017, 3, 1, 14, 37)),
        (lambda at: f"{1 + at % 25:02}.03.2017 14.37.05", datetime(2017, 3, 1, 14, 37, 5)),
        (lambda at: f"2017-03-{1 + at % 25:02} 02:37 PM", datetime(2017, 3, 1, 14, 37)),
        (lambda at: f"2017-03-{1 + at % 25:02} 14:37:00.250", datetime(2017, 3, 1, 14, 37, 0, 250_000)),
        (lambda at: f"2017-03-{1 + at % 25:02}T14+0{1 + at % 2}", datetime(2017, 3, 1, 14)),
        (lambda at: f"201703{1 + at % 25:02}143700", datetime(2017, 3, 1, 14, 37)),
        (lambda at: f"{31 - at:02}-MAR-17", datetime(2017, 3, 12)),
        (lambda at: f"17-MAR-{31 - at:02}", datetime(2017, 3, 12)),
        (lambda at: f"{1 + at % 25} March 2017 14:37", datetime(2017, 3, 1, 14, 37)),
        (lambda at: f"Wed Mar {1 + at % 25:02} 14:37:00 UTC 2017", datetime(2017, 3, 1, 14, 37)),
    ],
)
def test_times_as_clocks_write_them(tmp_path: Path, times: Callable[[int], str], first: datetime) -> None:
    report, found = bring(csv(tmp_path / "a.csv", rows(time=times)))
    assert (report.taken, found[TIME].min().to_pydatetime()) == (20, first)


def test_a_day_and_a_year_of_two_digits_are_asked_for_where_either_may_be_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="%d-%b-%y or as %y-%b-%d"):
        bring(csv(tmp_path / "a.csv", rows(time=lambda at: f"{1 + at:02}-MAR-17")))


def test_fractions_of_a_second_may_follow_a_comma(tmp_path: Path) -> None:
    file = csv(
        tmp_path / "a.csv", ['C1,P1,"2017-03-01 14:37:00,123"', 'C2,P1,"2017-03-01 14:37:01,000"'], "cust,prod,time"
    )
    _, found = bring(file, FEW)
    assert found[TIME].min().to_pydatetime() == datetime(2017, 3, 1, 14, 37, 0, 123_000)


def test_zones_of_summer_and_winter_are_cut_off_in_words_too(tmp_path: Path) -> None:
    zoned = csv(
        tmp_path / "a.csv", ["C1,P1,01 Mar 2017 09:00:00 +0100", "C1,P1,01 Apr 2017 09:00:00 +0200"], "cust,prod,time"
    )
    _, found = bring(zoned, FEW)
    assert found[TIME].dt.hour.tolist() == [9, 9]


def test_microseconds_are_asked_for_and_read(tmp_path: Path) -> None:
    file = csv(tmp_path / "a.csv", rows(time=lambda at: 1_488_379_020_000_000 + at))
    with pytest.raises(UsageError, match="--time-format us"):
        bring(file)
    _, found = bring(file, Mapping(**{**MAPPING.as_data(), "time_format": "us"}))
    assert found[TIME].min().to_pydatetime() == datetime(2017, 3, 1, 14, 37)


def test_an_infinite_amount_does_not_hide_a_loss(tmp_path: Path) -> None:
    prices = {3: "many", 4: "1e999"}
    file = csv(tmp_path / "a.csv", rows(300, price=lambda at: prices.get(at, "2.95")))
    mapping = Mapping(**{**MAPPING.as_data(), "decimal": ".", "thousands": ""})
    report, _ = bring(file, mapping)
    assert report.amounts["amount cannot be read"] == 0.0
    assert report.shown["amount cannot be read"] == "many"


def test_amounts_of_several_currencies_are_not_added_up(tmp_path: Path) -> None:
    file = csv(tmp_path / "a.csv", rows(price=lambda at: "JPY 350" if at == 3 else "€3.50"))
    with pytest.raises(CheckFailed, match="several currencies: EUR, JPY"):
        bring(file)


def test_one_currency_may_be_written_in_several_ways(tmp_path: Path) -> None:
    ways = ["€ 3.50", "3.50 EUR", "€ -3.50", "€(3.50)"]
    report, _ = bring(csv(tmp_path / "a.csv", rows(100, price=lambda at: ways[at % 2 if at < 96 else at % 4])))
    assert (report.taken, dict(report.left_out)) == (98, {"return": 2})


def test_a_sign_that_several_currencies_use_is_the_one_that_is_named(tmp_path: Path) -> None:
    ways = ["kr 3.50", "3.50 SEK", "3.50 kr."]
    report, _ = bring(csv(tmp_path / "a.csv", rows(30, price=lambda at: ways[at % 3])))
    assert report.taken == 30


def test_a_currency_of_what_is_no_number_does_not_count(tmp_path: Path) -> None:
    report, _ = bring(csv(tmp_path / "a.csv", rows(100, price=lambda at: "total USD" if at == 50 else "€3.50")))
    assert dict(report.left_out) == {"amount cannot be read": 1}


def test_what_is_no_currency_makes_no_number(tmp_path: Path) -> None:
    file = csv(tmp_path / "a.csv", rows(100, price=lambda at: "REF 123" if at == 50 else "€3.50"))
    report, _ = bring(file, accept_loss=True)
    assert report.shown == {"amount cannot be read": "REF 123"}


@pytest.mark.parametrize("column", ["cust", "store"])
def test_identifiers_that_a_spreadsheet_rounded_are_left_out_of_every_column(tmp_path: Path, column: str) -> None:
    many = {"cust": rows(90, cust=lambda at: "-1.5E+10" if at == 3 else "7"), "store": rows(90)}[column]
    lines = [f"{line},{'1.201E+12' if column == 'store' and at == 3 else 's1'}" for at, line in enumerate(many)]
    report, _ = bring(
        csv(tmp_path / "a.csv", lines, header=f"{HEADER},store"), Mapping(**{**MAPPING.as_data(), "store": "store"})
    )
    assert dict(report.left_out) == {"identifier rounded by a spreadsheet or a float": 1}


def test_long_numbers_that_end_in_zeros_are_told_of_typed_columns_too(tmp_path: Path) -> None:
    table = pd.DataFrame({"cust": [4_000_000_000_000_010 + 10 * at for at in range(20)], "prod": "p"})
    table.assign(time=pd.Timestamp("2017-03-01")).to_parquet(tmp_path / "a.parquet")
    report, _ = bring(tmp_path / "a.parquet", FEW)
    assert any("a spreadsheet keeps 15 digits" in note for note in report.notes)


def test_text_that_a_spreadsheet_is_made_to_keep_is_the_text(tmp_path: Path) -> None:
    _, found = bring(csv(tmp_path / "a.csv", rows(cust='"=""0004"""')))
    assert set(found[CUSTOMER]) == {"0004"}


def test_uuids_are_text(tmp_path: Path) -> None:
    names = [uuid.UUID(int=at) for at in range(5)]
    times = pa.array([datetime(2017, 3, 1)] * 5)
    customers = pa.array([name.bytes for name in names], pa.uuid())
    pq.write_table(pa.table({"cust": customers, "prod": pa.array(["p"] * 5), "time": times}), tmp_path / "a.parquet")
    _, found = bring(tmp_path / "a.parquet", FEW)
    assert set(found[CUSTOMER]) == {str(name) for name in names}


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_header_below_a_title_is_found(tmp_path: Path, separator: str) -> None:
    lines = [line.replace(",", separator) for line in [HEADER, *rows()]]
    (tmp_path / "a.csv").write_text("\n".join(["Sales, all shops, March; draft", "", "made on 2017-04-01", *lines]))
    report, found = bring(tmp_path / "a.csv")
    assert (report.taken, set(found[QUANTITY])) == (20, {1.0})
    assert any("2 lines above it" in note for note in report.notes)


def book(path: Path, **sheets: list[list[Any]]) -> Workbook:
    made = Workbook()
    made.remove(made.active)
    for name, cells in sheets.items():
        sheet = made.create_sheet(name)
        for row in cells:
            sheet.append(row)
    made.save(path)
    return made


def cells(first: int = 1, header: str = "cust,prod,time") -> list[list[Any]]:
    days = [datetime(2017, 3, 1) + timedelta(days=at) for at in range(first, first + 5)]
    return [header.split(","), *([f"c{at}", "p", day] for at, day in enumerate(days))]


def test_the_table_is_found_on_whichever_sheet_it_is(tmp_path: Path) -> None:
    empty, readme = [], [["Read me"], ["Sales of March"]]
    book(
        tmp_path / "a.xlsx", Empty=empty, Readme=readme, Jan=[["Sales"], [], *cells()], Feb=cells(10, "Cust,Prod,Time")
    )
    report, found = bring(tmp_path / "a.xlsx", FEW)
    assert (report.taken, found[TIME].dt.day.max()) == (10, 15)
    assert "sheets read: Jan, Feb" in report.notes
    assert "sheets with another header, not read: Empty, Readme" in report.notes


def test_a_sheet_with_the_columns_in_another_order_or_more_of_them_is_the_same_table(tmp_path: Path) -> None:
    moved = [[row[2], row[0], row[1], "more"] for row in cells(20, "cust,prod,time")]
    book(tmp_path / "a.xlsx", Jan=cells(), Feb=moved, Other=[["cust", "prod"], ["c", "p"]])
    report, found = bring(tmp_path / "a.xlsx", FEW)
    assert (report.taken, set(found[PRODUCT]), found[TIME].dt.day.max()) == (10, {"p"}, 25)
    assert "sheets with another header, not read: Other" in report.notes


def test_on_further_sheets_columns_are_found_below_titles_and_by_their_own_case(tmp_path: Path) -> None:
    header = ["cust", "prod", "time", "Price", "price"]
    jan = [["Sales"], header, *([*row, 1, 9] for row in cells()[1:])]
    feb = [["Sales"], ["price", "Price", "Time", "Prod", "Cust"], *([9, 1, *row[::-1]] for row in cells(10)[1:])]
    twice = [["cust", "prod", "prod", "time", "price"], ["c", "p", "q", datetime(2017, 3, 1), 9]]
    book(tmp_path / "a.xlsx", Jan=jan, Feb=feb, Twice=twice)
    report, found = bring(tmp_path / "a.xlsx", Mapping("cust", "prod", "time", price="price"))
    assert (report.taken, set(found[AMOUNT])) == (10, {9.0})
    assert "sheets with another header, not read: Twice" in report.notes


def test_a_hidden_copy_of_a_sheet_is_not_read(tmp_path: Path) -> None:
    made = book(tmp_path / "a.xlsx", Jan=cells(), Copy=cells())
    made["Copy"].sheet_state = "hidden"
    made.save(tmp_path / "a.xlsx")
    report, _ = bring(tmp_path / "a.xlsx", FEW)
    assert report.read == 5
    assert "hidden sheets, not read: Copy" in report.notes


def test_numbers_of_days_count_from_where_the_workbook_says(tmp_path: Path) -> None:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    made = book(tmp_path / "a.xlsx", Jan=[["cust", "prod", "time"], *(["c", "p", 41333 + at] for at in range(5))])
    made.epoch = CALENDAR_MAC_1904
    made.save(tmp_path / "a.xlsx")
    _, found = bring(tmp_path / "a.xlsx", FEW)
    assert found[TIME].min().to_pydatetime() == datetime(2017, 3, 1)


def test_rows_of_a_workbook_are_named_by_their_number_on_its_sheet(tmp_path: Path) -> None:
    table = [*cells(), [None, "p", datetime(2017, 3, 2)]]
    book(tmp_path / "a.xlsx", Jan=[["Sales"], *table])
    report, _ = bring(tmp_path / "a.xlsx", FEW, accept_loss=True)
    assert report.examples == {"no customer": [8]}


def test_days_from_1980_until_today_are_read(tmp_path: Path) -> None:
    today, days = date.today(), {0: "1980-01-01 00:00:00", 1: "1979-12-31 23:59:59"}
    file = csv(tmp_path / "a.csv", rows(time=lambda at: days.get(at, f"{today} 10:00:00")))
    report, found = bring(file, accept_loss=True)
    assert (found[TIME].min().year, found[TIME].max().date(), report.taken) == (1980, today, 19)


@pytest.mark.parametrize(
    ("start", "told"),
    [(b"\x89PNG\r\n", "a picture"), (b"\x1f\x8b\x08\x00", "gzip"), (b"PAR1abc", "Parquet"), (b"PK\x03\x04abc", "ZIP")],
)
def test_what_is_no_text_is_told_by_how_it_begins(tmp_path: Path, start: bytes, told: str) -> None:
    (tmp_path / "a.csv").write_bytes(start)
    with pytest.raises(CheckFailed, match=told):
        bring(tmp_path / "a.csv")


def test_texts_of_two_and_four_bytes_a_character(tmp_path: Path) -> None:
    _, found = bring(csv(tmp_path / "a.csv", rows(), encoding="utf-32"))
    assert len(found) == 20
    with pytest.raises(CheckFailed, match="--encoding utf-16-le"):
        bring(csv(tmp_path / "b.csv", rows(), encoding="utf-16-le"))


def test_one_column_cannot_be_two_things(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'cust' is named as the customer and as the product"):
        bring(csv(tmp_path / "a.csv", rows()), Mapping("cust", "cust", "time"))


def test_a_word_that_is_said_to_stand_for_none_is_no_code(tmp_path: Path) -> None:
    mapping = Mapping(**{**MAPPING.as_data(), "missing": ("NULL",)})
    report, _ = bring(
        csv(tmp_path / "a.csv", rows(cust=lambda at: "NULL" if at == 3 else "C1")), mapping, accept_loss=True
    )
    assert dict(report.left_out) == {"no customer": 1}
    assert not any("taken as codes" in note for note in report.notes)


def test_a_catalogue_is_told_about(tmp_path: Path) -> None:
    report, products = with_catalogue(tmp_path, ["P1,Käse,Food", "P1,Kaese,Food", "P2,Tee,Food", "P9,Brot,Food"])
    assert products.loc["P1", NAME] == "Käse"
    assert any("'id' is the product, 'name' its name, 'group' its department" in note for note in report.notes)
    assert any("the catalogue has 2 of the 7 products that were sold" in note for note in report.notes)
    assert any("names 1 product in several ways" in note for note in report.notes)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["P1,Tea, green,Food", "P2,Tee,Food", "P3,Tee,Food"], "cannot be read, such as 'P1,Tea, green,Food'"),
        (["00001,Tea,Food"], "None of the 7 products that were sold is in the catalogue"),
        ([], "None of the 7 products"),
    ],
)
def test_a_catalogue_that_is_half_read_or_of_another_shop_is_refused(
    tmp_path: Path, lines: list[str], told: str
) -> None:
    with pytest.raises(CheckFailed, match=told):
        with_catalogue(tmp_path, lines)


def test_a_catalogue_has_an_encoding_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(CheckFailed, match="--products-encoding"):
        with_catalogue(tmp_path / "one", ["P1,Käse,Food"], written="cp1252")
    for folder, how in (("two", {"products_encoding": "cp1252"}), ("three", {"encoding": "cp1252"})):
        (tmp_path / folder).mkdir()
        _, products = with_catalogue(tmp_path / folder, ["P1,Käse,Food"], written="cp1252", **how)
        assert products.loc["P1", NAME] == "Käse"
    (tmp_path / "four").mkdir()
    assert with_catalogue(tmp_path / "four", ["P1,Käse,Food"], encoding="cp1252")[1].loc["P1", NAME] == "Käse"


@pytest.mark.parametrize("kind", ["missing", "a folder"])
def test_a_catalogue_that_is_no_file_is_told(tmp_path: Path, kind: str) -> None:
    where = tmp_path if kind == "a folder" else tmp_path / "none.csv"
    with pytest.raises(UsageError):
        import_shop(Source(csv(tmp_path / "a.csv", rows()), MAPPING, products=where), tmp_path / "shop")

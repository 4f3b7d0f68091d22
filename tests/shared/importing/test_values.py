"""Values of any type and any writing are read for what they are: identifiers, numbers, times."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from shared.errors import CheckFailed, UsageError
from shared.importing.catalogue import candidates
from shared.importing.cleaning import estimated, is_left_out, read_numbers
from shared.importing.mapping import Mapping, check_mapping
from shared.importing.numbers import Style, as_numbers
from shared.importing.report import Report
from shared.importing.texts import as_text, is_rounded
from shared.importing.time_forms import is_date
from shared.importing.times import as_times, variants
from tests.shared.importing.files import LATEST, PLAIN, seen

LONG = 910000000000000001

IDENTIFIERS: dict[str, tuple[pa.Array, list[str | None]]] = {
    "whole numbers": (pa.array([1, 2]), ["1", "2"]),
    "beyond a double, with a null": (pa.array([LONG, None, LONG + 1]), [str(LONG), None, str(LONG + 1)]),
    "unsigned": (pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
    "decimal": (pa.array([Decimal(LONG), None], pa.decimal128(38, 0)), [str(LONG), None]),
    "decimal with zeros": (pa.array([Decimal("7.00"), Decimal("7.50")]), ["7", "7.5"]),
    "dictionary": (pa.array(["007", "a", "007"]).dictionary_encode(), ["007", "a", "007"]),
    "run lengths": (pc.run_end_encode(pa.array(["007", "007", "a"])), ["007", "007", "a"]),
    "extension type": (pa.array(["b2c2"], pa.string()).cast(pa.json_(pa.string())), ["b2c2"]),
    "truth": (pa.array([True, None]), ["true", None]),
    "dictionary of numbers": (pa.array([LONG, None]).dictionary_encode(), [str(LONG), None]),
    "large string": (pa.array(["007", None], pa.large_string()), ["007", None]),
    "string view": (pa.array(["007", None], pa.string_view()), ["007", None]),
    "bytes": (pa.array([b"007"]), ["007"]),
    "fixed bytes": (pa.array([b"007"], pa.binary(3)), ["007"]),
    "dates": (pa.array([date(2017, 3, 1)], pa.date32()), ["2017-03-01"]),
    "no finite number": (pa.array([float("inf"), float("nan"), 7.0]), [None, None, "7"]),
    "half floats": (pa.array(np.array([7, 8], np.float16)), ["7", "8"]),
    "doubles with a hole": (pa.array([12345.0, None, 7.5]), ["12345", None, "7.5"]),
    "nothing at all": (pa.nulls(2), [None, None]),
    "codes that look like nothing": (pa.array(["NA", "None", "null", "nan", "0"]), ["NA", "None", "null", "nan", "0"]),
    "zeros and points stay": (pa.array(["007", "7", "7.0", "1.10", "1e5"]), ["007", "7", "7.0", "1.10", "1e5"]),
    "blanks and failed formulas": (pa.array([" a ", "", "  ", "#N/A"]), ["a", None, None, None]),
}


@pytest.mark.parametrize("kind", sorted(IDENTIFIERS))
def test_an_identifier_keeps_every_digit(kind: str) -> None:
    values, read = IDENTIFIERS[kind]
    assert as_text(values).to_pylist() == read


@pytest.mark.parametrize(
    "values",
    [
        pa.array([float(LONG), None]),
        pa.array([2.0**24 + 2], pa.float32()),
        pa.array(["5.01235E+12"]),
        pa.array(["5,01235E+12"]),
        pa.array(["1.2345678901234568e+17"]),
        pa.array(["1.23456789E12"]),
        pa.array(["123456789012345680.0"]),
    ],
)
def test_an_identifier_that_went_through_a_float_is_known_as_such(values: pa.Array) -> None:
    assert is_rounded(as_text(values)[0].as_py())


@pytest.mark.parametrize("text", ["1e5", "1E5", "100000", "5E12X", "12345.0", "910000000000000001"])
def test_an_identifier_that_only_looks_odd_is_none_of_those(text: str) -> None:
    assert not is_rounded(text)


def test_a_zone_that_nobody_knows_is_told() -> None:
    with pytest.raises(CheckFailed, match="Mars"):
        as_times(pa.array([datetime(2017, 5, 1)], pa.timestamp("us", "Mars/Olympus")))


def test_bytes_that_are_no_text_are_told() -> None:
    with pytest.raises(CheckFailed, match="no UTF-8"):
        as_text(pa.array([b"caf\xe9"]))


@pytest.mark.parametrize(
    ("text", "style", "number"),
    [
        ("1234.5", Style(), 1234.5),
        ("1.234,50", Style(",", "."), 1234.5),
        ("1'234.50", Style(".", "'"), 1234.5),
        ("1\u202f234,50", Style(",", " "), 1234.5),
        ("1\u00a0234,50", Style(",", " "), 1234.5),
        ("\u22123", Style(), -3),
        ("5.-", Style(), 5),
        ("5,\u2013", Style(","), 5),
        ("(-3.50)", Style(), -3.5),
        ("-3.50-", Style(), -3.5),
        ("(3.50", Style(), np.nan),
        ("kr 3.50", Style(), 3.5),
        ("(9.22 €)", Style(), -9.22),
        ("9.22 €-", Style(), -9.22),
        ("5.500 KWD", Style(), 5.5),
        ("+-5", Style(), np.nan),
        ("1.250.-", Style(), np.nan),
        ("1.250.-", Style(",", "."), 1250),
        ("bankr 5", Style(), np.nan),
        ("US$3.50", Style(), 3.5),
        ("12,34", Style(".", ","), np.nan),
        ("-3", Style(), -3),
        ("3-", Style(), -3),
        ("(3.50)", Style(), -3.5),
        ("€ 3.50", Style(), 3.5),
        ("3.50 EUR", Style(), 3.5),
        ("1.5E+03", Style(), 1500),
        ("nan", Style(), np.nan),
        ("inf", Style(), np.nan),
    ],
)
def test_numbers_as_people_write_them(text: str, style: Style, number: float) -> None:
    assert as_numbers(pa.array([text]), style)[0] == pytest.approx(number, nan_ok=True)


@pytest.mark.parametrize(
    ("prices", "options"),
    [
        (["10,99", "3,22", "5"], "--decimal ','"),
        (["7,693.00", "9.50", "3.20"], "--decimal '.' --thousands ','"),
        (["9.50", "3.20", "12,614.00"], "--decimal '.' --thousands ','"),
        (["1.234,50", "7,10"], "--decimal ',' --thousands '.'"),
        (["1 234,50", "7,10"], "--decimal ',' --thousands ' '"),
        (["1'234.50", "7.10"], "--decimal '.' --thousands"),
        (["1,250", "12"], "several readings"),
        (["1.250", "12"], "several readings"),
        (["5.850", "9.970"], "several readings"),
        (["5,850", "9,970"], "`--decimal ','` or `--decimal '.' --thousands ','`"),
        (["10,99", "10.99"], "several readings"),
    ],
)
def test_how_numbers_are_written_is_proposed(prices: list[str], options: str) -> None:
    evidence = seen(PLAIN, quantity=["1"] * len(prices), price=prices)
    with pytest.raises(CheckFailed, match="The price is written") as told:
        evidence.resolve(PLAIN, LATEST)
    assert options in str(told.value)


@pytest.mark.parametrize("prices", [["1.5", "20"], ["1.500", "0.250"], ["0.500", "12"], ["1.234", "1234"], [1.5, 2.0]])
def test_numbers_with_one_reading_need_no_option(prices: list[Any]) -> None:
    resolved = seen(PLAIN, price=prices).resolve(PLAIN, LATEST)
    assert resolved.style == Style()


def test_an_option_settles_how_numbers_are_written() -> None:
    for options in ({"decimal": ",", "thousands": "."}, {"thousands": "."}):
        mapping = check_mapping(Mapping("c", "p", "t", price="x", **options))
        assert seen(mapping, price=["1.234,50", "7,10"]).resolve(mapping, LATEST).style == Style(",", ".")
    half = check_mapping(Mapping("c", "p", "t", price="x", decimal="."))
    with pytest.raises(CheckFailed, match="--thousands ','"):
        seen(half, price=["7,693.00", "9.50"]).resolve(half, LATEST)


TIMES: dict[str, tuple[list[Any], str, list[datetime]]] = {
    "ISO": (["2017-03-01 10:00", "2017-03-02T11:00:00Z"], "iso", [datetime(2017, 3, 1, 10), datetime(2017, 3, 2, 11)]),
    "eight digits": ([20170301], "iso", [datetime(2017, 3, 1)]),
    "month first": (["12/1/2010 8:26", "12/13/2010 8:26"], "%m/%d/%Y %H:%M", [datetime(2010, 12, 1, 8, 26)]),
    "day first": (["01.03.2017 10:00", "25.03.2017 10:00"], "%d.%m.%Y %H:%M", [datetime(2017, 3, 1, 10)]),
    "two digits of a year": (["13.04.17", "30.04.17"], "%d.%m.%y", [datetime(2017, 4, 13)]),
    "year first": (["2017/03/01", "2017/03/15 9:00"], "%Y/%m/%d", [datetime(2017, 3, 1), datetime(2017, 3, 15, 9)]),
    "half days": (["13/02/2017 10:00 PM"], "%d/%m/%Y %I:%M %p", [datetime(2017, 2, 13, 22)]),
    "names of months": (["01-Mar-2017 10:00", "15-Apr-2017 11:00"], "%d-%b-%Y %H:%M", [datetime(2017, 3, 1, 10)]),
    "a spreadsheet's days": (["42795.743970", "42796"], "excel", [datetime(2017, 3, 1, 17, 51, 19)]),
    "a spreadsheet's numbers": ([42795.5, None], "excel", [datetime(2017, 3, 1, 12)]),
    "dates by type": ([date(2017, 3, 1)], "iso", [datetime(2017, 3, 1)]),
}


@pytest.mark.parametrize("kind", sorted(TIMES))
def test_times_in_one_form_are_read(kind: str) -> None:
    values, time_format, read = TIMES[kind]
    found = seen(PLAIN, time=values).resolve(PLAIN, LATEST).time_format
    assert str(found).startswith(time_format)
    assert as_times(pa.array(values), found)[: len(read)].tolist() == read


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["2017-03-01 10:00:00", "03/25/2017 13:00"], ["2017-03-01 10:00:00", "03/25/2017 13:00", "%m/%d/%Y"]),
        (["03/25/2017 13:00", "25.03.2017 14:00"], ["%m/%d/%Y", "%d.%m.%Y"]),
        (["13/1/2017", "1/25/2017"], ["only be day first", "only month first"]),
        (["1/3/2017 10:00", "25/01/2017 10:00", "01/02/2017 10:00"], ["no zero", "spreadsheet"]),
        (["42795.5", "25/03/2017"], ["days since 1900", "%d/%m/%Y"]),
    ],
)
def test_times_in_two_forms_are_refused_with_both_readings(values: list[str], told: list[str]) -> None:
    with pytest.raises(CheckFailed, match="more than one form") as refused:
        seen(PLAIN, time=values).resolve(PLAIN, LATEST)
    assert all(part in str(refused.value) for part in told)


def test_times_with_two_readings_are_asked_for() -> None:
    for values, options in ((["1/2/2017"], ["%d/%m/%Y", "%m/%d/%Y"]), (["1488362400"], ["--time-format s"])):
        with pytest.raises(UsageError) as asked:
            seen(PLAIN, time=values).resolve(PLAIN, LATEST)
        assert all(option in str(asked.value) for option in options)


def test_a_stray_text_among_times_is_not_a_form() -> None:
    evidence = seen(PLAIN, time=["2017-03-01 10:00", "soon", "5", None])
    assert evidence.resolve(PLAIN, LATEST).time_format == "iso"


def test_zones_leave_the_clock_of_the_shop() -> None:
    berlin = pa.array(pd.Series(pd.to_datetime(["2017-01-01 23:30"]).tz_localize("Europe/Berlin")))
    assert as_times(berlin).tolist() == [datetime(2017, 1, 1, 23, 30)]
    finer = pa.array([1483311600000000001], pa.timestamp("ns", "Europe/Berlin"))
    assert as_times(finer).tolist() == [datetime(2017, 1, 2)]
    assert as_times(pa.array([1483228800000000001], pa.timestamp("ns"))).tolist() == [datetime(2017, 1, 1)]


@pytest.mark.parametrize(
    ("baskets", "quantities", "mark"),
    [
        (["C1", "C2", "3", "4", "5"], [-1, -2, 1, 1, 1], "C"),
        (["CA-2017-1", "US-2017-2", "CA-2017-3"], [1, 2, 1], ""),
        (["CA-1", "US-2", "CA-3"], [-1, 1, 1], ""),
        (["R7", "S8", "S9", "S10"], [-1, 1, 1, 1], "R"),
        (["C1", "C2", "C3"], [-1, 1, 1], ""),
        (["17", "18"], [-1, 1], ""),
    ],
)
def test_the_mark_of_cancelled_invoices_comes_from_the_data(
    baskets: list[str], quantities: list[int], mark: str
) -> None:
    evidence = seen(PLAIN, basket=baskets, quantity=quantities)
    assert evidence.resolve(PLAIN, LATEST).cancelled == mark


def test_a_column_of_numbers_with_a_hole_loses_its_point_zero() -> None:
    resolved = seen(PLAIN, customer=["13085.0", "", "7.0"]).resolve(PLAIN, LATEST)
    assert resolved.drops_point_zero("customer")
    assert not resolved.drops_point_zero("product")
    mixed = seen(PLAIN, customer=["13085.0", "7"])
    assert not mixed.resolve(PLAIN, LATEST).drops_point_zero("customer")
    assert any("--point-zero drop" in note for note in mixed.notes(mixed.resolve(PLAIN, LATEST)))


def test_a_word_that_far_more_rows_have_than_any_customer_is_asked_for() -> None:
    customers = ["NULL"] * 100 + [f"c{number % 20}" for number in range(100)]
    evidence = seen(PLAIN, customer=customers)
    with pytest.raises(UsageError, match="--missing 'NULL'"):
        evidence.resolve(PLAIN, LATEST)
    for words in ((), ("NULL",)):
        mapping = Mapping("c", "p", "t", missing=words)
        assert evidence.resolve(mapping, LATEST).missing == words


def test_few_rows_with_such_a_word_are_codes_and_said() -> None:
    evidence = seen(PLAIN, customer=["NA", "None", "7", "8"])
    resolved = evidence.resolve(PLAIN, LATEST)
    assert resolved.missing is None  # a later file is asked about, too
    assert any("'NA' (1), 'None' (1) taken as codes" in note for note in evidence.notes(resolved))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"decimal": ";"}, "no decimal sign"),
        ({"thousands": "12"}, "does not separate"),
        ({"decimal": ",", "thousands": ","}, "cannot be both"),
        ({"leave_out": "("}, "no expression"),
    ],
)
def test_settings_that_cannot_be_are_refused(options: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        check_mapping(Mapping("c", "p", "t", **options))


@pytest.mark.parametrize("values", [pa.array([date(2017, 3, 1)]), pa.array([True])], ids=["a day", "a truth"])
def test_what_is_no_number_is_none(values: pa.Array) -> None:
    assert np.isnan(as_numbers(values)).all()


def test_an_amount_is_read_from_its_own_column_before_it_is_made_from_a_price() -> None:
    columns = {name: pa.array([text]) for name, text in (("time", "x"), ("amount", "7.5"), ("price", "1"))}
    assert read_numbers(columns, PLAIN)["amount"].tolist() == [7.5]
    unreadable = {"time": pa.array(["x", "x"]), "amount": pa.array(["7.5 each", "3"])}
    worth = estimated(unreadable, PLAIN, {"amount": np.array([np.nan, 3.0])})
    assert worth[1] == 3.0


def test_seconds_since_1970_are_times() -> None:
    read = as_times(pa.array([1488362400, -1]), "s", PLAIN.style)
    assert read[0] == np.datetime64("2017-03-01T10:00:00", "ms")
    assert np.isnat(read[1])


def test_a_format_that_begins_with_the_time_of_day_has_no_variants() -> None:
    assert variants("%H:%M %d.%m.%Y") == ["%H:%M %d.%m.%Y"]


@pytest.mark.parametrize(("year", "read"), [("68", 2068), ("69", 1969), ("17", 2017)])
def test_years_of_two_digits_are_read_as_strptime_has_them(year: str, read: int) -> None:
    assert pd.to_datetime(f"01.03.{year}", format="%d.%m.%y").year == read
    assert is_date(("01", "03", year), "day first", date(read, 3, 1))
    assert not is_date(("01", "03", year), "day first", date(read, 2, 28))


def test_a_column_in_several_pieces_is_read_whole() -> None:
    pieces = pa.chunked_array([["1,5", None], ["x", "1 234,50"]])
    assert as_numbers(pieces, Style(",", " ")).tolist() == pytest.approx([1.5, np.nan, np.nan, 1234.5], nan_ok=True)
    assert as_text(pieces).to_pylist() == ["1,5", None, "x", "1 234,50"]
    assert as_text(pa.chunked_array([["a"]])).to_pylist() == ["a"]


def test_a_row_without_a_product_is_not_left_out_as_none() -> None:
    mapping = Mapping("c", "p", "t", leave_out="post.*")
    products, called = pa.array(["POST", "85048", None]), pa.array([None, "Postage", None], pa.string())
    assert is_left_out(products, called, mapping).tolist() == [True, True, False]


def test_of_the_rows_that_are_left_out_three_are_shown() -> None:
    report = Report()
    for first in (1, 3, 5):
        report.add(np.array(["no customer"] * 2), np.zeros(2), np.arange(first, first + 2))
    assert (report.examples, report.left_out) == ({"no customer": [1, 2, 3]}, {"no customer": 6})


def test_where_few_products_have_digits_one_without_is_nothing_special() -> None:
    words = Counter({("TEA", "Tea"): 3, ("MUG", "Mug"): 3, ("P1", "Cup"): 3, ("P2", "Pot"): 1})
    assert candidates(words) == []
    assert candidates(Counter({("P1", "Cup"): 9, ("MUG", "Mug"): 3})) == []
    numbered = Counter({(f"P{at}", f"Cup {at}"): 9 for at in range(10)})
    assert candidates(numbered + Counter({("MUG", "Mug"): 3})) == ["MUG 'Mug' (3 rows)"]

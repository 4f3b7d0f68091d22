"""Each form in which times are written is told from its neighbours, and what has no single reading is asked for."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from shared.errors import CheckFailed, UsageError
from shared.importing.texts import to_series
from shared.importing.time_forms import TimeForms, clock_format, counted_form, date_part, form_of, word_formats
from shared.importing.times import format_times
from tests.shared.importing.files import LATEST


def forms(*texts: str | None, first: int = 1) -> TimeForms:
    """What a column of texts looks like, whose first row has this number."""
    found = TimeForms()
    found.look(pa.array(texts, pa.string()), np.arange(first, first + len(texts)))
    return found


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1.2.2017", ".a long"),
        ("01/02/17 10:00", "/a short"),
        ("2017/1/2", "/y long"),
        ("2017-01-02x", "-y long"),
        ("123/1/2017", "other"),
        ("1/2/201", "other"),
        ("2017/1/201", "other"),
        ("20170301100000", "in one"),
        ("19890301100000", "in one"),
        ("19790301100000", "other"),
        ("20000", "excel days"),
        ("80000", "excel days"),
        ("42795,5", "excel days"),
        ("19999", "other"),
        ("80001", "other"),
        ("310000000", "seconds"),
        ("4200000001", "other"),
        ("1488362400000", "milliseconds"),
        ("1488362400000000", "microseconds"),
        ("1488362400000000000", "nanoseconds"),
        ("1 Mar 2017 10:00", "words 9 A 9 9"),
        ("Mar", "other"),
        ("1 ab 2017", "other"),
    ],
)
def test_the_form_of_a_text(text: str, form: str) -> None:
    assert form_of(text)[0] == form


def test_sizes_of_counted_times_do_not_overlap() -> None:
    sizes = [(3.1e8, "seconds"), (4.2e9, "seconds"), (3.1e11, "milliseconds"), (4.2e12, "milliseconds")]
    sizes += [(3.1e14, "microseconds"), (4.2e15, "microseconds"), (3.1e17, "nanoseconds"), (4.2e18, "nanoseconds")]
    assert [counted_form(size) for size, _ in sizes] == [form for _, form in sizes]
    assert {counted_form(size * 1.001) for size, _ in sizes[1::2]} == {"other"}
    assert {counted_form(size * 0.999) for size, _ in sizes[::2]} == {"other"}


def test_rows_of_a_form_are_counted_and_the_first_one_is_shown() -> None:
    found = forms("25.03.2017", None, "25.03.2017 10:00", "soon", "26.03.2017", first=8)
    found.look(pa.array(["24.03.2017", "27.03.2017"]), np.array([3, 4]))
    seen = found.forms[".a long"]
    assert (seen.rows, seen.row, seen.example) == (5, 3, "24.03.2017")
    assert found.forms["other"].rows == 1


def test_times_by_type_and_as_text_are_one_form() -> None:
    found = forms("2017-03-01 10:00")
    found.look(pa.array([date(2017, 3, 2), None]), np.array([2, 3]))
    assert (found.forms["typed"].rows, found.forms["typed"].example) == (1, "2017-03-02 00:00:00.000")
    assert found.resolve(LATEST) == "iso"


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (["13/02/2017"], "%d/%m/%Y"),
        (["02/13/2017"], "%m/%d/%Y"),
        (["2017/13/02", "2017/14/02"], None),
        (["20170301100000"], "%Y%m%d%H%M%S"),
        (["42795.5"], "excel"),
        (["13/02/2017 2:05 PM"], "%d/%m/%Y %I:%M %p"),
        (["Mar 13, 2017"], "%b %d, %Y"),
        (["13Mar2017"], "%d%b%Y"),
        (["soon"], None),
        ([None], None),
        (["2017-03-01 10:00", "5 apples"], "iso"),
    ],
)
def test_times_with_one_reading(texts: list[str | None], read: str | None) -> None:
    assert forms(*texts).resolve(LATEST) == read


def test_a_workbook_may_count_from_1904() -> None:
    found = forms("41333.5")
    found.from_1904 = True
    assert found.resolve(LATEST) == "excel-1904"


@pytest.mark.parametrize(
    ("text", "unit"),
    [("1488362400", "s"), ("1488362400000", "ms"), ("1488362400000000", "us"), ("1488362400000000000", "ns")],
)
def test_numbers_since_1970_are_asked_for(text: str, unit: str) -> None:
    with pytest.raises(UsageError) as asked:
        forms(text).resolve(LATEST)
    assert asked.value.fix == f"Pass --time-format {unit}, if so."


def test_days_to_come_decide_between_two_readings() -> None:
    assert forms("03/04/2017").resolve(date(2017, 3, 31)) == "%m/%d/%Y"
    with pytest.raises(UsageError, match="can be read as %d/%m/%Y or as %m/%d/%Y"):
        forms("03/04/2017").resolve(date(2017, 4, 30))


def test_the_order_that_reads_most_rows_counts() -> None:
    assert forms("13/02/2017", "14/02/2017", "01/32/2017").resolve(LATEST) == "%d/%m/%Y"


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["13/1/2017", "1/25/2017"], "'13/1/2017' can only be day first, '1/25/2017' only month first"),
        (["1/13/2017", "01/14/2017"], "'1/13/2017' has no zero before its numbers and '01/14/2017' has"),
        (["13/1/2017", "14/01/2017"], "'13/1/2017' has no zero before its numbers and '14/01/2017' has"),
    ],
)
def test_dates_that_contradict_each_other_are_shown(texts: list[str], told: str) -> None:
    with pytest.raises(CheckFailed) as refused:
        forms(*texts).resolve(LATEST)
    assert told in str(refused.value)


def test_zeros_before_all_small_numbers_or_before_none_are_one_form() -> None:
    assert forms("13/01/2017", "14/10/2017").resolve(LATEST) == "%d/%m/%Y"
    assert forms("13/1/2017", "14/10/2017").resolve(LATEST) == "%d/%m/%Y"
    assert forms("2017/01/13", "2017/02/14").resolve(LATEST) == "%Y/%m/%d"


def test_two_forms_are_told_with_their_rows_and_readings() -> None:
    with pytest.raises(CheckFailed) as refused:
        forms("2017-03-01", "13.02.2017", "14.02.2017", "42795.5", first=7).resolve(LATEST)
    assert str(refused.value).startswith(
        "The times are written in more than one form, and no reading is right for all: "
        "1 row such as row 7, '2017-03-01' (a date, or year first as ISO 8601 has it); "
        "2 rows such as row 8, '13.02.2017' (%d.%m.%Y); 1 row such as row 10, '42795.5' (days since 1900)."
    )


@pytest.mark.parametrize(
    ("texts", "known", "otherwise"),
    [
        (["13.02.2017"], "%d.%m.%Y %H:%M", False),
        (["13.02.2017"], "iso", True),
        (["13.02.2017", "2017-03-01"], "%d/%m/%Y", False),
        (["01.02.2017"], "%m.%d.%Y", False),
        (["soon"], "iso", False),
    ],
)
def test_whether_all_times_have_another_form_than_before(texts: list[str], known: str, otherwise: bool) -> None:
    assert forms(*texts).only_otherwise(known, LATEST) == otherwise


@pytest.mark.parametrize(
    ("rest", "clock"),
    [
        ("T14:00", "T%H:%M"),
        (", 14:00:10", ", %H:%M:%S"),
        (" 14:00:10.5", " %H:%M:%S.%f"),
        (" 14:00:10,5", " %H:%M:%S.%f"),
        (" 14:00:10+02:00", " %H:%M:%S"),
        (" 14.00.10", " %H.%M.%S"),
        (" 2PM", " %I%p"),
        (" 14", " %H"),
        (" 14:00 sharp", ""),
        ("14:00", ""),
    ],
)
def test_the_time_of_day_after_a_date(rest: str, clock: str) -> None:
    assert clock_format(rest) == clock


def test_a_date_is_what_stands_before_the_time_of_day() -> None:
    assert [date_part(form) for form in ("%d.%m.%YT%H:%M", "%m/%d/%y, %I:%M %p", "s")] == ["%d.%m.%Y", "%m/%d/%y", "s"]


def test_formats_of_months_that_read_alike_are_one_and_those_to_come_are_none() -> None:
    assert word_formats(["13 Mar 2017 10:00", "14 Apr 2017 11:00"], LATEST) == ["%d %b %Y %H:%M"]
    assert word_formats(["13 Mar 2017"], date(2017, 3, 12)) == []
    assert word_formats(["13 Mar 2017"], date(2017, 3, 13)) == ["%d %b %Y"]
    read = format_times(to_series(pa.array(["13-Mar-17", "soon"])), word_formats(["13-Mar-17", "14-Mar-17"], LATEST)[0])
    assert np.isnat(read).tolist() == [False, True]

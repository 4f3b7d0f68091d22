"""What is taken for what, and from how much evidence on: one row less, and it is not."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from shared.errors import CheckFailed, UsageError
from shared.importing.evidence import Evidence, Identifiers, Invoices, tell_time
from shared.importing.mapping import Mapping
from tests.shared.importing.files import LATEST, PLAIN, seen

LONG = 1_234_567_890_123_450


def identifiers(*chunks: list[Any]) -> Identifiers:
    """What chunks of one column look like."""
    column = Identifiers()
    for values in chunks:
        column.look(pa.array(values))
    return column


def test_rows_of_texts_are_counted_over_all_chunks() -> None:
    column = identifiers(["7.0", "7.0", " a ", None, "NA"], ["8.0", "8.5", "NA", "?"])
    assert (column.text, column.point_zero, column.blanks) == (8, 3, 1)
    assert column.doubtful == {"NA": 2, "?": 1}
    assert not column.all_end_in_zero


def test_what_is_a_number_by_its_type_has_nothing_to_cut_off() -> None:
    column = identifiers([7.0, 8.0, None])
    assert (column.text, column.point_zero, column.blanks) == (0, 0, 0)
    assert not column.all_end_in_zero
    assert column.notes() == []


@pytest.mark.parametrize(("word", "most_others", "suspected"), [(20, 1, 0), (21, 4, 21), (25, 5, 0), (26, 5, 26)])
def test_a_word_is_suspected_from_21_rows_on_and_five_times_those_of_any_other(
    word: int, most_others: int, suspected: int
) -> None:
    column = identifiers(["NULL"] * word + ["7"] * most_others + ["8"])
    assert column.suspected["NULL"] == suspected
    assert identifiers(["NULL"] * 21, ["NULL"] * 22).suspected == {"NULL": 43}


def test_notes_tell_how_many_and_what_to_pass() -> None:
    column = identifiers([" a", "b ", "7.0", "8", "NA", "NA", "-"])
    assert column.notes() == [
        "blanks around 2 values were cut off",
        "1 value such as 7.0 kept as written (--point-zero drop reads 7)",
        "'NA' (2), '-' (1) taken as codes (--missing WORD if one stands for nothing)",
    ]
    assert column.notes(("NA",))[-1].startswith("'-' (1) taken")
    assert len(column.notes(("NA", "-"))) == 2


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([LONG + 10 * at for at in range(10)], True),
        ([LONG + 10 * at for at in range(9)], False),
        ([*(LONG + 10 * at for at in range(10)), LONG + 1], False),
        ([LONG // 10 + at for at in range(20)], False),
    ],
    ids=["ten", "nine", "another digit", "fifteen digits"],
)
def test_ten_long_numbers_that_all_end_in_zero_lost_their_digits(numbers: list[int], told: bool) -> None:
    notes = identifiers([str(number) for number in numbers]).notes()
    assert [note.startswith("all numbers of 16 digits and more") for note in notes] == [True] * told


def invoices(*rows: tuple[str | None, float]) -> Invoices:
    """Lines of invoices."""
    lines = Invoices()
    lines.look(pa.array([basket for basket, _ in rows]), pa.array([quantity for _, quantity in rows]))
    return lines


@pytest.mark.parametrize(
    ("negative", "positive", "others", "mark"),
    [(9, 1, 11, "C"), (8, 2, 20, ""), (9, 1, 10, ""), (9, 1, 9, ""), (17, 2, 30, ""), (18, 2, 30, "C")],
)
def test_nine_of_ten_lines_must_be_negative_and_fewer_than_half_of_all_lines(
    negative: int, positive: int, others: int, mark: str
) -> None:
    lines = invoices(*[("C1", -1.0)] * negative, *[("C2", 1.0)] * positive, *[("3", 1.0)] * others, (None, 1.0))
    assert lines.lines == negative + positive + others
    assert (lines.all["C"], lines.negative["C"]) == (negative + positive, negative)
    assert lines.cancelled() == mark


def test_what_marked_cancelled_invoices_is_contradicted_by_sales() -> None:
    assert invoices(("C1", 1.0), ("2", 1.0)).contradict("C")
    assert not invoices(("C1", -1.0), ("2", 1.0)).contradict("C")
    assert not invoices(("2", 1.0)).contradict("C")
    assert not invoices(("C1", 1.0)).contradict("")


def test_invoices_of_several_chunks_are_one_column() -> None:
    lines = Invoices()
    for basket, quantity in (("C1", -1), ("2", 1), ("3", 1), ("C4", -1)):
        lines.look(pa.array([basket]), pa.array([quantity]))
    assert (lines.lines, lines.all["C"], lines.negative["C"]) == (4, 2, 2)


def looked(mapping: Mapping, **columns: list[Any]) -> Evidence:
    """Evidence of two rows."""
    return seen(mapping, **{"basket": ["C1", "2"], "quantity": [-1, 1], **columns})


def test_what_was_said_is_not_looked_for_unless_it_had_been_found() -> None:
    said = Mapping("c", "p", "t", basket="b", quantity="q", time_format="iso", cancelled="")
    assert (looked(said).times.forms, looked(said).invoices.lines) == ({}, 0)
    found = Mapping(
        "c", "p", "t", basket="b", quantity="q", time_format="iso", cancelled="", found=("cancelled", "time_format")
    )
    assert (set(looked(found).times.forms), looked(found).invoices.lines) == ({"iso"}, 2)
    assert looked(PLAIN).invoices.lines == 2


def test_without_quantities_the_sign_of_the_amount_counts() -> None:
    mapping = Mapping("c", "p", "t", basket="b", amount="a")
    evidence = seen(mapping, basket=["C1", "2", "3"], amount=[-1.0, 1.0, 1.0])
    assert evidence.resolve(mapping, LATEST).cancelled == "C"
    both = seen(mapping, basket=["C1", "2", "3"], quantity=[1, 1, 1], amount=[-1.0, 1.0, 1.0])
    assert both.resolve(mapping, LATEST).cancelled == ""


def test_what_is_found_in_the_first_file_is_noted_to_be_looked_at_anew() -> None:
    assert looked(PLAIN).resolve(PLAIN, LATEST).found == ("cancelled", "time_format")
    said = Mapping("c", "p", "t", cancelled="")
    assert looked(said).resolve(said, LATEST).found == ("time_format",)


def test_a_point_zero_that_was_said_stays_said_and_one_that_was_dropped_is_dropped() -> None:
    for said in ("keep", "drop"):
        mapping = Mapping("c", "p", "t", point_zero=said)
        assert seen(mapping, customer=["7.0", "8"]).resolve(mapping, LATEST).point_zero == said
    before = Mapping("c", "p", "t", point_zero={"customer": "drop", "product": "keep"})
    assert seen(before, customer=["7", "8"]).resolve(before, LATEST).point_zero == {
        "customer": "drop",
        "product": "keep",
    }


@pytest.mark.parametrize("what", ["customer", "product"])
def test_nobody_is_asked_for_with_the_rows(what: str) -> None:
    evidence = seen(PLAIN, **{what: ["null"] * 30 + list("abcdef")})
    with pytest.raises(UsageError, match=f"30 rows name the {what} 'null', far more than any other"):
        evidence.resolve(PLAIN, LATEST)


def test_a_later_file_with_times_of_another_form_is_refused_with_both() -> None:
    before = Mapping("c", "p", "t", time_format="%d.%m.%Y", found=("time_format",))
    with pytest.raises(CheckFailed, match=r"written as ISO 8601; before they were %d\.%m\.%Y") as told:
        seen(before, time=["2017-03-25"]).resolve(before, LATEST)
    assert told.value.fix == "Pass --time-format 'iso', if so."
    assert seen(before, time=["25.03.2017"]).resolve(before, LATEST).time_format == "%d.%m.%Y"


def test_a_later_file_whose_cancellations_are_sales_is_asked_about() -> None:
    before = Mapping("c", "p", "t", basket="b", quantity="q", cancelled="C", found=("cancelled",))
    with pytest.raises(UsageError, match=r"of 2 lines of this file that begin so, 1 are negative"):
        seen(before, basket=["C1", "C2", "3"], quantity=[-1, 1, 1]).resolve(before, LATEST)
    assert seen(before, basket=["C1", "3"], quantity=[-1, 1]).resolve(before, LATEST).cancelled == "C"


@pytest.mark.parametrize(
    ("before", "prices", "now"),
    [
        ("", ["€ 3", "€ 4"], "EUR"),
        ("EUR", ["3", "4"], "EUR"),
        ("", ["3", "4"], ""),
        ("USD", ["$ 3", "4"], "$"),
        ("", ["$ 3", "USD 4"], "USD"),
    ],
)
def test_the_currency_is_the_one_that_amounts_name(before: str, prices: list[str], now: str) -> None:
    mapping = Mapping("c", "p", "t", price="x", quantity="q", currency=before)
    assert seen(mapping, price=prices, quantity=["1", "1"]).resolve(mapping, LATEST).currency == now


def test_a_later_file_in_another_currency_is_refused_and_a_quantity_has_none() -> None:
    mapping = Mapping("c", "p", "t", price="x", quantity="q", currency="EUR")
    with pytest.raises(CheckFailed, match=r"several currencies: EUR, USD, of which the shop's was EUR before"):
        seen(mapping, price=["USD 3"]).resolve(mapping, LATEST)
    with pytest.raises(CheckFailed, match=r"several currencies: EUR, USD\."):
        seen(PLAIN, price=["USD 3", "EUR 3"]).resolve(PLAIN, LATEST)
    assert seen(mapping, quantity=["USD 3"], price=["EUR 3"]).currencies() == {"EUR"}


def test_what_was_taken_for_what_is_told() -> None:
    mapping = Mapping("c", "p", "t", basket="b", quantity="q", price="x")
    evidence = seen(
        mapping,
        customer=["7.0", "8.0", "9.0"],
        basket=["C1", "2", "3"],
        quantity=["-1", "1", "2"],
        price=["2", "2", "3"],
    )
    assert evidence.notes(evidence.resolve(mapping, LATEST)) == [
        "time: ISO 8601",
        "numbers: --decimal '.'",
        "cancelled invoices: those that begin with 'C' (1 line, 1 of them negative)",
        "customer: each ends in .0, and is read without it (--point-zero keep keeps it)",
    ]
    plain = Mapping("c", "p", "t")
    few = seen(plain, time=["2017-03-01"])
    assert few.notes(few.resolve(plain, LATEST)) == ["time: ISO 8601"]
    none = Mapping("c", "p", "t", basket="b", cancelled="X")
    assert "cancelled invoices: those that begin with 'X'" in Evidence().notes(none)
    assert "cancelled invoices: none are marked" in Evidence().notes(Mapping("c", "p", "t", basket="b"))


def test_forms_of_times_in_words() -> None:
    assert tell_time("excel").startswith("days since 1900")
    assert tell_time("excel-1904").startswith("days since 1904")
    assert tell_time("%d/%m/%Y") == "%d/%m/%Y"


def test_rows_keep_their_numbers_in_what_is_told_of_times() -> None:
    evidence = Evidence()
    columns = {name: pa.array(["a", "b"]) for name in ("customer", "product")}
    evidence.look({**columns, "time": pa.array(["2017-03-25", "25.03.2017"])}, np.array([41, 42]), PLAIN)
    with pytest.raises(CheckFailed, match=r"row 42, '25\.03\.2017'"):
        evidence.resolve(PLAIN, LATEST)

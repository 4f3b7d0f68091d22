"""How a column's numbers are written is told from all of them, and what names a currency is a number all the same."""

import numpy as np
import pyarrow as pa
import pytest

from shared.importing.numbers import (
    PLAIN,
    STYLES,
    Numbers,
    Style,
    as_numbers,
    currency,
    joint_readings,
    lenient,
    lenient_numbers,
    parse,
    same,
    several,
)

COMMA, THOUSANDS, GERMAN = Style(","), Style(".", ","), Style(",", ".")


def column(*texts: str | None) -> Numbers:
    """What a column of texts looks like."""
    found = Numbers()
    found.look(pa.array(texts, pa.string()))
    return found


@pytest.mark.parametrize(
    ("text", "style", "number"),
    [
        ("1.234.567,8", GERMAN, 1234567.8),
        ("1.23.567", GERMAN, np.nan),
        ("01.234", GERMAN, np.nan),
        ("1234.567", GERMAN, np.nan),
        (".5", PLAIN, 0.5),
        ("5.", PLAIN, 5),
        (",5", COMMA, 0.5),
        ("1e3", PLAIN, 1000),
        ("1e", PLAIN, np.nan),
        ("", PLAIN, np.nan),
        ("-", PLAIN, np.nan),
        ("€ -", PLAIN, 0),
        ("--5", PLAIN, np.nan),
        ("+5", PLAIN, 5),
        ("-(5)", PLAIN, -5),
        ("5.50.-", PLAIN, np.nan),
        ("5 - 3", PLAIN, np.nan),
        ("EUR5", PLAIN, 5),
        ("5EUR", PLAIN, 5),
        ("EURO 5", PLAIN, np.nan),
        ("kr. 5", PLAIN, 5),
        ("($5)", PLAIN, -5),
        ("(((5)))", PLAIN, np.nan),
    ],
)
def test_one_number(text: str, style: Style, number: float) -> None:
    assert parse(text, style) == pytest.approx(number, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("3 EUR", "EUR"),
        ("US$ 3", "USD"),
        ("R$3", "BRL"),
        ("3 zł", "PLN"),
        ("-$ 3", "$"),
        ("3", ""),
        ("EURO", ""),
        ("Kr 3", "kr"),
    ],
)
def test_the_currency_of_a_number(text: str, named: str) -> None:
    assert currency(text) == named


def test_a_sign_that_several_use_is_the_one_that_is_named() -> None:
    assert several({"$", "USD"}) == {"USD"}
    assert several({"$", "EUR"}) == {"$", "EUR"}
    assert several({"kr", "SEK", "NOK"}) == {"SEK", "NOK"}
    assert several(set()) == set()


def test_styles_name_their_options() -> None:
    assert [str(style) for style in (PLAIN, GERMAN, Style(".", "'"))] == [
        "--decimal '.'", "--decimal ',' --thousands '.'", "--decimal '.' --thousands \"'\"",
    ]  # fmt: skip
    assert len(STYLES) == len(set(STYLES)) == 10


def test_arrows_own_reader_and_ours_read_alike() -> None:
    for style, texts in ((PLAIN, ["1.50", "-2", None]), (COMMA, ["1,50", "-2", None])):
        quick = as_numbers(pa.array(texts), style)
        slow = as_numbers(pa.array([*texts, "x"]), style)[:-1]
        assert quick.tolist() == pytest.approx([1.5, -2, np.nan], nan_ok=True)
        assert slow.tolist() == pytest.approx(quick.tolist(), nan_ok=True)


@pytest.mark.parametrize("values", [pa.array([1, None]), pa.array([1.0, None]), pa.array([b"1", None])])
def test_what_is_a_number_by_its_type_is_one(values: pa.Array) -> None:
    assert as_numbers(values).tolist() == pytest.approx([1, np.nan], nan_ok=True)


def test_a_number_in_any_style_is_read_to_estimate() -> None:
    assert [lenient(text) for text in ("1,5", "1'234.5")] == [1.5, 1234.5]
    assert np.isnan(lenient("much"))
    read = lenient_numbers(pa.array(["1.5", "2,5", None, "x"])).tolist()
    assert read == pytest.approx([1.5, 2.5, np.nan, np.nan], nan_ok=True)
    assert lenient_numbers(pa.array([1.5, np.nan])).tolist() == pytest.approx([1.5, np.nan], nan_ok=True)


def test_rows_are_counted_by_the_styles_that_read_them() -> None:
    found = column("1.5", "2.5", "1,5", "x", " 7.5 ", "", None)
    assert (found.read_by(PLAIN), found.read_by(COMMA)) == (3, 1)
    assert sum(found.rows.values()) == 5
    assert "1.5" in found.examples.values()
    typed = Numbers()
    typed.look(pa.array([1.5]))
    assert not typed.rows


@pytest.mark.parametrize(
    ("text", "long"), [("1000", True), ("999", False), ("0999", False), ("-1000.5", True), ("1.000", False)]
)
def test_a_thousand_without_a_separator_says_that_there_is_none(text: str, long: bool) -> None:
    assert column(text).long == long


@pytest.mark.parametrize(
    ("texts", "readings"),
    [
        (["1.5"], [PLAIN]),
        (["1,5"], [COMMA]),
        (["1.234", "1234"], [PLAIN]),
        (["1.234"], [PLAIN, GERMAN]),
        (["1.234,5"], [GERMAN]),
        (["1,234.5", "1.5", "x"], [THOUSANDS]),
        (["7"], [PLAIN, COMMA]),
    ],
)
def test_the_readings_of_a_column(texts: list[str], readings: list[Style]) -> None:
    assert column(*texts).readings() == readings


def test_an_example_that_reads_differently_is_shown() -> None:
    assert column("1.234", "5").read_differently(PLAIN, [GERMAN]) == ["1.234"]
    assert column("1.5", "5").read_differently(PLAIN, [COMMA]) == []
    assert column("1,5").read_differently(PLAIN, [COMMA]) == ["1,5"]
    assert same(np.nan, np.nan)
    assert same(1.0, 1.0)
    assert not same(1.0, np.nan)


def test_columns_are_read_in_the_style_that_suits_all() -> None:
    assert joint_readings([column("1,5"), column("7")]) == [COMMA]
    assert joint_readings([column("1.234"), column("1,5")]) == [GERMAN]
    assert joint_readings([column("1.5"), column("1,5")]) == []
    assert joint_readings([column("1,5")], [PLAIN, COMMA]) == [COMMA]


def test_currencies_are_noted_of_numbers_only() -> None:
    assert column("€ 3", "4 USD", "EUR much").currencies == {"EUR", "USD"}
    assert column("EUR much").currencies == set()

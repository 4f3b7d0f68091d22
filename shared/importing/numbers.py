"""Reads numbers as people and spreadsheets write them, and tells how a column's numbers are written. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.importing.texts import plain_array, trimmed

LONG = re.compile(r"[-+]?[1-9]\d{3}")
# Currencies: the codes of ISO 4217, and signs and names. A sign that several use agrees with each of them.
CODES = (
    "AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BHD|BIF|BMD|BND|BOB|BRL|BSD|BTN|BWP|BYN|BZD|CAD|"
    "CDF|CHF|CLP|CNY|COP|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|FKP|GBP|GEL|GHS|GIP|GMD|GNF|GTQ|GYD|"
    "HKD|HNL|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|JMD|JOD|JPY|KES|KGS|KHR|KMF|KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|LRD|LSL|"
    "LYD|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|PKR|"
    "PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SVC|SYP|SZL|THB|TJS|TMT|TND|TOP|"
    "TRY|TTD|TWD|TZS|UAH|UGX|USD|UYU|UZS|VES|VND|VUV|WST|XAF|XCD|XOF|XPF|YER|ZAR|ZMW|ZWL"
)
NAMED = {
    **{"€": "EUR", "£": "GBP", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₪": "ILS", "฿": "THB", "₹": "INR", "Rs": "Rs"},
    **{"US$": "USD", "R$": "BRL", "A$": "AUD", "C$": "CAD", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "Fr": "CHF"},
    **{"$": "$", "¥": "¥", "kr": "kr", "Kr": "kr"},
}
SHARED = {
    "$": {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "BRL"},
    "¥": {"JPY", "CNY"},
    "kr": {"SEK", "NOK", "DKK", "ISK"},
    "Rs": {"INR", "PKR", "LKR", "NPR", "MUR"},
}
WORDS = "|".join([CODES, *(re.escape(word) for word in sorted(NAMED, key=len, reverse=True))])
CURRENCY = re.compile(rf"^(?P<before>{WORDS})\.?(?=[\s\d.,(-])\s*|\s*(?<=[\s\d.,)-])(?P<after>{WORDS})\.?$")
# What accountants write for nothing.
NOTHING = re.compile(rf"(?:{WORDS})\.?\s*-")
# A dash in place of the cents: 5.- and 5,-- are 5.
NO_CENTS = re.compile(r"(?<=\d)[.,][-\u2013\u2014]{1,2}$")
# All blanks that separate thousands are one to us; a typographer's minus is a minus.
ALIKE = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2212": "-"})


@dataclass(frozen=True)
class Style:
    """How numbers are written: the decimal sign, and what separates thousands, if anything does."""

    decimal: str = "."
    thousands: str = ""

    def __str__(self) -> str:
        """The options that name it."""
        quoted = '"' + "'" + '"' if self.thousands == "'" else f"'{self.thousands}'"
        return f"--decimal '{self.decimal}'" + (f" --thousands {quoted}" if self.thousands else "")


PLAIN = Style()
STYLES = (
    PLAIN,
    Style(","),
    *(Style(decimal, thousands) for decimal in ".," for thousands in ",. '\u2019" if decimal != thousands),
)


@lru_cache
def expression(style: Style) -> re.Pattern[str]:
    """What a number without its signs looks like."""
    decimal = re.escape(style.decimal)
    groups = rf"[1-9]\d{{0,2}}(?:{re.escape(style.thousands)}\d{{3}})+|" if style.thousands else ""
    return re.compile(rf"(?:{groups}\d+)(?:{decimal}\d*)?(?:[eE][-+]?\d+)?|{decimal}\d+")


def parse(text: str, style: Style = PLAIN) -> float:
    """One number; NaN if the text is none in this style.

    >>> parse("-1,5", Style(",")), parse("7,693.00", Style(".", ",")), parse("12.50-"), parse("(3.50)"), parse("€ 3")
    (-1.5, 7693.0, -12.5, -3.5, 3.0)
    >>> parse("5.-"), parse("5,--", Style(",")), parse("(-3.50)"), parse("(3.50")
    (5.0, 5.0, -3.5, nan)
    >>> parse("€ -9.22"), parse("$(9.22)"), parse("$ -"), parse("1.250.-", Style(",", "."))
    (-9.22, -9.22, 0.0, 1250.0)
    """
    bare = text.translate(ALIKE).strip()
    if NOTHING.fullmatch(bare):
        return 0.0
    bare, negative, whole = without_marks(bare)
    if not expression(style).fullmatch(bare) or (whole and style.decimal in bare):
        return float("nan")
    bare = bare.replace(style.thousands, "") if style.thousands else bare
    value = float(bare.replace(style.decimal, "."))
    return -value if negative else value


def without_marks(text: str) -> tuple[str, bool, bool]:
    """(a number without currency, brackets and signs; whether it is negative; whether a dash stands for its cents).

    >>> [without_marks(text)[:2] for text in ("-3.50 EUR", "$(9.22)", "(9.22 €)", "9.22 €-", "+-5")]
    [('3.50', True), ('9.22', True), ('9.22', True), ('9.22', True), ('-5', False)]
    """
    negative = signed = whole = False
    for _ in range(2):  # a currency may stand within brackets, or around them
        text, cents = NO_CENTS.subn("", text)
        whole = whole or bool(cents)
        if text.startswith("(") and text.endswith(")"):
            text, negative = text[1:-1].strip(), True
        elif text.endswith("-"):
            text, negative = text[:-1].strip(), True
        elif text.startswith(("-", "+")) and not signed:
            text, negative, signed = text[1:].strip(), negative or text[0] == "-", True
        text = CURRENCY.sub("", text).strip()
    return text, negative, whole


def currency(text: str) -> str:
    """The currency that a number names; empty if it names none.

    >>> [currency(text) for text in ("€ 3.50", "(3.50 EUR)", "kr. 3", "3.50", "REF 1", "COD 5")]
    ['EUR', 'EUR', 'kr', '', '', '']
    """
    found = CURRENCY.search(text.translate(ALIKE).strip("()-+ "))
    word = found and (found["before"] or found["after"])
    return NAMED.get(word, word) if word else ""


def several(currencies: set[str]) -> set[str]:
    """Of some currencies those that differ: a sign that several use is the one of them that is named."""
    return {one for one in currencies if not SHARED.get(one, set()) & currencies}


def as_numbers(values: pa.Array, style: Style = PLAIN) -> np.ndarray:
    """Numbers; NaN where there is none."""
    values = plain_array(values)
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    if not (pa.types.is_string(kind) or pa.types.is_binary(kind)):
        return np.full(len(values), np.nan)
    text = trimmed(values)
    return at_once(text, style) if can_be_read_at_once(text, style) else one_by_one(text, style)


def can_be_read_at_once(text: pa.Array, style: Style) -> bool:
    """Whether Arrow's own reader of numbers reads texts as a style does: digits, one sign, one point."""
    bare = rf"^-?\d+(?:{re.escape(style.decimal)}\d+)?$"
    return not style.thousands and pc.all(pc.match_substring_regex(text, bare)).as_py() is not False


def at_once(text: pa.Array, style: Style) -> np.ndarray:
    """Texts as numbers; all of them are some, or null."""
    pointed = text if style.decimal == "." else pc.replace_substring(text, style.decimal, ".")
    return np.asarray(pointed.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def one_by_one(text: pa.Array, style: Style) -> np.ndarray:
    """Texts as numbers, each distinct one read once; NaN for what is none."""
    coded = pc.dictionary_encode(text)
    distinct = np.array([parse(text, style) for text in coded.dictionary.to_pylist()] + [np.nan])
    return distinct[pc.fill_null(coded.indices, len(distinct) - 1).to_numpy(zero_copy_only=False)]


def lenient(text: str) -> float:
    """A number in whichever style reads it; NaN if none does."""
    read = (parse(text, style) for style in STYLES)
    return next((value for value in read if not np.isnan(value)), float("nan"))


def lenient_numbers(values: pa.Array) -> np.ndarray:
    """Numbers as far as any style reads them: to estimate what rows are worth that are left out."""
    numbers = as_numbers(values)
    if not pa.types.is_string(plain_array(values).type) or np.isfinite(numbers).all():
        return numbers
    coded = pc.dictionary_encode(trimmed(plain_array(values)))
    distinct = np.array([lenient(text) for text in coded.dictionary.to_pylist()] + [np.nan])
    return distinct[pc.fill_null(coded.indices, len(distinct) - 1).to_numpy(zero_copy_only=False)]


@lru_cache(1 << 16)
def readers(text: str) -> int:
    """Which styles read a text, as bits in the order of STYLES."""
    bits = 0
    for place, style in enumerate(STYLES):
        bits |= (not np.isnan(parse(text, style))) << place
    return bits


@dataclass
class Numbers:
    """How a column's texts can be read as numbers: rows by the set of styles that read them, with an example each.

    long: whether there are whole numbers from 1,000 on without a separator. currencies: those that are named.
    """

    rows: Counter[int] = field(default_factory=Counter)
    examples: dict[int, str] = field(default_factory=dict)
    long: bool = False
    currencies: set[str] = field(default_factory=set)

    def look(self, values: pa.Array) -> None:
        """Take a chunk's texts in. What is typed as a number says nothing."""
        values = plain_array(values)
        if not pa.types.is_string(values.type):
            return
        text = pc.drop_null(trimmed(values))
        # Which styles read a number depends on where its zeros and other digits are, and not on which.
        shapes = pc.dictionary_encode(pc.replace_substring_regex(text, "[2-9]", "1"))
        codes = shapes.indices.to_numpy(zero_copy_only=False)
        found, first, rows = np.unique(codes, return_index=True, return_counts=True)
        for code, at, many in zip(found, first, rows, strict=True):
            shape = shapes.dictionary[int(code)].as_py()
            if shape:
                self.note(shape, text[int(at)].as_py(), int(many))

    def note(self, shape: str, example: str, rows: int) -> None:
        """Take some rows of one shape in."""
        self.long |= bool(LONG.match(shape))
        self.currencies |= {currency(shape)} - {""} if readers(shape) else set()
        bits = readers(shape)
        self.rows[bits] += rows
        self.examples.setdefault(bits, example)

    def read_by(self, style: Style) -> int:
        """How many rows a style reads."""
        place = STYLES.index(style)
        return sum(rows for bits, rows in self.rows.items() if bits >> place & 1)

    def readings(self, allowed: Sequence[Style] = STYLES) -> list[Style]:
        """Of the allowed styles those that read most rows, without those that name a separator which nothing needs.

        Where no larger whole number is without a separator, and no zero stands before it, `1.234` has two readings.
        """
        read = {style: self.read_by(style) for style in allowed}
        most = [style for style in allowed if read[style] == max(read.values())]
        needed = [style for style in most if not style.thousands or read.get(Style(style.decimal), -1) < read[style]]
        bare = [style for style in needed if not style.thousands]
        return bare if bare and self.long else needed

    def read_differently(self, style: Style, others: Sequence[Style]) -> list[str]:
        """Examples that have another value in one of the other styles."""
        return [
            text
            for text in self.examples.values()
            if any(not same(parse(text, other), parse(text, style)) for other in others if is_number(text, other))
        ]

    def reads_alike(self, style: Style, allowed: Sequence[Style] = STYLES) -> bool:
        """Whether a style reads as many rows as any, and with the values of one of the readings."""
        if self.read_by(style) < max(self.read_by(other) for other in allowed):
            return False
        readings = self.readings(allowed)
        return style in readings or any(not self.read_differently(style, [reading]) for reading in readings)


def is_number(text: str, style: Style) -> bool:
    """Whether a style reads a text."""
    return not np.isnan(parse(text, style))


def same(one: float, other: float) -> bool:
    """Whether two numbers are the same, or both none."""
    return one == other or (np.isnan(one) and np.isnan(other))


def joint_readings(columns: Sequence[Numbers], allowed: Sequence[Style] = STYLES) -> list[Style]:
    """Of the allowed styles those in which all columns can be read, without one whose separator nothing needs."""
    alike = [style for style in allowed if all(column.reads_alike(style, allowed) for column in columns)]
    return [style for style in alike if not style.thousands or Style(style.decimal) not in alike]

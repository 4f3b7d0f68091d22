"""Tells in which forms a column's times are written, and refuses those that have no single reading. Pure.

A spreadsheet that takes days for months leaves dates where it understood something, and texts where it did not:
whoever guesses row by row spreads a month over the year.
"""

import re
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.tseries.api import guess_datetime_format

from shared.errors import CheckFailed, UsageError
from shared.importing.texts import as_text, plain_array
from shared.importing.times import ISO, format_times, is_typed, plain_clock, typed_times
from shared.text import count

# Half of a day after a clock, which ISO 8601 does not have.
HALF = r"[AaPp]\.?[Mm]\.?$"
DATE = re.compile(r"^(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(\D.*)?$")
CLOCK = r"^(\d{1,4}[./-]\d{1,2}[./-]\d{1,4})[T ,]+\d{1,2}(?:[:.]\d\d){0,2}(?:\.\d+)?"
# Year, month, day and time of day in one number.
IN_ONE = re.compile(r"^(?:19[89]\d|20\d\d)\d{10}$")
NUMBER = re.compile(r"^\d+(?:[.,]\d+)?$")
WORDS = re.compile(r"[^\W\d_]{3}")
# Days since 1900 as Excel counts them, from 1954 to 2119; the others from 1980 to 2100.
SIZES = {
    "excel days": (20_000, 80_000),
    "seconds": (3.1e8, 4.2e9),
    "milliseconds": (3.1e11, 4.2e12),
    "microseconds": (3.1e14, 4.2e15),
    "nanoseconds": (3.1e17, 4.2e18),
}
ORDERS = {"day first": "{d}{s}%m{s}{y}", "month first": "%m{s}{d}{s}{y}", "year first": "{y}{s}%m{s}{d}"}
PLACES = {"day first": (2, 1, 0), "month first": (2, 0, 1), "year first": (0, 1, 2)}
DAY_OR_MONTH = ("day first", "month first")
COUNTED = {"excel days": "excel", "seconds": "s", "milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}
WORDED = (
    "%d-%b-%y",
    "%y-%b-%d",
    "%d-%b-%Y",
    "%d %b %y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d%b%Y",
    "%d.%b.%Y",
)
WORDS_KEPT = 500
MIXED_FIX = (
    "Export the column again as text in one form, such as 2017-03-01 10:00. A spreadsheet that opened the file may "
    "have taken days for months. With --time-format only rows of that form are read, and the others are left out."
)


@dataclass
class Seen:
    """A form in which times are written: how many rows, and the first one."""

    rows: int = 0
    row: int = 0
    example: str = ""


@dataclass
class TimeForms:
    """The forms in which a column's times are written.

    dates: of each form `a/b/c`, the distinct parts; clocks: a time of day after them. words: some texts of each form
    that holds the name of a month. from_1904: whether numbers of days count from 1904.
    """

    forms: dict[str, Seen] = field(default_factory=lambda: defaultdict(Seen))
    dates: dict[str, Counter[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    clocks: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    from_1904: bool = False

    def look(self, values: pa.Array, numbers: np.ndarray) -> None:
        """Take a chunk in; `numbers` are the rows' numbers in the file."""
        values = plain_array(values)
        if is_typed(values):
            shown = pa.array(typed_times(values)).cast(pa.string())
            self.note("typed", pc.is_valid(values), shown, numbers)
            return
        text = as_text(values)
        halves = pc.match_substring_regex(text, HALF)
        iso = pc.fill_null(pc.and_(pc.match_substring_regex(text, ISO), pc.invert(halves)), False)
        self.note("iso", iso, text, numbers)
        if (pc.sum(iso).as_py() or 0) < len(text) - text.null_count:
            self.look_closer(pc.if_else(iso, pa.scalar(None, pa.string()), text), numbers)

    def note(self, form: str, rows: pa.Array, values: pa.Array, numbers: np.ndarray) -> None:
        """Take all rows of one form in."""
        many = pc.sum(rows).as_py() or 0
        if many:
            at = pc.index(rows, True).as_py()
            self.add(form, many, int(numbers[at]), str(values[at].as_py()))

    def add(self, form: str, rows: int, row: int, example: str) -> None:
        """Take some rows of one form in."""
        seen = self.forms[form]
        if not seen.rows or row < seen.row:
            seen.row, seen.example = row, example
        seen.rows += rows

    def look_closer(self, text: pa.Array, numbers: np.ndarray) -> None:
        """Take texts in that are not ISO 8601, each distinct date once whatever the time of day after it."""
        coded = pc.dictionary_encode(pc.replace_substring_regex(text, CLOCK, r"\1 10:00"))
        codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
        found, first, counts = np.unique(codes, return_index=True, return_counts=True)
        for code, at, many in zip(found, first, counts, strict=True):
            if code >= 0:
                self.look_at(text[int(at)].as_py(), int(many), int(numbers[at]))

    def look_at(self, text: str, rows: int, row: int) -> None:
        """Take one distinct text in."""
        form, parts, rest = form_of(text)
        self.add(form, rows, row, text)
        if parts:
            self.dates[form][parts] += rows
            self.clocks.setdefault(form, rest)
        elif form.startswith("words") and len(self.words[form]) < WORDS_KEPT:
            self.words[form].append(text)

    def resolve(self, latest: date) -> str | None:
        """The form that all readable times have, as a time format; None if nothing is readable.

        Raises CheckFailed if there are several, UsageError if one form has several readings.
        """
        readings = {form: self.readings(form, latest) for form in self.forms}
        # A workbook's dates are dates by their type, or the same as text where a column holds other texts, too.
        found = {"iso" if form == "typed" else form: read for form, read in readings.items() if read}
        halves = [form for form in found if form in self.dates and self.is_half_read(form)]
        if len(found) > 1 or halves:
            raise CheckFailed(self.tell_mixed(found, halves), fix=MIXED_FIX)
        if not found:
            return None
        form, read = next(iter(found.items()))
        if form in COUNTED and form != "excel days":
            raise UsageError(
                f"The times are numbers such as {self.forms[form].example}: {form} since 1970?",
                fix=f"Pass --time-format {read[0]}, if so.",
            )
        if len(read) > 1:
            raise UsageError(
                f"A time such as {self.forms[form].example!r} can be read as {' or as '.join(sorted(read))}.",
                fix="Pass one of them as --time-format.",
            )
        return read[0]

    def only_otherwise(self, time_format: str, latest: date) -> bool:
        """Whether all times that can be read have one form, and it is another one than a known format."""
        read = [self.readings(form, latest) for form in self.forms if form != "typed"]
        told = [formats for formats in read if formats]
        return len(told) == 1 and all(date_part(known) != date_part(time_format) for known in told[0])

    def readings(self, form: str, latest: date) -> list[str]:
        """The time formats that a form may have."""
        if form in ("typed", "iso"):
            return ["iso"]
        if form in self.dates:
            return self.orders(form, latest)
        if form == "in one":
            return ["%Y%m%d%H%M%S"]
        if form in COUNTED:
            return [f"excel{'-1904' if self.from_1904 else ''}" if form == "excel days" else COUNTED[form]]
        return word_formats(self.words[form], latest) if form in self.words else []

    def orders(self, form: str, latest: date) -> list[str]:
        """The orders of day, month and year in which the most of a form's dates are possible."""
        mark, year, clock = form[0], "%Y" if form.endswith("long") else "%y", clock_format(self.clocks[form])
        possible = {
            pattern.format(d="%d", s=mark, y=year) + clock: sum(
                rows for parts, rows in self.dates[form].items() if is_date(parts, order, latest)
            )
            for order, pattern in ORDERS.items()
        }
        return [pattern for pattern, rows in possible.items() if rows and rows == max(possible.values())]

    def is_half_read(self, form: str) -> bool:
        """Whether some dates of a form can only be day first and others only month first, or some of its numbers
        have a zero before them, and others none.
        """
        only = [self.only(form, *orders) for orders in (DAY_OR_MONTH, DAY_OR_MONTH[::-1])]
        return all(only) or any(len(self.padding(form, place)) > 1 for place in (0, 1))

    def only(self, form: str, order: str, other: str) -> list[str]:
        """The dates of a form that are possible in one order, and not in the other one."""
        return [
            form[0].join(parts) for parts in self.dates[form] if is_date(parts, order) and not is_date(parts, other)
        ]

    def padding(self, form: str, place: int) -> set[bool]:
        """Whether a date's numbers below ten have a zero before them; both, if some have."""
        parts = {parts[place] for parts in self.dates[form] if len(parts[place]) <= 2}
        return {part.startswith("0") for part in parts if int(part) < 10}

    def tell_mixed(self, found: dict[str, list[str]], halves: list[str]) -> str:
        """What is mixed, with an example of each form and how it reads."""
        told = [
            f"{count(seen.rows, 'row')} such as row {seen.row:,}, {seen.example!r} ({tell_form(form, read)})"
            for form, read in found.items()
            if (seen := self.forms[form] if form in self.forms else self.forms["typed"])
        ]
        told += [self.tell_half(form) for form in halves]
        return f"The times are written in more than one form, and no reading is right for all: {'; '.join(told)}."

    def tell_half(self, form: str) -> str:
        """Two dates of one form that contradict each other."""
        day, month = self.only(form, *DAY_OR_MONTH), self.only(form, *DAY_OR_MONTH[::-1])
        if day and month:
            return f"{day[0]!r} can only be day first, {month[0]!r} only month first"
        dates = [form[0].join(parts) for parts in self.dates[form]]
        bare = next((date for date in dates if re.match(r"[1-9]\D|\d+\D[1-9]\D", date)), dates[0])
        zero = next((date for date in dates if re.match(r"0\d\D|\d+\D0\d\D", date)), dates[-1])
        return f"{bare!r} has no zero before its numbers and {zero!r} has, so a spreadsheet rewrote one of them"


def date_part(time_format: str) -> str:
    """A time format without its time of day.

    >>> date_part("%d/%m/%Y %H:%M"), date_part("%d.%m.%y"), date_part("iso")
    ('%d/%m/%Y', '%d.%m.%y', 'iso')
    """
    return re.split(r"[T ,]+%[HI]", time_format)[0]


def tell_form(form: str, readings: list[str]) -> str:
    """The readings of a form in words."""
    known = {"iso": "a date, or year first as ISO 8601 has it", "excel days": "days since 1900"}
    return known.get(form) or " or ".join(sorted(readings))


@lru_cache(1 << 16)
def form_of(text: str) -> tuple[str, tuple[str, str, str] | None, str]:
    """(the form in which a time is written, its three parts if it is of the form a/b/c, the rest).

    >>> form_of("25.03.2017 14:00"), form_of("42795.74"), form_of("soon")
    (('.a long', ('25', '03', '2017'), ' 14:00'), ('excel days', None, ''), ('other', None, ''))
    """
    found = DATE.match(text)
    if found:
        first, mark, second, third, rest = found.groups(default="")
        if len(first) == 4 and len(third) <= 2:
            return f"{mark}y long", (first, second, third), rest
        if len(first) <= 2 and len(third) in (2, 4):
            return f"{mark}a {'long' if len(third) == 4 else 'short'}", (first, second, third), rest
        return "other", None, ""
    if IN_ONE.match(text):
        return "in one", None, ""
    if NUMBER.match(text):
        return counted_form(float(text.replace(",", "."))), None, ""
    if WORDS.search(text) and re.search(r"\d", text):
        shape = re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "A", text.split(":")[0]))
        return f"words {shape}", None, ""
    return "other", None, ""


def counted_form(value: float) -> str:
    """The unit in which a time may be counted, by its size."""
    return next((form for form, (least, most) in SIZES.items() if least <= value <= most), "other")


@lru_cache(1 << 16)
def is_date(parts: tuple[str, str, str], order: str, latest: date | None = None) -> bool:
    """Whether three parts are a date in an order, and not one in the future.

    >>> is_date(("25", "03", "2017"), "day first"), is_date(("25", "03", "2017"), "month first")
    (True, False)
    """
    year, month, day = (parts[place] for place in PLACES[order])
    if len(month) > 2 or len(day) > 2 or len(year) not in (2, 4):
        return False
    century = 0 if len(year) == 4 else 2000 if int(year) < 69 else 1900  # as strptime has it
    try:
        found = date(century + int(year), int(month), int(day))
    except ValueError:
        return False
    return latest is None or found <= latest


def clock_format(rest: str) -> str:
    """How a time of day after a date is written, as `strptime` reads it.

    >>> clock_format(" 14:00"), clock_format(" 2:05:10 PM"), clock_format(" 14.37"), clock_format("")
    (' %H:%M', ' %I:%M:%S %p', ' %H.%M', '')
    """
    found = re.match(r"^([T ,]+)\d{1,2}(?:([:.])\d\d(?:(\2\d\d)([.]\d+)?)?)?( ?)([AaPp][Mm])?$", plain_clock(rest))
    if not found:
        return ""
    between, sign, seconds, fraction, blank, half = found.groups()
    clock = ("%I" if half else "%H") + (f"{sign}%M" if sign else "") + (f"{sign}%S" if seconds else "")
    return between + clock + (".%f" if fraction else "") + (f"{blank}%p" if half else "")


def word_formats(texts: list[str], latest: date) -> list[str]:
    """The formats in which most of some texts with the names of months can be read, as days that are not to come."""
    texts = [plain_clock(text) for text in texts]
    with warnings.catch_warnings():
        # pandas warns of what is asked for here: a day that cannot be read as a month.
        warnings.simplefilter("ignore")
        guesses = {guess_datetime_format(texts[at], dayfirst=first) for at in (0, -1) for first in (False, True)}
    times = {guess: format_times(pd.Series(texts), guess) for guess in [*sorted(filter(None, guesses)), *WORDED]}
    end = np.datetime64(latest + timedelta(days=1))
    rows = {guess: int((read < end).sum()) for guess, read in times.items()}
    most = {
        times[guess].tobytes(): guess for guess in reversed(rows) if rows[guess] and rows[guess] == max(rows.values())
    }
    return sorted(most.values())

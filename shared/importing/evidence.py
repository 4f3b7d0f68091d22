"""What an export's values look like, gathered chunk by chunk, and how they must therefore be read. Pure.

Nothing is guessed from one data set: what has one reading is read so and said, and what has several is asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import CheckFailed, UsageError
from shared.importing.mapping import Mapping
from shared.importing.numbers import STYLES, Numbers, joint_readings, lenient_numbers, several
from shared.importing.texts import (
    DOUBTFUL,
    POINT_ZERO,
    SPREADSHEET_DIGITS,
    SPREADSHEET_ZEROS,
    as_text,
    plain_array,
    trimmed,
)
from shared.importing.time_forms import TimeForms
from shared.text import count, listed, one_line

IDENTIFIERS = ("customer", "product", "basket", "store")
NUMBERS = ("quantity", "amount", "price")
PREFIX = r"^(?P<prefix>[A-Za-z]+)\d"
# Of the lines of invoices that begin alike, those that must be negative for them to be cancellations.
LEAST_NEGATIVE = 0.9
# A word is suspected to stand for nobody if it has more rows than this, and more than so many times any other has.
LEAST_SUSPECTED, TIMES_SUSPECTED = 20, 5
LEAST_LONG = 10
# What is found in the first file and looked at anew in later ones.
LOOKED_AT_ANEW = ("cancelled", "time_format")


@dataclass
class Identifiers:
    """What a column's identifiers look like, in rows; long: distinct numbers of 16 digits and more."""

    text: int = 0
    point_zero: int = 0
    blanks: int = 0
    long: int = 0
    long_zeros: int = 0
    doubtful: Counter[str] = field(default_factory=Counter)
    suspected: Counter[str] = field(default_factory=Counter)

    def look(self, values: pa.Array) -> None:
        """Take a chunk in."""
        plain, read = plain_array(values), as_text(values)
        counts = pc.value_counts(pc.drop_null(read))
        distinct, rows = counts.field("values"), counts.field("counts").to_numpy(zero_copy_only=False)
        self.long += int(matching(distinct, SPREADSHEET_DIGITS).sum())
        self.long_zeros += int(matching(distinct, SPREADSHEET_ZEROS).sum())
        if not pa.types.is_string(plain.type):
            return
        self.text += len(read) - read.null_count
        self.blanks += pc.sum(pc.not_equal(plain, trimmed(plain))).as_py() or 0
        self.point_zero += int(rows[matching(distinct, POINT_ZERO)].sum())
        self.look_for_nobody(distinct, rows)

    def look_for_nobody(self, distinct: pa.Array, rows: np.ndarray) -> None:
        """Count the words that may stand for nobody, and note those that have far more rows than anything else."""
        doubtful = pc.is_in(distinct, pa.array(DOUBTFUL)).to_numpy(zero_copy_only=False)
        most = int(rows[~doubtful].max(initial=0))
        for place in np.flatnonzero(doubtful):
            word, number = distinct[place].as_py(), int(rows[place])
            self.doubtful[word] += number
            if number > max(LEAST_SUSPECTED, TIMES_SUSPECTED * most):
                self.suspected[word] += number

    @property
    def all_end_in_zero(self) -> bool:
        """Whether each text ends in `.0`, as those of a column of numbers with a hole do."""
        return 0 < self.text == self.point_zero

    def notes(self, missing: Sequence[str] = ()) -> list[str]:
        """What to say of them, but for the words that stand for none."""
        said = []
        if self.blanks:
            said.append(f"blanks around {count(self.blanks, 'value')} were cut off")
        if self.point_zero and not self.all_end_in_zero:
            said.append(f"{count(self.point_zero, 'value')} such as 7.0 kept as written (--point-zero drop reads 7)")
        codes = [(word, rows) for word, rows in self.doubtful.most_common() if word not in missing]
        if codes:
            words = listed([f"{word!r} ({rows:,})" for word, rows in codes])
            said.append(f"{words} taken as codes (--missing WORD if one stands for nothing)")
        if self.long >= LEAST_LONG and self.long == self.long_zeros:
            said.append("all numbers of 16 digits and more end in zeros: a spreadsheet keeps 15 digits of them")
        return said


def matching(values: pa.Array, expression: str) -> np.ndarray:
    """Which texts match an expression; there are no nulls."""
    return np.asarray(pc.match_substring_regex(values, expression).to_numpy(zero_copy_only=False), dtype=bool)


@dataclass
class Invoices:
    """Lines of invoices that begin with letters, by those: all of them, and those with a negative quantity."""

    lines: int = 0
    all: Counter[str] = field(default_factory=Counter)
    negative: Counter[str] = field(default_factory=Counter)

    def look(self, baskets: pa.Array, numbers: pa.Array) -> None:
        """Take a chunk in."""
        text = as_text(baskets)
        self.lines += len(text) - text.null_count
        found = pc.struct_field(pc.extract_regex(text, PREFIX), "prefix")
        if found.null_count == len(found):
            return
        below = pa.array(lenient_numbers(numbers) < 0)
        for counter, prefixes in ((self.all, found), (self.negative, found.filter(below))):
            counter.update({entry["values"].as_py(): entry["counts"].as_py() for entry in counted(prefixes)})

    def cancelled(self) -> str:
        """What the baskets of cancelled invoices begin with; '' if nothing says so."""
        return next(
            (
                prefix
                for prefix, lines in self.negative.most_common()
                if lines >= LEAST_NEGATIVE * self.all[prefix] and 2 * self.all[prefix] < self.lines
            ),
            "",
        )

    def contradict(self, prefix: str) -> bool:
        """Whether lines that begin with what marked cancelled invoices until now are no cancellations."""
        return bool(prefix) and self.negative[prefix] < LEAST_NEGATIVE * self.all[prefix]


def counted(values: pa.Array) -> pa.Array:
    """The distinct values and how often each is there, but for nulls."""
    return pc.value_counts(pc.drop_null(values))


@dataclass
class Evidence:
    """What was seen of an export so far."""

    times: TimeForms = field(default_factory=TimeForms)
    identifiers: dict[str, Identifiers] = field(default_factory=lambda: defaultdict(Identifiers))
    numbers: dict[str, Numbers] = field(default_factory=lambda: defaultdict(Numbers))
    invoices: Invoices = field(default_factory=Invoices)

    def look(self, columns: dict[str, pa.Array], rows: np.ndarray, mapping: Mapping) -> None:
        """Take a chunk's columns in, by what they hold; `rows` are the rows' numbers."""
        if mapping.time_format is None or "time_format" in mapping.found:
            self.times.look(columns["time"], rows)
        for name in IDENTIFIERS:
            if name in columns:
                self.identifiers[name].look(columns[name])
        for name in NUMBERS:
            if name in columns:
                self.numbers[name].look(columns[name])
        signed = next((columns[name] for name in ("quantity", "amount") if name in columns), None)
        looked_for = mapping.cancelled is None or "cancelled" in mapping.found
        if looked_for and "basket" in columns and signed is not None:
            self.invoices.look(columns["basket"], signed)

    def resolve(self, mapping: Mapping, latest: date) -> Mapping:
        """The mapping with everything that was left open found out from the data.

        Raises CheckFailed or UsageError, naming the option, where the data has no reading, or several.
        """
        self.ask_for_nobody(mapping)
        self.ask_for_cancelled(mapping)
        zeros = {
            # Once they were read without it, 7 is the identifier.
            name: "drop" if seen.all_end_in_zero or mapping.drops_point_zero(name) else "keep"
            for name, seen in self.identifiers.items()
        }
        resolved = replace(
            mapping,
            time_format=self.time_format(mapping, latest),
            cancelled=self.invoices.cancelled() if mapping.cancelled is None else mapping.cancelled,
            # What was found and not said is found anew in each file of the shop.
            point_zero=mapping.point_zero if isinstance(mapping.point_zero, str) else zeros,
            currency=next(iter(sorted(several(self.currencies()))), mapping.currency),
            found=mapping.found or tuple(name for name in LOOKED_AT_ANEW if getattr(mapping, name) is None),
        )
        self.ask_for_numbers(mapping)
        return replace(resolved, decimal=mapping.style.decimal, thousands=mapping.style.thousands)

    def time_format(self, mapping: Mapping, latest: date) -> str | None:
        """The form of the times. Raises CheckFailed if a later file's have another one than was found in the first.

        Times whose form was said are not looked at.
        """
        known = mapping.time_format
        if known is None:
            return self.times.resolve(latest)
        if self.times.only_otherwise(known, latest):
            other = self.times.resolve(latest)
            raise CheckFailed(
                f"The times of this file are written as {tell_time(str(other))}; before they were {tell_time(known)}.",
                fix=f"Pass --time-format '{other}', if so.",
            )
        return known

    def currencies(self) -> set[str]:
        """What the amounts and prices are in, where they say so."""
        return {one for name, column in self.numbers.items() if name != "quantity" for one in column.currencies}

    def ask_for_nobody(self, mapping: Mapping) -> None:
        """Raise UsageError if a word that may stand for nobody has far more rows than any customer or product."""
        if mapping.missing is not None:
            return
        for name in ("customer", "product"):
            for word, rows in self.identifiers[name].suspected.items():
                raise UsageError(
                    f"{count(rows, 'row')} name the {name} {word!r}, far more than any other: does it stand for none?",
                    fix=f"Pass --missing {word!r} if so, or --missing '' if all such words are codes.",
                )

    def ask_for_cancelled(self, mapping: Mapping) -> None:
        """Raise UsageError if what was found to mark cancelled invoices marks sales in a later file."""
        prefix = mapping.cancelled or ""
        if "cancelled" in mapping.found and self.invoices.contradict(prefix):
            lines, negative = self.invoices.all[prefix], self.invoices.negative[prefix]
            raise UsageError(
                f"Invoices that begin with {prefix!r} were cancelled ones until now; of {count(lines, 'line')} of this "
                f"file that begin so, {negative:,} are negative.",
                fix=f"Pass --cancelled {prefix} if they are cancelled, or --cancelled '' if they are not.",
            )

    def ask_for_numbers(self, mapping: Mapping) -> None:
        """Raise CheckFailed if numbers are not written as the mapping says, or can be read in two ways."""
        currencies = several(self.currencies() | {mapping.currency} - {""})
        if len(currencies) > 1:
            before = f", of which the shop's was {mapping.currency} before" if mapping.currency else ""
            raise CheckFailed(
                f"The amounts are in several currencies: {', '.join(sorted(currencies))}{before}.",
                fix="Export them in one currency: amounts are added up.",
            )
        allowed = [style for style in STYLES if mapping.allows(style)]
        if not allowed:
            return
        joint = joint_readings(list(self.numbers.values()), allowed)
        for name, column in self.numbers.items():
            found = joint or column.readings(allowed)
            other = column.read_differently(mapping.style, found)
            if other:
                raise CheckFailed(
                    f"The {name} is written in numbers such as {one_line(other[0])!r}, "
                    + (
                        "which have several readings."
                        if len(found) > 1
                        else f"which are not read with {mapping.style}."
                    ),
                    fix=f"Pass {' or '.join(f'`{style}`' for style in found)}. "
                    "With --decimal . --thousands '' what is written otherwise is left out.",
                )

    def notes(self, resolved: Mapping) -> list[str]:
        """What was taken for what, in words."""
        said = [f"time: {tell_time(resolved.time_format)}"] if resolved.time_format else []
        if any(getattr(resolved, name) for name in NUMBERS):
            said.append(f"numbers: {resolved.style}")
        if resolved.basket:
            said.append(f"cancelled invoices: {self.tell_cancelled(resolved.cancelled or '')}")
        for name, seen in self.identifiers.items():
            if seen.all_end_in_zero and resolved.drops_point_zero(name):
                said.append(f"{name}: each ends in .0, and is read without it (--point-zero keep keeps it)")
            said += [f"{name}: {note}" for note in seen.notes(resolved.missing or ())]
        return said

    def tell_cancelled(self, prefix: str) -> str:
        """What cancelled invoices are taken to be."""
        if not prefix:
            return "none are marked"
        lines = self.invoices.all[prefix]
        seen = f" ({count(lines, 'line')}, {self.invoices.negative[prefix]:,} of them negative)" if lines else ""
        return f"those that begin with {prefix!r}{seen}"


def tell_time(time_format: str) -> str:
    """A time format in words."""
    known = {
        "iso": "ISO 8601",
        "excel": "days since 1900, as Excel counts them",
        "excel-1904": "days since 1904, as this workbook counts them",
    }
    return known.get(time_format, time_format)

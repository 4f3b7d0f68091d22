"""Opens a shop's export, CSV, Parquet or XLSX, and reads it chunk by chunk. The import calls it.

A chunk is an Arrow table of the rows as the file has them, their numbers in the file, and the rows that cannot be
read at all. Columns are told apart by their place, so that two of one name, or of none, do no harm.
"""

import csv
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from shared.errors import CheckFailed, MlopsError, UsageError
from shared.text import count, listed, one_line

CHUNK = 50_000
# So many whole rows tell how columns are written; a column with more ways than a few holds any text.
MOST_LEARNED, FEW_SHAPES = 1000, 5
# A title, a date and the like may stand above a header: so many lines are looked at for the columns that were named.
MOST_ABOVE = 20
REASON = "reason"
LINE = "line"
KINDS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet", ".xlsx": "xlsx"}
# What readers raise of damaged files; openpyxl raises nearly anything.
DAMAGES = (
    *(pa.ArrowException, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OSError),
    *(OverflowError, MemoryError, RuntimeError, SyntaxError, csv.Error, zipfile.BadZipFile, zlib.error),
)
Numbered = tuple[int, list[Any]]


class OtherEncoding(CheckFailed):
    """A text is not in the encoding that it should be in."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of an export: their table, their numbers in the file, and broken ones (number, REASON, LINE)."""

    table: pa.Table
    numbers: np.ndarray
    broken: pd.DataFrame


@dataclass(frozen=True)
class Export:
    """An opened export. Iterating reads it from the start, holding one chunk at a time.

    columns: the header's names, white space within them being one blank. notes: what was taken for what.
    nested: the columns that hold lists or the like. days_from_1904: whether days that are numbers count from 1904.
    """

    path: Path
    columns: list[str]
    chunks: int
    read: Callable[[], Iterator[Chunk]]
    notes: tuple[str, ...] = ()
    nested: frozenset[str] = frozenset()
    days_from_1904: bool = False

    def __iter__(self) -> Iterator[Chunk]:
        """The chunks."""
        return self.read()

    def __length_hint__(self) -> int:
        """About how many chunks there are, for a progress bar."""
        return self.chunks

    def place(self, name: str) -> int:
        """A named column's place."""
        return self.columns.index(tidy(name))

    def require(self, columns: Iterable[str | None]) -> None:
        """Raise UsageError if a column that was named is missing, there twice, or holds no single values."""
        have = f"Its columns: {listed(self.columns)}."
        for name in filter(None, columns):
            found = self.columns.count(tidy(name))
            if found != 1:
                close = get_close_matches(tidy(name), self.columns, 1, 0.5) or [at for at in self.columns if name in at]
                meant = f" {one_line(close[0])!r}, perhaps?" if close and not found else ""
                is_csv = KINDS[self.path.suffix.lower()] == "csv"
                more = f", and --separator. The header is looked for in the first {MOST_ABOVE} lines that hold anything"
                raise UsageError(
                    f"The column {one_line(name)!r} is {'twice' if found else 'not'} in {self.path.name}. {have}",
                    fix=f"Name one of these.{meant} Mind upper and lower case{more if is_csv else ''}.",
                )
            if tidy(name) in self.nested:
                raise UsageError(
                    f"The column {one_line(name)!r} of {self.path.name} holds lists, and a row needs one value each.",
                    fix="Export it with one row per product that a customer bought.",
                )


def tidy(name: str) -> str:
    """A column's name with each white space, line breaks too, as one blank.

    >>> tidy(" unit\\n price")
    'unit price'
    """
    return re.sub(r"\s+", " ", name.replace("\ufeff", "")).strip()


def header_names(cells: Iterable[Any]) -> list[str]:
    """The names of a header's columns; those that have none get a number.

    >>> header_names(["who", None, "unit\\nprice"])
    ['who', 'column 2', 'unit price']
    """
    names = [tidy("" if cell is None else str(cell)) for cell in cells]
    return [name or f"column {number}" for number, name in enumerate(names, start=1)]


def tell_above(above: int, columns: list[str]) -> list[str]:
    """What to say of lines above a header."""
    return [f"the header: the line that begins with {columns[0]!r}; {count(above, 'line')} above it"] if above else []


def chunks_of(
    rows: Iterator[Numbered], width: int, needed: int, column: Callable[[Iterable[Any]], pa.Array]
) -> Iterator[Chunk]:
    """Chunks of numbered rows, each `width` fields wide: see `Fitting`. `column` makes an array of values."""
    names = [str(place) for place in range(width)]
    fitting = Fitting(width, needed)
    while part := list(islice(rows, CHUNK)):
        good, broken = fitting.part(part)
        columns = list(zip(*(fields for _, fields in good), strict=True)) or [()] * width
        table = pa.table([column(values) for values in columns], names=names)
        yield Chunk(table, np.array([number for number, _ in good], dtype=np.int64), broken_lines(broken, width))


@dataclass
class Fitting:
    """Parts rows that have as many fields as there are columns, or can have them without loss, from broken ones.

    A row may lack fields at its end if those that are `needed` are there. It may have more if they are empty and the
    others look as they do in whole rows: otherwise something was parted that belongs together, and all is one column
    further. Where most rows have more, that is how they are written. whole: rows with as many fields as columns.
    shapes: how each column is written in the first ones of them.
    """

    width: int
    needed: int
    whole: int = 0
    shapes: list[set[str]] = field(default_factory=list)

    def part(self, rows: list[Numbered]) -> tuple[list[Numbered], dict[int, list[Any]]]:
        """(rows with as many fields as there are columns, broken ones by their number)."""
        if all(len(fields) == self.width for _, fields in rows):
            self.learn(rows)
            return rows, {}
        self.learn([row for row in rows if len(row[1]) == self.width])
        longer = Counter(len(fields) for _, fields in rows if len(fields) > self.width)
        good, broken = [], {}
        for number, fields in rows:
            fitted = self.fit(fields, longer[len(fields)])
            if fitted is None:
                broken[number] = fields
            else:
                good.append((number, fitted))
        return good, broken

    def learn(self, whole: list[Numbered]) -> None:
        """Note how columns are written in whole rows, until enough of them are known."""
        for _, fields in whole[: max(0, MOST_LEARNED - self.whole)]:
            self.shapes = self.shapes or [set() for _ in fields]
            for shapes, value in zip(self.shapes, fields, strict=True):
                shapes.add(shape_of(str(value or "")))
        self.whole += len(whole)

    def fit(self, fields: list[Any], many: int) -> list[Any] | None:
        """A row's fields, as many as there are columns; None if it is broken. many: rows that have as many fields."""
        if len(fields) <= self.width:
            short = self.width - len(fields)
            return fields + [None] * short if not short or len(fields) >= self.needed else None
        if any(fields[self.width :]):
            return None
        kept = fields[: self.width]
        if self.whole < many:
            return kept if many > 1 else None
        known = zip(kept, self.shapes, strict=True)
        other = [shape_of(str(value or "")) not in shapes and len(shapes) <= FEW_SHAPES for value, shapes in known]
        return kept if sum(other) <= 1 and not other[-1] else None


def shape_of(text: str) -> str:
    """How a text is written: runs of digits as 9, of letters as A.

    >>> shape_of("C014"), shape_of("2017-03-01 10:00"), shape_of("Hill Road")
    ('A9', '9-9-9 9:9', 'A A')
    """
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "A", text.strip()))


def broken_lines(broken: dict[int, list[Any]], columns: int) -> pd.DataFrame:
    """The rows that have a wrong number of fields."""
    reasons = [f"{len(fields)} fields instead of {columns}" for fields in broken.values()]
    return pd.DataFrame(
        {REASON: reasons, LINE: [",".join(map(str, fields)) for fields in broken.values()]}, list(broken)
    )


@contextmanager
def misfit(path: Path) -> Iterator[None]:
    """Tell what is said of values that are not what their column should hold."""
    try:
        yield
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise CheckFailed(
            f"{path.name} cannot be imported: {one_line(str(error)) or type(error).__name__}",
            fix="Look at the columns that were named, or export the file as CSV.",
        ) from error


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Tell what a reader says of a damaged file."""
    try:
        yield
    except MlopsError:
        raise
    except DAMAGES as error:
        kind = KINDS[path.suffix.lower()].upper()
        raise CheckFailed(
            f"{path.name} is damaged or cut off, or no {kind} file: {one_line(str(error)) or type(error).__name__}",
            fix="Copy or export it again.",
        ) from error

"""Reads a CSV as an export: its encoding, separator and header are found out, and its rows are all text."""

import codecs
import csv
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from shared.errors import CheckFailed, UsageError
from shared.importing.exports import CHUNK, Chunk, Export, Numbered, chunks_of, damage, header_names

BLOCK = 1 << 20
SEPARATORS = ",;\t|"
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def open_csv(path: Path, encoding: str | None, separator: str | None) -> Export:
    """A CSV, whose encoding is checked from the first byte to the last before anything is read."""
    check_separator(separator)
    marked = marked_encoding(path)
    encoding = encoding or marked or "utf-8"
    check_encoding(path, encoding)
    check_mark(path, encoding, marked)
    csv.field_size_limit(BLOCK)
    with open_text(path, encoding) as file, damage(path):
        said, first = said_separator(file)
        separator = separator or said or guess_separator(file, first)
        file.seek(0)
        lines = csv.reader(file, delimiter=separator)
        fields = header(lines, skip=bool(said))
    columns = header_names(fields)
    notes = (f"the encoding: {encoding}", f"the separator: {separator!r}")
    read = partial(read_rows, path, encoding, separator, bool(said), columns)
    chunks = path.stat().st_size // (CHUNK * max(len(",".join(fields)), 40)) + 1
    return Export(path, columns, chunks, read, notes)


def read_rows(path: Path, encoding: str, separator: str, said: bool, columns: list[str]) -> Iterator[Chunk]:
    """The rows below the header, chunk by chunk."""
    with open_text(path, encoding) as file, damage(path):
        lines = csv.reader(file, delimiter=separator)
        header(lines, skip=said)
        rows: Iterator[Numbered] = ((lines.line_num, fields) for fields in lines if any(fields))
        yield from chunks_of(rows, len(columns), named_width(columns), text_column)


def text_column(values: Iterable[Any]) -> pa.Array:
    """A column's values, all of them text."""
    return pa.array(values, pa.string())


def named_width(columns: list[str]) -> int:
    """How many fields a row must have: those up to the last column that has a name.

    >>> named_width(["who", "what", "column 3", "column 4"])
    2
    """
    return max((place for place, name in enumerate(columns, 1) if name != f"column {place}"), default=len(columns))


def header(lines: Any, skip: bool) -> list[str]:
    """The first line that holds anything, after `sep=` if there is one."""
    if skip:
        next(lines, None)
    return next((fields for fields in lines if any(fields)), [])


def open_text(path: Path, encoding: str) -> TextIO:
    """A text with its line ends as they are, and without the mark at its beginning, whatever its encoding is."""
    return path.open(encoding="utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding, newline="")


def said_separator(file: TextIO) -> tuple[str, str]:
    """(the separator that a first line `sep=;` says, that line); empty if there is no such line."""
    line = file.readline()
    said = line.strip('\ufeff\r\n "')
    return (said[4:] or "", line) if said.lower().startswith("sep=") and len(said) == 5 else ("", line)


def guess_separator(file: TextIO, line: str) -> str:
    """The most frequent separator of the header, of all its lines if a name in it is broken."""
    while line.count('"') % 2 and len(line) < BLOCK and (more := file.readline()):
        line += more
    outside = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def check_separator(separator: str | None) -> None:
    """Raise UsageError for a separator that is not one character."""
    if separator is not None and (len(separator) != 1 or separator in "\r\n"):
        raise UsageError(f"A separator is one character, not {separator!r}.", fix="Pass --separator ';', for example.")


def marked_encoding(path: Path) -> str:
    """The encoding that a mark at a file's beginning says; empty if there is none."""
    with path.open("rb") as file:
        start = file.read(3)
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), "")


def check_mark(path: Path, encoding: str, marked: str) -> None:
    """Raise UsageError if a file begins with the mark of another encoding than the one that was named."""
    if marked and not codecs.lookup(encoding).name.startswith(marked):
        raise UsageError(
            f"{path.name} begins with the mark of {marked}, and is not {encoding}.", fix="Leave --encoding out."
        )


def check_encoding(path: Path, encoding: str) -> None:
    """Raise CheckFailed, naming byte and line, if a text is not in its encoding; UsageError for an unknown one."""
    try:
        if not codecs.lookup(encoding)._is_text_encoding:
            raise LookupError(encoding)
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        raise UsageError(f"No encoding is called {encoding!r}.", fix="Try utf-8, cp1252, latin-1 or utf-16.") from error
    before, lines = 0, 1
    with path.open("rb") as file:
        for block in chain(iter(lambda: file.read(BLOCK), b""), [b""]):
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                # What the decoder held back from the block before comes first in error.object.
                at = before - (len(error.object) - len(block)) + error.start
                line = lines + error.object[: error.start].count(b"\n")
                raise CheckFailed(
                    f"{path.name} is not {error.encoding}: byte {at:,}, in line {line:,}, is "
                    f"0x{error.object[error.start]:02x}.",
                    fix="Pass its --encoding, such as cp1252, latin-1 or utf-16, or export it as UTF-8.",
                ) from error
            except UnicodeError as error:  # UTF-16 without its mark
                raise CheckFailed(f"{path.name} is not {encoding}: {error}.", fix="Pass another --encoding.") from error
            before, lines = before + len(block), lines + block.count(b"\n")

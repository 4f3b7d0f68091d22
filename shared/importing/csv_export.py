"""Reads a CSV as an export: its encoding, separator and header are found out, and its rows are all text."""

import codecs
import csv
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from shared.errors import CheckFailed, UsageError
from shared.importing.exports import (
    CHUNK,
    MOST_ABOVE,
    Chunk,
    Export,
    Numbered,
    OtherEncoding,
    chunks_of,
    damage,
    header_names,
    shape_of,
    tell_above,
)
from shared.text import one_line

BLOCK = 1 << 20
SEPARATORS = ",;\t|"
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # begins as UTF-16's does, so it comes before it
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# How files begin that are no text.
OTHERS = {
    b"PK\x03\x04": "a ZIP archive or a workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "packed with gzip",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a workbook of an old kind (.xls)",
}


def open_csv(path: Path, encoding: str | None, separator: str | None, wanted: Collection[str] = ()) -> Export:
    """A CSV, whose encoding is checked from the first byte to the last before anything is read.

    The header is the first line that holds anything, or one soon after it that has all `wanted` columns.
    """
    separator = check_separator(separator)
    check_kind(path)
    marked = marked_encoding(path)
    encoding = encoding or marked or "utf-8"
    check_encoding(path, encoding)
    check_mark(path, encoding, marked)
    csv.field_size_limit(BLOCK)
    with open_text(path, encoding) as file, damage(path):
        said, first = said_separator(file)
        above, separator = place_of_header(file, separator or said, first, bool(said), wanted)
        file.seek(0)
        fields = header(csv.reader(file, delimiter=separator), bool(said), above)
    if any("\0" in field for field in fields):
        raise CheckFailed(
            f"The header of {path.name} holds NUL characters, as UTF-16 without a mark has.",
            fix="Pass --encoding utf-16-le, or export it as UTF-8.",
        )
    columns = header_names(fields)
    notes = (f"the encoding: {encoding}", f"the separator: {separator!r}", *tell_above(above, columns))
    read = partial(read_rows, path, encoding, separator, bool(said), above, columns)
    chunks = path.stat().st_size // (CHUNK * max(len(",".join(fields)), 40)) + 1
    return Export(path, columns, chunks, read, notes)


def place_of_header(
    file: TextIO, separator: str | None, first: str, said: bool, wanted: Collection[str]
) -> tuple[int, str]:
    """(how many lines that hold anything stand above the header, the separator, guessed where none is known)."""
    likeliest = separator or guess_separator(file, first)
    for sign in [likeliest] if separator else [likeliest, *SEPARATORS]:
        above = find_header(file, sign, said, wanted)
        if above is not None:
            return above, sign
    return 0, likeliest


def find_header(file: TextIO, separator: str, said: bool, wanted: Collection[str]) -> int | None:
    """How many lines that hold anything stand above the header; None if no line has all columns."""
    file.seek(0)
    lines = csv.reader(file, delimiter=separator)
    if said:
        next(lines, None)
    first = islice((fields for fields in lines if any(fields)), MOST_ABOVE)
    try:
        return next((at for at, fields in enumerate(first) if set(wanted) <= set(header_names(fields))), None)
    except csv.Error:  # a quote that stays open in one of the rows
        return None


def read_rows(path: Path, encoding: str, separator: str, said: bool, above: int, columns: list[str]) -> Iterator[Chunk]:
    """The rows below the header, chunk by chunk. Raises CheckFailed where a quote that stays open swallows lines."""
    kept: list[str] = []

    def noted(file: TextIO) -> Iterator[str]:
        for line in file:
            kept.append(line)
            yield line

    def numbered(lines: Any) -> Iterator[Numbered]:
        while True:
            try:
                fields = next(lines, None)
            except csv.Error:  # a text of more than `BLOCK` characters
                if '"' not in kept[0]:
                    raise
                raise open_quote(path, lines.line_num - len(kept) + 1, kept[0]) from None
            if fields is None:
                return
            if len(kept) > 1 and swallows_rows(kept, separator, len(columns)):
                raise open_quote(path, lines.line_num - len(kept) + 1, kept[0])
            kept.clear()
            if any(fields):
                yield lines.line_num, fields

    with open_text(path, encoding) as file, damage(path):
        lines = csv.reader(noted(file), delimiter=separator)
        header(lines, said, above)
        kept.clear()
        yield from chunks_of(numbered(lines), len(columns), named_width(columns), text_column)


def swallows_rows(raw: list[str], separator: str, width: int) -> bool:
    """Whether a record of several lines is several rows, of which a quote made one.

    So it is if a line after the first has a row's fields, and they look like the first one's: a text of several lines
    may have as many separators, but hardly a number, a date and an identifier in their places. Where the quotes are
    not as they should be, the number of fields is enough.
    """
    first, *others = [next(csv.reader([line], delimiter=separator, quoting=csv.QUOTE_NONE), []) for line in raw]
    full = [fields for fields in others if len(fields) >= min(width, len(first))]
    try:
        list(csv.reader(raw, delimiter=separator, strict=True))
    except csv.Error:
        return bool(full)
    return any(alike(first, fields) for fields in full)


def alike(one: list[str], other: list[str]) -> bool:
    """Whether most fields of two rows are written alike."""
    pairs = [(shape_of(mine), shape_of(theirs)) for mine, theirs in zip(one, other, strict=False)]
    filled = [mine == theirs for mine, theirs in pairs if mine or theirs]
    return 2 * sum(filled) > len(filled)


def open_quote(path: Path, line: int, text: str) -> CheckFailed:
    """What to say of a quote that swallows what follows."""
    return CheckFailed(
        f"A quote that is opened in line {line:,} of {path.name} is not closed where it should be, and swallows what "
        f"follows: {one_line(text)[:80]!r}.",
        fix="Mend the quote, or export the file again with each quote within a text doubled.",
    )


def text_column(values: Iterable[Any]) -> pa.Array:
    """A column's values, all of them text."""
    return pa.array(values, pa.string())


def named_width(columns: list[str]) -> int:
    """How many fields a row must have: those up to the last column that has a name.

    >>> named_width(["who", "what", "column 3", "column 4"])
    2
    """
    return max((place for place, name in enumerate(columns, 1) if name != f"column {place}"), default=len(columns))


def header(lines: Any, skip: bool, above: int) -> list[str]:
    """The first line that holds anything, after `sep=` if there is one, and after so many others that do."""
    if skip:
        next(lines, None)
    return next(islice((fields for fields in lines if any(fields)), above, None), [])


def open_text(path: Path, encoding: str) -> TextIO:
    """A text with its line ends as they are, and without the mark at its beginning, whatever its encoding is."""
    return path.open(encoding="utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding, newline="")


def said_separator(file: TextIO) -> tuple[str, str]:
    """(the separator that a first line `sep=;` says, that line); empty if there is no such line."""
    line = file.readline()
    said = line.strip('\ufeff\r\n "')
    return (said[4:], line) if said.lower().startswith("sep=") and len(said) == 5 else ("", line)


def guess_separator(file: TextIO, line: str) -> str:
    """The most frequent separator of the header, of all its lines if a name in it is broken."""
    while line.count('"') % 2 and len(line) < BLOCK and (more := file.readline()):
        line += more
    outside = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def check_separator(separator: str | None) -> str | None:
    r"""The separator; `\t` is a tab. Raises UsageError for one that is not one character."""
    separator = "\t" if separator in (r"\t", "tab") else separator
    if separator is not None and (len(separator) != 1 or separator in "\r\n"):
        raise UsageError(
            f"A separator is one character, not {separator!r}.", fix="Pass --separator ';', for example, or tab."
        )
    return separator


def check_kind(path: Path) -> None:
    """Raise CheckFailed for a file that is no text, whatever its name says."""
    with path.open("rb") as file:
        start = file.read(4)
    for begins, kind in OTHERS.items():
        if start.startswith(begins):
            raise CheckFailed(
                f"{path.name} is no CSV: it is {kind}.",
                fix="Export the rows as CSV, or unpack the file that holds them.",
            )


def marked_encoding(path: Path) -> str:
    """The encoding that a mark at a file's beginning says; empty if there is none."""
    with path.open("rb") as file:
        start = file.read(4)
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
                raise OtherEncoding(
                    f"{path.name} is not {error.encoding}: byte {at:,}, in line {line:,}, is "
                    f"0x{error.object[error.start]:02x}.",
                    fix="Pass its --encoding, such as cp1252, latin-1 or utf-16, or export it as UTF-8.",
                ) from error
            except UnicodeError as error:  # UTF-16 without its mark
                raise OtherEncoding(
                    f"{path.name} is not {encoding}: {error}.", fix="Pass another --encoding."
                ) from error
            before, lines = before + len(block), lines + block.count(b"\n")

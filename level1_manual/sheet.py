"""Reads and writes models.xlsx, which people edit by hand, as sheets are: the steps of level 1 call it.

A blank row or a note is passed over; what a program for sheets has made of a number is understood where that is
certain, and named by file and row where it is not.
"""

import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from filelock import FileLock
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from shared.errors import IntegrityError, Locked, UsageError
from shared.places import write_atomically
from shared.release.number import is_release, parse_release

HEADER = ["release", "live since", "NDCG@10", "who", "note"]
BEGINS_WITH_A_NUMBER = re.compile(r"\s*v?(\d{1,4})[.,](\d{1,6})(?!\d)", re.IGNORECASE)
IN_A_NAME = re.compile(r"(?<![\d.])(\d{1,4})\.(\d{1,6})(?!\d)")
WRITE_IT_AS_TEXT = "Write it as text, such as '1.10 with an apostrophe before it, and try again."
SECONDS_TO_WAIT = 30


def rows(path: Path) -> list[list[str]]:
    """The rows of releases: number, day, score, who, note, as text. Raises an error that names file and row."""
    return [row for row, _ in read_rows(path) if is_release(row[0])]


def numbers(path: Path) -> set[str]:
    """Every release number that the sheet names, also in a line that is no release, such as `1.3 (broken)`."""
    found = set()
    for (release, *_), _ in read_rows(path):
        match = BEGINS_WITH_A_NUMBER.match(release)
        if match:
            found.add(f"{int(match[1])}.{int(match[2])}")
    return found


def numbers_of_files(folder: Path) -> set[str]:
    """The release numbers in the names of models that lie in a folder, such as `model-1.3.pkl`."""
    found = [IN_A_NAME.search(file.name) for file in folder.glob("*.pkl*")]
    return {f"{int(match[1])}.{int(match[2])}" for match in found if match}


def read_rows(path: Path) -> Iterator[tuple[list[str], int]]:
    """Each row below the header that holds anything, as text, with its number in the sheet."""
    if not path.exists():
        return
    formulas, values = open_sheet(path), open_sheet(path, values=True)
    first, columns = find_header(formulas)
    before: tuple[int, int] | None = None
    for number in range(first + 1, formulas.max_row + 1):
        typed = [formulas.cell(number, column).value for column in columns]
        shown = [values.cell(number, column).value for column in columns]
        if not any(str(value or "").strip() for value in typed):
            continue
        release = release_of(shown[0], typed[0], before, f"{path}, row {number}")
        if is_release(release):
            before = parse_release(release)
        yield [release, day_of(shown[1]), *(str(value if value is not None else "") for value in shown[2:])], number


def release_of(shown: Any, typed: Any, before: tuple[int, int] | None, where: str) -> str:
    """A release as it was meant. `shown`: the cell's value; `typed`: its formula, if it has one.

    A program for sheets reads 1.0 and 1.10 as numbers and keeps 1 and 1.1: after 1.9 the latter was 1.10.
    """
    if shown is None and typed is not None:
        raise UsageError(f"{where}: the release is a formula whose value is not known.", fix=WRITE_IT_AS_TEXT)
    if isinstance(shown, date):
        raise UsageError(f"{where}: the release has become the date {shown:%Y-%m-%d}.", fix=WRITE_IT_AS_TEXT)
    if isinstance(shown, bool) or not isinstance(shown, int | float):
        return str(shown or "").strip()
    plain = f"{shown:.6f}".rstrip("0")
    plain += "0" * plain.endswith(".")
    longer = plain + "0"
    if before is None or not is_release(plain) or parse_release(plain) > before or parse_release(longer) <= before:
        return plain
    if parse_release(longer) == (before[0], before[1] + 1):
        return longer
    raise UsageError(f"{where}: the release is the number {plain}, which may have been {longer}.", fix=WRITE_IT_AS_TEXT)


def day_of(value: Any) -> str:
    """A day as 2017-06-05, if it is one; else the text that stands there."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    text = str(value if value is not None else "").strip()
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%y", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    return text


def find_header(sheet: Worksheet) -> tuple[int, list[int]]:
    """The header's row and the columns of what it names; the usual ones where a column is not named."""
    for number in range(1, min(sheet.max_row, 50) + 1):
        named = {str(cell.value or "").strip().lower(): cell.column for cell in sheet[number]}
        if HEADER[0] in named:
            return number, [named.get(name.lower(), at) for at, name in enumerate(HEADER, named[HEADER[0]])]
    return 0, list(range(1, len(HEADER) + 1))


def open_sheet(path: Path, values: bool = False) -> Worksheet:
    """The sheet with the releases, whichever was open when the file was saved. IntegrityError if damaged."""
    sheets = open_book(path, values).worksheets
    return next((sheet for sheet in sheets if find_header(sheet)[0]), sheets[0])


def open_book(path: Path, values: bool = False) -> Workbook:
    """The file. Raises IntegrityError if it cannot be read."""
    try:
        book = load_workbook(path, data_only=values)
        if not book.worksheets:
            raise ValueError("it holds no sheet")
    except Exception as error:
        raise IntegrityError(
            f"{path} cannot be read as a sheet: {type(error).__name__}: {error}",
            fix="Bring it back from a backup, or move it away: a new one is begun.",
        ) from error
    return book


def add_row(path: Path, row: list[str]) -> None:
    """Append a row of plain text; a text that looks like a formula stays a text. A second writer waits.

    Raises Locked if an office program has the file open, which would write its own over it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=SECONDS_TO_WAIT):
        require_closed(path)
        book = open_book(path) if path.exists() else new_book()
        sheet = next((sheet for sheet in book.worksheets if find_header(sheet)[0]), book.worksheets[0])
        at = sheet.max_row + 1
        for column, text in zip(find_header(sheet)[1], row, strict=False):
            sheet.cell(at, column, text).data_type = "s"
        write_atomically(path, packed(book))


def packed(book: Workbook) -> bytes:
    """The file's bytes. It bears no time of day: a clock before 1980 has none that it could bear."""
    content = io.BytesIO()
    with Timeless(content, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).save()
    return content.getvalue()


class Timeless(ZipFile):
    """An archive whose entries bear the first time that there is in archives."""

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        """Add an entry."""
        entry = ZipInfo(zinfo_or_arcname)
        entry.compress_type = ZIP_DEFLATED
        super().writestr(entry, data)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        """Add a file."""
        self.writestr(str(arcname or filename), Path(filename).read_bytes())


def new_book() -> Workbook:
    """A sheet with nothing but its header."""
    book = Workbook()
    book.worksheets[0].append(HEADER)
    return book


def require_closed(path: Path) -> None:
    """Refuse to write beside an office program: what it has open it saves over ours."""
    for lock in (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#")):
        if lock.exists():
            raise Locked(
                f"{path} is open in an office program: {lock.name} lies beside it.",
                fix="Close it there, or remove that file if the program has crashed; then type the step again.",
            )

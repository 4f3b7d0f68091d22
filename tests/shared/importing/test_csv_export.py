"""How a CSV is written is found out: what it is none of is told, with where and what."""

import io
from pathlib import Path

import pytest

from shared.errors import CheckFailed, UsageError
from shared.importing import csv_export
from shared.importing.csv_export import (
    alike,
    check_encoding,
    check_separator,
    guess_separator,
    named_width,
    open_csv,
    said_separator,
    swallows_rows,
)
from shared.importing.exports import OtherEncoding, broken_lines


def opened(
    path: Path, text: str, wanted: tuple[str, ...] = (), separator: str | None = None
) -> tuple[list[str], list[list[str | None]], list[int]]:
    """(columns, rows, their numbers) of a CSV with this text."""
    path.write_text(text, newline="")
    export = open_csv(path, None, separator, wanted)
    chunks = list(export)
    rows = [
        list(row)
        for chunk in chunks
        for row in zip(*(column.to_pylist() for column in chunk.table.columns), strict=True)
    ]
    return export.columns, rows, [int(number) for chunk in chunks for number in chunk.numbers]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


@pytest.mark.parametrize(
    ("line", "said"),
    [("sep=;\r\n", ";"), ('"sep=|"\n', "|"), ("SEP=,\n", ","), ("sep=\n", ""), ("sep=;;\n", ""), ("who;what\n", "")],
)
def test_a_first_line_may_say_the_separator(line: str, said: str) -> None:
    assert said_separator(io.StringIO(line, newline="")) == (said, line)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b;c,d", ","),
        ("a;b;c,d", ";"),
        ('"a,b,c,d";e', ";"),
        ('"a\n,,b";c;d\nnext', ";"),
        ("a\tb", "\t"),
        ("a|b|c", "|"),
        ("alone", ","),
    ],
)
def test_the_separator_is_the_most_frequent_one_outside_of_quotes(text: str, separator: str) -> None:
    lines = io.StringIO(text)
    assert guess_separator(lines, lines.readline()) == separator


def test_a_quote_that_is_never_closed_ends_the_search_for_the_header(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_export, "BLOCK", 20)
    lines = io.StringIO('a;b;"c\n' + "x,,,,,,,,\n" * 10)
    assert guess_separator(lines, lines.readline()) == ";"
    assert len(lines.readlines()) > 5


def test_a_separator_is_one_character() -> None:
    assert [check_separator(named) for named in (";", r"\t", "tab", None)] == [";", "\t", "\t", None]
    for named in ("", ";;", "\n", "\r"):
        with pytest.raises(UsageError, match="one character"):
            check_separator(named)


@pytest.mark.parametrize("above", [0, 1, 19])
def test_a_header_is_found_below_other_lines(file: Path, above: int) -> None:
    text = "\n" + "".join(f"title {line}\n\n" for line in range(above)) + "who;what\na;b\n"
    columns, rows, numbers = opened(file, text, ("who", "what"))
    assert (columns, rows) == (["who", "what"], [["a", "b"]])
    assert numbers == [2 * above + 3]


def test_beyond_twenty_lines_no_header_is_looked_for(file: Path) -> None:
    columns, _, _ = opened(file, "title\n" * 20 + "who;what\na;b\n", ("who", "what"))
    assert columns == ["title"]


def test_notes_tell_how_it_was_read(file: Path) -> None:
    file.write_text("my shop\nwho;what\na;b\n")
    assert open_csv(file, None, None, ("what",)).notes == (
        "the encoding: utf-8", "the separator: ';'", "the header: the line that begins with 'who'; 1 line above it",
    )  # fmt: skip
    assert open_csv(file, "latin-1", ";", ("what",)).notes[0] == "the encoding: latin-1"
    assert len(open_csv(file, None, ";").notes) == 2


def test_a_separator_that_is_named_is_not_guessed(file: Path) -> None:
    columns, rows, _ = opened(file, "a,b,c;d\n1,2,3;4\n", separator=";")
    assert (columns, rows) == (["a,b,c", "d"], [["1,2,3", "4"]])


def test_a_line_that_says_the_separator_is_no_header(file: Path) -> None:
    columns, rows, numbers = opened(file, "sep=;\na,b,c;d\n1;4\n")
    assert (columns, rows, numbers) == (["a,b,c", "d"], [["1", "4"]], [3])


def test_where_the_likeliest_separator_gives_no_header_the_others_are_tried(file: Path) -> None:
    columns, rows, _ = opened(file, "what, who and when,,,\nwho|what\na|b\n", ("who", "what"))
    assert (columns, rows) == (["who", "what"], [["a", "b"]])


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "ZIP archive"),
        (b"PAR1", "Parquet"),
        (b"\x1f\x8b", "gzip"),
        (b"%PDF", "PDF"),
        (b"\xd0\xcf\x11\xe0", "xls"),
    ],
)
def test_what_is_no_text_is_told(file: Path, start: bytes, kind: str) -> None:
    file.write_bytes(start + b"rest")
    with pytest.raises(CheckFailed, match=kind):
        open_csv(file, None, None)


def test_text_of_two_bytes_a_letter_without_a_mark_is_told(file: Path) -> None:
    file.write_bytes("who,what\n".encode("utf-16-le"))
    with pytest.raises(CheckFailed, match="NUL characters"):
        open_csv(file, None, None)


@pytest.mark.parametrize("block", [4, 5, 6, 7, 1 << 20])
def test_a_byte_that_is_not_of_the_encoding_is_found_with_its_line(
    file: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_export, "BLOCK", block)
    file.write_bytes("äb\ncaf".encode() + b"\xe9\n\xc3")
    with pytest.raises(OtherEncoding, match=r"byte 7, in line 2, is 0xe9"):
        check_encoding(file, "utf-8")
    file.write_bytes("äb\n\n".encode() + b"\xc3")
    with pytest.raises(OtherEncoding, match=r"byte 5, in line 3, is 0xc3"):
        check_encoding(file, "utf-8")
    check_encoding(file, "latin-1")


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13"])
def test_what_is_no_encoding_of_texts_is_told(file: Path, encoding: str) -> None:
    file.write_text("a")
    with pytest.raises(UsageError, match="No encoding is called"):
        check_encoding(file, encoding)


def test_a_row_needs_as_many_fields_as_columns_are_named(file: Path) -> None:
    assert named_width(["who", "column 2", "when"]) == 3
    assert named_width(["column 1"]) == 1
    file.write_text("who,what,,\na,b\nc\nd,e,f,g\n")
    chunk = next(iter(open_csv(file, None, None)))
    assert chunk.table.column(0).to_pylist() == ["a", "d"]
    assert chunk.numbers.tolist() == [2, 4]
    assert chunk.broken.equals(broken_lines({3: ["c"]}, 4))


@pytest.mark.parametrize(
    ("record", "swallows"),
    [
        (['1,"a\n', 'b",2017-03-01\n'], False),
        (['1,"a,2017-03-01\n', '2,b",2017-03-02\n'], True),
        (['1,"a, or b, or c\n', 'x, y and z, w",2017-03-01\n'], False),
        (['1,"a,2017-03-01\n', "2,b,2017-03-02\n"], True),
        (['1,"a"x",2017-03-01\n', 'b"\n'], False),
    ],
)
def test_lines_that_a_quote_swallows_are_told_from_a_text_of_several_lines(record: list[str], swallows: bool) -> None:
    assert swallows_rows(record, ",", 3) == swallows


def test_rows_are_alike_if_more_than_half_of_their_fields_are() -> None:
    assert alike(["1", "x", ""], ["2", "y", ""])
    assert not alike(["1", "x"], ["2", "7"])
    assert alike(["1", "x", "a"], ["2", "y", "7"])
    assert not alike(["", ""], ["", ""])


def test_an_open_quote_is_told_with_its_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{at},milk,2017-03-01\n" for at in range(3))
    file.write_text(f'who,what,when\n{rows}7,"milk,2017-03-01\n{rows}')
    with pytest.raises(CheckFailed, match=r"opened in line 5 of a\.csv .* swallows what follows: '7,\"milk"):
        list(open_csv(file, None, None))
    monkeypatch.setattr(csv_export, "BLOCK", 40)
    with pytest.raises(CheckFailed, match=r"opened in line 5 of a\.csv"):
        list(open_csv(file, None, ","))

"""Rows with more or fewer fields than columns are fitted where nothing is lost by it, and broken otherwise."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import CheckFailed, MlopsError, UsageError
from shared.importing import exports
from shared.importing.csv_export import text_column
from shared.importing.exports import (
    REASON,
    Export,
    Fitting,
    broken_lines,
    chunks_of,
    damage,
    header_names,
    misfit,
    shape_of,
    tell_above,
)


def parted(*rows: str, width: int = 3, needed: int = 3, before: list[str] | None = None) -> tuple[list[Any], list[int]]:
    """(good rows, numbers of broken ones) of rows whose fields are separated by blanks (`_` is an empty one)."""
    fitting = Fitting(width, needed)
    if before:
        fitting.part([(0, row.split()) for row in before])
    good, broken = fitting.part(
        [(at, ["" if cell == "_" else cell for cell in row.split()]) for at, row in enumerate(rows)]
    )
    return [row for _, row in good], sorted(broken)


def test_whole_rows_are_good() -> None:
    assert parted("a b c", "d e f") == ([["a", "b", "c"], ["d", "e", "f"]], [])


def test_a_short_row_is_good_if_what_is_needed_is_there() -> None:
    assert parted("a b", "a", "a b c", needed=2) == ([["a", "b", None], ["a", "b", "c"]], [1])
    assert parted("a b") == ([], [0])


def test_a_longer_row_is_good_if_the_others_are_empty_and_its_fields_look_as_usual() -> None:
    usual = "a 1 2017-03-01"
    assert parted(usual, usual, "b 2 2017-03-02 _ _") == (
        [["a", "1", "2017-03-01"]] * 2 + [["b", "2", "2017-03-02"]],
        [],
    )
    assert parted(usual, usual, "b 2 2017-03-02 x")[1] == [2]
    assert parted(usual, usual, "b x 2 _")[1] == [2]
    assert parted(usual, usual, "b x 2017-03-02 _")[1] == []
    assert parted(usual, usual, "2 x 2017-03-02 _")[1] == [2]


def test_a_column_of_many_ways_holds_any_text() -> None:
    many = ["a 1 x", "a-a 1 x", "a.a 1 x", "a/a 1 x", "a+a 1 x"]
    assert parted(*many, "9 y z _")[1] == [5]
    assert parted(*many, "a=a 1 x", "9 y z _")[1] == []


def test_where_most_rows_are_longer_that_is_how_they_are_written() -> None:
    assert parted("a b c _", "x 1 2017 _", "d e f") == (
        [["a", "b", "c"], ["x", "1", "2017"], ["d", "e", "f"]],
        [],
    )
    assert parted("a b c", "d e f", "x 1 2017 _", "y 2 2018 _")[1] == [2, 3]
    assert parted("a b c _") == ([], [0])
    assert parted("a b c _ _", "x 1 2017 _") == ([], [0, 1])


def test_what_earlier_chunks_looked_like_counts() -> None:
    assert parted("b 2 _", "2 x y _", before=["a 1 x"])[1] == [1]


def test_a_thousand_rows_tell_how_columns_are_written() -> None:
    fitting = Fitting(1, 1)
    fitting.learn([(at, ["a"]) for at in range(999)])
    fitting.learn([(0, ["1"]), (1, ["1-1"])])
    assert (fitting.whole, fitting.shapes) == (1001, [{"A", "9"}])
    fitting.learn([(2, ["1.1"])])
    assert (fitting.whole, fitting.shapes) == (1002, [{"A", "9"}])
    assert exports.MOST_LEARNED == 1000


def test_shapes_are_runs_of_digits_and_letters() -> None:
    assert [shape_of(text) for text in (" 12.50 ", "äb1", "", "a_1")] == ["9.9", "A9", "", "A_9"]


def test_chunks_hold_so_many_rows_and_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    rows = iter([(3, ["a", "b"]), (4, ["c"]), (6, ["d", "e"]), (7, ["f", "g"]), (8, ["h", "i"])])
    found = list(chunks_of(rows, 2, 2, text_column))
    assert [chunk.numbers.tolist() for chunk in found] == [[3], [6, 7], [8]]
    assert [chunk.table.num_columns for chunk in found] == [2, 2, 2]
    assert found[0].broken.to_dict("index") == {4: {"reason": "1 fields instead of 2", "line": "c"}}
    assert found[1].broken.empty
    empty = list(chunks_of(iter([(1, ["x"])]), 2, 2, text_column))
    assert (len(empty[0].table), empty[0].table.num_columns, empty[0].broken[REASON].size) == (0, 2, 1)


def test_broken_lines_say_how_many_fields_they_have() -> None:
    assert broken_lines({7: ["a", 1, None]}, 2).to_numpy().tolist() == [["3 fields instead of 2", "a,1,None"]]


def test_columns_without_a_name_have_a_number() -> None:
    assert header_names(["", " \n", "\ufeffwho", 2017]) == ["column 1", "column 2", "who", "2017"]
    assert tell_above(0, ["who"]) == []
    assert tell_above(2, ["who"]) == ["the header: the line that begins with 'who'; 2 lines above it"]


def export(*columns: str, name: str = "a.csv", nested: tuple[str, ...] = ()) -> Export:
    """An export with these columns."""
    return Export(Path(name), list(columns), 1, lambda: iter(()), nested=frozenset(nested))


def test_columns_that_were_named_must_be_there_once_and_hold_single_values() -> None:
    export("who", "unit price").require(["who", None, "unit\nprice"])
    assert export("who", "what").place(" what ") == 1
    with pytest.raises(UsageError, match=r"'who' is twice in a\.csv\. Its columns: who, who, x\.") as twice:
        export("who", "who", "x").require(["who"])
    assert "perhaps" not in str(twice.value.fix)
    with pytest.raises(UsageError, match="'whom' is not in") as missing:
        export("who", "x").require(["whom"])
    assert "'who', perhaps?" in str(missing.value.fix)
    assert "--separator" in str(missing.value.fix)
    with pytest.raises(UsageError, match="'price' is not in") as part:
        export("x", "the unit price of it", name="a.parquet").require(["price"])
    assert "'the unit price of it', perhaps?" in str(part.value.fix)
    assert "--separator" not in str(part.value.fix)
    with pytest.raises(UsageError, match="holds lists"):
        export("who", "what", nested=("what",)).require(["who", "what"])


def test_what_readers_say_of_damaged_files_is_told_and_our_own_errors_stay() -> None:
    with pytest.raises(CheckFailed, match=r"a\.csv is damaged or cut off, or no CSV file: cut"), damage(Path("a.csv")):
        raise ValueError("cut")
    with pytest.raises(CheckFailed, match=r"no XLSX file: MemoryError"), damage(Path("a.xlsx")):
        raise MemoryError
    ours = UsageError("ours", fix="so")
    with pytest.raises(MlopsError) as raised, damage(Path("a.csv")):
        raise ours
    assert raised.value is ours
    with pytest.raises(CheckFailed, match=r"a\.csv cannot be imported: odd value"), misfit(Path("a.csv")):
        raise TypeError("odd\nvalue")


def test_numbers_of_rows_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = next(iter(chunks_of(iter([(2**40, ["a"])]), 1, 1, text_column)))
    assert chunk.numbers.dtype == np.int64

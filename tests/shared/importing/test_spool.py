"""Rows that wait on disk come back as days, and what is left out can be read as it was."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME, TRANSACTIONS
from shared.importing.exports import LINE, REASON, Chunk, broken_lines
from shared.importing.spool import QUARANTINE, ROW, Spool, merge_repeated, unlike


def rows(*those: tuple[str, str, str, str, float]) -> pd.DataFrame:
    """Rows of (time, customer, basket, product, amount)."""
    frame = pd.DataFrame(those, columns=[TIME, CUSTOMER, BASKET, PRODUCT, AMOUNT]).assign(**{STORE: "s", QUANTITY: 1.0})
    return frame.assign(**{TIME: pd.to_datetime(frame[TIME]).astype("datetime64[ms]")})[TRANSACTIONS]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, ["who", "row", "who"])


def test_days_come_back_in_order_whatever_the_chunks_order(spool: Spool) -> None:
    with spool:
        spool.keep(rows(("2017-03-01 09:00", "a", "1", "p", 1.0), ("2017-02-28 23:59", "a", "2", "p", 2.0)))
        spool.keep(rows()[:0])
        spool.keep(rows(("2017-02-28 08:00", "b", "3", "p", 4.0), ("2017-02-01 00:00", "c", "4", "p", 8.0)))
    found = {str(day): of_day[AMOUNT].tolist() for day, of_day in spool.days()}
    assert list(found.items()) == [("2017-02-01", [8.0]), ("2017-02-28", [4.0, 2.0]), ("2017-03-01", [1.0])]
    spool.remove()
    assert not list(Path(spool._months).parent.iterdir())


def test_a_second_reading_begins_with_nothing(spool: Spool, tmp_path: Path) -> None:
    chunk = Chunk(pa.table([["x"], ["y"], ["z"]], names=["0", "1", "2"]), np.array([7]), broken_lines({}, 3))
    with spool:
        spool.keep(rows(("2017-03-01", "a", "1", "p", 1.0)))
        spool.set_apart(chunk, np.array(["no customer"]))
        spool.empty()
        assert not (tmp_path / QUARANTINE).exists()
        spool.keep(rows(("2017-03-02", "b", "1", "p", 2.0)))
    assert [str(day) for day, _ in spool.days()] == ["2017-03-02"]


def test_what_is_left_out_is_kept_as_it_was_with_its_number_and_reason(spool: Spool, tmp_path: Path) -> None:
    table = pa.table(
        [pa.array(["a", None, "c"]), pa.array([1, 2, 3]), pa.array(["x" * 2000, "y", "z"])], names=["0", "1", "2"]
    )
    chunk = Chunk(table, np.array([5, 6, 8]), broken_lines({7: ["d", 4]}, 3))
    with spool:
        spool.set_apart(chunk, np.array(["return", "no customer", ""]))
        spool.set_apart(Chunk(table, np.array([9, 10, 11]), broken_lines({}, 3)), np.array(["", "", ""]))
    kept = pd.read_parquet(tmp_path / QUARANTINE)
    assert list(kept) == [ROW, REASON, LINE, "who", "source_row", "who (2)"]
    assert kept[ROW].tolist() == [5, 6, 7]
    assert kept[REASON].tolist() == ["return", "no customer", "2 fields instead of 3"]
    assert kept[LINE].isna().tolist() == [True, True, False]
    assert kept[LINE].iloc[2] == "d,4"
    assert kept["who"].iloc[0] == "a"
    assert kept["who"].isna().tolist() == [False, True, True]
    assert kept["source_row"].iloc[1] == "2"
    assert kept["who (2)"].str.len().iloc[0] == 1000


def test_names_beside_ours_are_each_there_once() -> None:
    assert unlike(["a", "a", "a", "reason", "line"]) == ["a", "a (2)", "a (3)", "source_reason", "source_line"]


def test_repeated_rows_of_a_basket_are_one_row_of_that_day() -> None:
    merged = merge_repeated(
        rows(
            ("2017-03-01 10:00", "a", "1", "p", 1.0),
            ("2017-03-01 09:00", "a", "1", "p", 2.0),
            ("2017-03-01 09:30", "a", "1", "q", 4.0),
            ("2017-03-01 09:30", "a", "2", "p", 8.0),
            ("2017-03-01 09:30", "b", "1", "p", 16.0),
            ("2017-03-02 09:30", "a", "1", "p", 32.0),
        )
    )
    assert sorted(merged[AMOUNT]) == [3.0, 4.0, 8.0, 16.0, 32.0]
    summed = merged[merged[AMOUNT] == 3.0].iloc[0]
    assert (summed[QUANTITY], summed[TIME], summed[STORE]) == (2.0, pd.Timestamp("2017-03-01 09:00"), "s")
    assert merged.index.tolist() == [0, 1, 2, 3, 4]
    alone = rows(("2017-03-01 10:00", "a", "1", "p", 1.0))
    assert merge_repeated(alone) is alone

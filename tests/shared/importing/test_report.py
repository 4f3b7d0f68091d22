"""What became of rows: how many, worth what, which ones, and from how much on that needs a word."""

from contextlib import nullcontext

import numpy as np
import pyarrow as pa
import pytest

from shared.errors import CheckFailed
from shared.importing.report import Report, as_sentence, check_loss, hint, shares, tell_left_out, tell_reason


def report(taken: int, amount: float = 0.0, /, **lost: tuple[int, float]) -> Report:
    """A report of rows that were taken, and of others by their reason (`_` for a blank)."""
    made = Report()
    made.add(np.array([""] * taken), np.full(taken, amount / max(taken, 1)), np.arange(taken))
    for reason, (rows, worth) in lost.items():
        made.add(
            np.array([reason.replace("_", " ")] * rows), np.full(rows, worth / rows), np.arange(taken, taken + rows)
        )
    return made


def test_each_row_is_counted_once_with_what_it_is_worth() -> None:
    made = Report()
    reasons = np.array(["", "return", "", "no customer", "return"])
    made.add(reasons, np.array([1.0, 2.0, np.nan, 4.0, 8.0]), np.arange(11, 16))
    made.add(np.array(["return", ""]), np.array([np.nan, 16.0]), np.arange(16, 18))
    assert (made.read, made.taken, made.amount) == (7, 3, 17.0)
    assert made.left_out == {"return": 3, "no customer": 1}
    assert made.amounts == {"return": 10.0, "no customer": 4.0}
    assert made.examples == {"return": [12, 15, 16], "no customer": [14]}


def test_lines_that_cannot_be_read_are_rows_without_an_amount() -> None:
    made = report(2)
    made.add_broken(["3 fields instead of 4"] * 5, range(7, 12))
    assert (made.read, made.taken, made.left_out.total()) == (7, 2, 5)
    assert made.examples == {"3 fields instead of 4": [7, 8, 9]}
    assert made.amounts == {}


def test_a_value_shows_why_rows_are_left_out() -> None:
    made = Report()
    reasons = np.array(["", "time cannot be read", "amount cannot be read", "no customer", "time cannot be read"])
    made.add(reasons, np.zeros(5), np.arange(5))
    columns = {"time": pa.array(["2017", None, "x", "y", " soon\n" + "z" * 50]), "price": pa.array([1, 2, 3, 4, 5])}
    made.show(reasons, columns)
    assert made.shown == {"time cannot be read": "soon " + "z" * 35, "amount cannot be read": "3"}
    made.show(np.array(["time cannot be read"]), {"time": pa.array(["later"])})
    assert made.shown["time cannot be read"].startswith("soon")


def test_an_amount_that_is_a_column_is_shown_before_a_price() -> None:
    made = Report()
    reasons = np.array(["amount cannot be read"])
    made.add(reasons, np.zeros(1), np.arange(1))
    made.show(reasons, {"price": pa.array(["1"]), "amount": pa.array(["seven"])})
    assert made.shown == {"amount cannot be read": "seven"}


@pytest.mark.parametrize(("holes", "shown"), [(99, {"time cannot be read": "soon"}), (100, {})])
def test_a_value_is_looked_for_in_the_first_hundred_rows(holes: int, shown: dict[str, str]) -> None:
    made = Report()
    reasons = np.array(["time cannot be read"] * (holes + 1))
    made.add(reasons, np.zeros(holes + 1), np.arange(holes + 1))
    made.show(reasons, {"time": pa.array([None] * holes + ["soon"])})
    assert made.shown == shown


def test_shares_are_of_all_rows_and_of_the_whole_amount() -> None:
    made = report(90, 60.0, no_customer=(6, 30.0), no_product=(4, 10.0))
    assert shares(made, ["no customer"]) == pytest.approx((0.06, 0.3))
    assert shares(made, ["no customer", "no product"]) == pytest.approx((0.1, 0.4))
    assert shares(report(9, 0.0, no_customer=(1, 0.0)), ["no customer"]) == pytest.approx((0.1, 0.0))
    assert shares(Report(), ["no customer"]) == (0.0, 0.0)
    broken = report(1, 1.0)
    broken.add_broken(["3 fields instead of 4"], [2])
    assert shares(broken, ["3 fields instead of 4"]) == (0.5, 0.0)


@pytest.mark.parametrize(
    ("taken", "reason", "rows", "refused"),
    [
        (98, "no_customer", 2, False),
        (97, "no_customer", 3, True),
        (80, "return", 20, False),
        (79, "return", 21, True),
        (80, "cancelled", 20, False),
        (79, "cancelled", 21, True),
        (1, "left_out_as_no_product", 99, False),
    ],
)
def test_more_than_two_of_a_hundred_lost_or_twenty_returned_needs_a_word(
    taken: int, reason: str, rows: int, refused: bool
) -> None:
    made = report(taken, 0.0, **{reason: (rows, 0.0)})
    check_loss(made, "a.csv", accepted=True)
    told = pytest.raises(CheckFailed, match=rf"{rows}\.0% of the rows of a\.csv and 0\.0% of the amount")
    with told if refused else nullcontext():
        check_loss(made, "a.csv")


def test_returns_and_cancelled_rows_count_together_and_losses_apart() -> None:
    check_loss(report(79, 0.0, **{"return": (10, 0.0), "cancelled": (10, 0.0), "no_customer": (1, 0.0)}), "a.csv")
    with pytest.raises(CheckFailed, match=r"21\.0% of the rows"):
        check_loss(report(79, 0.0, **{"return": (10, 0.0), "cancelled": (11, 0.0)}), "a.csv")


def test_where_nothing_can_be_taken_no_word_helps() -> None:
    with pytest.raises(CheckFailed, match=r"No row of a\.csv can be taken: no product: 3, no customer: 2\.") as told:
        check_loss(report(0, 0.0, no_customer=(2, 0.0), no_product=(3, 0.0)), "a.csv", accepted=True)
    assert told.value.fix == "Pass another --product. Look at the columns that were named."
    with pytest.raises(CheckFailed, match="can be taken: there are none") as empty:
        check_loss(Report(), "a.csv")
    assert str(empty.value.fix).startswith("Export it again, with rows.")


def test_a_reason_is_told_with_all_that_is_known_of_it() -> None:
    made = report(1, 1.0, no_customer=(1234, 1234.5))
    assert tell_reason(made, "no customer") == (
        "  1,234 rows worth 1,234.50: no customer (row 1, 2, 3): "
        "if the customers are named in another column, pass that as --customer"
    )
    bare = report(1, 1.0, time_cannot_be_read=(1, 0.0))
    bare.shown["time cannot be read"] = "soon"
    assert tell_reason(bare, "time cannot be read").startswith(
        "  1 row: time cannot be read (row 1, 'soon'): pass the "
    )


def test_every_reason_has_a_hint_and_a_broken_line_is_to_be_mended() -> None:
    assert hint("3 fields instead of 4").startswith("mend the export")
    assert hint("return").startswith("pass another --quantity")
    assert hint("") == "export it again, with rows"
    assert as_sentence("pass it") == "Pass it."


def test_what_is_left_out_is_told_by_size() -> None:
    assert (
        tell_left_out(report(1, 0.0, **{"return": (1, 0.0), "no_customer": (1200, 0.0)}))
        == "no customer: 1,200, return: 1"
    )
    assert tell_left_out(report(1)) == "there are none"


def test_a_record_keeps_what_a_reader_of_the_shop_needs() -> None:
    made = report(2, 3.0, **{"return": (1, 2.0)})
    record = made.as_record()
    assert record == {
        "read": 3, "taken": 2, "left_out": {"return": 1}, "amount": 3.0, "amounts": {"return": 2.0}, "notes": [],
        "candidates": [],
    }  # fmt: skip
    assert {**record, "examples": {"return": [2]}}.items() <= made.as_data().items()

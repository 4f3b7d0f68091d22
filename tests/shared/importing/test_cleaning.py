"""Each row is taken, or left out for the first reason that holds; what it is worth is told either way."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from shared.columns import AMOUNT, BASKET, CUSTOMER, NAME, PRODUCT, QUANTITY, STORE, TIME
from shared.identifiers import LONGEST_ID
from shared.importing.cleaning import baskets, estimated, read_numbers, read_text, shortened, sort_out, time_reasons
from shared.importing.mapping import Mapping

LATEST = pd.Timestamp("2017-03-31 23:59")
ALL = Mapping(
    "c", "p", "t", basket="b", quantity="q", amount="a", store="s", name="n", cancelled="C", left_out=("POST",)
)
GOOD = {
    "customer": "anna", "product": "85048", "time": "2017-03-01 10:00", "basket": "7", "quantity": "2",
    "amount": "3.50", "store": "north", "name": "Glass  ball",
}  # fmt: skip


def sorted_out(*rows: dict[str, Any], mapping: Mapping = ALL) -> tuple[pd.DataFrame, list[str], list[float]]:
    """(taken rows, reasons, worth) of rows that differ from a good one."""
    whole = [GOOD | row for row in rows]
    columns = {name: pa.array([row[name] for row in whole], pa.string()) for name in GOOD}
    taken, reasons, worth = sort_out(columns, mapping, LATEST)
    return taken, reasons.tolist(), worth.tolist()


def test_a_good_row_is_taken_with_all_that_it_says() -> None:
    taken, reasons, worth = sorted_out({}, {"store": None, "name": None})
    assert reasons == ["", ""]
    assert worth == [3.5, 3.5]
    first, second = taken.to_dict("records")
    assert (first[CUSTOMER], first[PRODUCT], first[BASKET], first[STORE], first[NAME]) == (
        "anna", "85048", "7", "north", "Glass ball",
    )  # fmt: skip
    assert (first[QUANTITY], first[AMOUNT], first[TIME]) == (2.0, 3.5, pd.Timestamp("2017-03-01 10:00"))
    assert (second[STORE], second[NAME]) == ("unknown", "85048")


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"customer": " "}, "no customer"),
        ({"customer": None, "product": None, "time": "soon"}, "no customer"),
        ({"product": None, "time": "soon"}, "no product"),
        ({"product": "5.01235E+12"}, "identifier rounded by a spreadsheet or a float"),
        ({"basket": "1.2345678901234568e+17"}, "identifier rounded by a spreadsheet or a float"),
        ({"store": "x" * (LONGEST_ID + 1)}, f"identifier longer than {LONGEST_ID}"),
        ({"customer": "x" * LONGEST_ID}, ""),
        ({"product": "a\x01b"}, "identifier with a control character"),
        ({"time": "soon", "quantity": "two"}, "time cannot be read"),
        ({"time": "1979-12-31 23:59"}, "time before 1980 or in the future"),
        ({"time": "1980-01-01"}, ""),
        ({"time": "2017-03-31 23:59"}, ""),
        ({"time": "2017-04-01"}, "time before 1980 or in the future"),
        ({"quantity": "two", "amount": "much"}, "quantity cannot be read"),
        ({"amount": "much", "basket": "C7"}, "amount cannot be read"),
        ({"basket": "C7", "quantity": "-2"}, "cancelled"),
        ({"basket": "CA7"}, ""),
        ({"quantity": "-2", "product": "POST"}, "return"),
        ({"amount": "-3.50"}, "return"),
        ({"quantity": "0", "amount": "0"}, ""),
        ({"product": "POST"}, "left out as no product"),
    ],
)
def test_the_first_reason_counts(odd: dict[str, Any], reason: str) -> None:
    taken, reasons, _ = sorted_out({}, odd)
    assert reasons == ["", reason]
    assert len(taken) == (1 if reason else 2)


def test_without_columns_for_them_a_quantity_is_1_and_an_amount_0() -> None:
    time = pa.array(["x", "y"])
    read = read_numbers({"time": time}, ALL)
    assert (read[QUANTITY].tolist(), read[AMOUNT].tolist()) == ([1, 1], [0, 0])
    of_prices = read_numbers({"time": time, "price": pa.array(["0.3333", "2"]), "quantity": pa.array(["3", "4"])}, ALL)
    assert of_prices[AMOUNT].tolist() == [0.9999, 8.0]
    rounded = read_numbers({"time": time, "price": pa.array(["0.33333", "2"]), "quantity": pa.array(["1", "1"])}, ALL)
    assert rounded[AMOUNT].tolist() == [0.3333, 2.0]


def test_what_a_row_is_worth_is_estimated_where_it_cannot_be_read() -> None:
    unread = {AMOUNT: np.array([np.nan, np.nan, -4.0])}
    time = pa.array(["x"] * 3)
    by_amount = {"time": time, "amount": pa.array(["-1,5", "much", "-4"])}
    assert estimated(by_amount, ALL, unread).tolist() == pytest.approx([1.5, np.nan, 4.0], nan_ok=True)
    by_price = {"time": time, "price": pa.array(["1,5", "2", "4"]), "quantity": pa.array(["-2", "x", "1"])}
    assert estimated(by_price, ALL, unread).tolist() == pytest.approx([3.0, np.nan, 4.0], nan_ok=True)
    assert estimated({"time": time, "price": by_price["price"]}, ALL, unread).tolist() == [1.5, 2.0, 4.0]
    assert estimated({"time": time, "quantity": pa.array(["2"] * 3)}, ALL, unread).tolist() == [0.0, 0.0, 4.0]


def test_rows_without_a_basket_are_one_per_customer_and_day() -> None:
    named = pa.array(["7", None, None, None, None])
    customers = pa.array(["a", "a", "a", "b", None])
    days = np.array(
        ["2017-03-01T10", "2017-03-01T11", "2017-03-02T10", "2017-03-01T10", "2017-03-01"], "datetime64[ms]"
    )
    assert baskets(named, customers, days).to_pylist() == ["7", "a 2017-03-01", "a 2017-03-02", "b 2017-03-01", None]
    whole = pa.array(["7"])
    assert baskets(whole, customers[:1], days[:1]) is whole


def test_a_long_customer_has_a_basket_of_its_own_that_is_no_longer_than_an_identifier() -> None:
    longest = LONGEST_ID - len(" 2017-03-01")
    assert shortened("x" * longest) == "x" * longest
    cut = [str(shortened("x" * longest + mark)) for mark in "ab"]
    assert [len(name) for name in cut] == [longest, longest]
    assert cut[0] != cut[1]
    assert cut[0].startswith("x" * (longest - 17) + "~")
    assert shortened(None) is None


def test_words_for_nothing_are_no_identifier_and_a_point_zero_may_go() -> None:
    columns = {"time": pa.array(["x", "x"]), "customer": pa.array(["NA", "7.0"]), "product": pa.array(["NA", "7.0"])}
    plain = read_text(columns, Mapping("c", "p", "t"))
    assert plain[CUSTOMER].to_pylist() == ["NA", "7.0"]
    said = read_text(columns, Mapping("c", "p", "t", missing=("NA",), point_zero={"customer": "drop"}))
    assert said[CUSTOMER].to_pylist() == [None, "7"]
    assert said[PRODUCT].to_pylist() == [None, "7.0"]
    assert said[NAME].to_pylist() == [None, "7.0"]
    assert said[BASKET].to_pylist() == [None, None]


def test_a_time_that_cannot_be_read_is_not_in_the_future() -> None:
    reasons = time_reasons(np.array(["NaT"], "datetime64[ms]"), LATEST)
    assert [mask.tolist() for mask in reasons.values()] == [[True], [False]]

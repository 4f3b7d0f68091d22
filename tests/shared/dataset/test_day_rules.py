"""What a single day must hold whatever the days before it held: columns, types, ranges, identifiers, its own date."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset.checks import FINDINGS, Limits, check_catalogue, check_day, check_rows, check_schema, compare
from shared.dataset.reference import Reference, Window, profile
from tests.conftest import FIRST_DAY, make_transactions


def a_day(**changed: Any) -> pd.DataFrame:
    """The checkerboard's first day, with some columns changed."""
    return make_transactions(days=1).assign(**changed)


def odd(column: str, value: Any, many: int = 1) -> pd.DataFrame:
    """A day with an odd value in its first rows."""
    rows = a_day()
    rows[column] = rows[column].astype(object) if isinstance(value, str | None) else rows[column]
    rows.loc[: many - 1, column] = value
    return rows


@pytest.mark.parametrize(
    ("column", "value", "finds"),
    [
        (AMOUNT, -0.01, True),
        (AMOUNT, 0.0, False),
        (AMOUNT, np.inf, True),
        (AMOUNT, np.nan, True),
        (QUANTITY, -1.0, True),
        (QUANTITY, 0.0, False),
        (QUANTITY, 89_638.0, False),
        (CUSTOMER, None, True),
        (TIME, pd.NaT, True),
    ],
)
def test_ranges_and_holes(column: str, value: Any, finds: bool) -> None:
    found = check_schema(odd(column, value))
    assert {finding[1] for finding in found} == ({column} if finds else set())


def test_what_is_wrong_is_counted_with_its_first_value() -> None:
    ((check, column, found, limit),) = check_schema(odd(AMOUNT, -2.5, many=3))
    assert (column, found, limit) == (AMOUNT, "3 x -2.5", "none")
    assert "in_range" in check


@pytest.mark.parametrize("column", [CUSTOMER, BASKET, PRODUCT, STORE, TIME, QUANTITY, AMOUNT])
def test_each_column_must_be_there_with_its_type(column: str) -> None:
    assert check_schema(a_day().drop(columns=column))
    assert check_schema(a_day(**{column: 1}))
    assert check_schema(a_day()) == []


def test_rows_of_one_basket_and_product_are_counted_once() -> None:
    rows = a_day()
    assert check_rows(rows, FIRST_DAY) == []
    again = pd.concat([rows, rows.iloc[:3], rows.iloc[:1]])
    assert check_rows(again, FIRST_DAY) == [("repeated rows", BASKET, "4", "0")]
    assert check_rows(pd.concat([rows, rows.iloc[:3].assign(**{BASKET: "z"})]), FIRST_DAY) == []


def test_rows_of_another_day_are_counted() -> None:
    rows = a_day()
    rows.loc[:1, TIME] = pd.Timestamp("2017-01-02")
    rows.loc[2, TIME] = pd.Timestamp("2017-01-01 23:59:59.999")
    assert check_rows(rows, FIRST_DAY) == [("rows of another day", TIME, "2", "0")]
    assert check_rows(rows, date(2017, 1, 2))[0][2] == "18"


@pytest.mark.parametrize("garbled", ["caf\ufffd", "cafÃ©", "itâ€™s"])
@pytest.mark.parametrize("column", [CUSTOMER, BASKET, PRODUCT, STORE])
def test_garbled_identifiers_are_counted_each_once(column: str, garbled: str) -> None:
    rows = odd(column, garbled, many=2)
    rows.loc[2, column] = f"{garbled}!"
    assert ("encoding", column, "2 garbled identifiers", "0") in check_rows(rows, FIRST_DAY)


def test_identifiers_that_cannot_be_used_are_counted_by_reason() -> None:
    rows = odd(PRODUCT, "a\x01")
    rows.loc[1, PRODUCT] = "b\x01"
    (found,) = check_rows(rows, FIRST_DAY)
    assert found[:2] == ("identifiers", PRODUCT)
    assert found[2].startswith("2 x ")


def test_products_that_the_catalogue_lacks_are_told_as_a_share() -> None:
    rows = a_day(**{PRODUCT: ["known"] * 18 + ["new"] * 2})
    assert check_catalogue(rows, pd.Index(["known"]), Limits()) == [("unknown products", PRODUCT, "10.0%", "5%")]


def same_days(many: int) -> Reference:
    """A reference of days like the checkerboard's first one, `many` times as large."""
    one = profile(a_day())
    unlike = one.contents + np.uint64(1)
    return Reference(
        rows=20.0 * many, seconds=np.repeat(one.seconds, many), amounts=np.repeat(one.amounts, many),
        quantities=np.repeat(one.quantities, many), rows_by_store=one.stores,
        window=Window(one.customers, one.products, one.purchases, unlike, np.zeros(20, dtype=np.int64)),
        shares={"customers": 1.0, "products": 1.0, "purchases": 1.0, "repeated": 0.0},
    )  # fmt: skip


def test_a_day_is_compared_only_if_it_can_be_read() -> None:
    none = pd.Index([])
    whole = check_day(a_day(), FIRST_DAY, none, same_days(100))
    assert list(whole) == FINDINGS
    assert "number of rows" in whole["check"].tolist()
    assert whole["day"].tolist() == [FIRST_DAY] * len(whole)
    repeated = pd.concat([a_day(), a_day().iloc[:1]])
    assert check_day(repeated, FIRST_DAY, none, same_days(100))["check"].tolist() == ["repeated rows"]
    assert check_day(a_day(), FIRST_DAY, none, None).empty
    renamed = a_day().rename(columns={AMOUNT: "sales"})
    assert "number of rows" not in check_day(renamed, FIRST_DAY, none, same_days(100))["check"].tolist()


@pytest.mark.parametrize(
    ("stores", "found"),
    [({"s0": 30, "s1": 40, "other": 30}, []), ({"s0": 30, "s1": 39, "other": 31}, ["stores present"])],
)
def test_stores_with_seven_of_ten_of_the_usual_rows_must_be_there(stores: dict[str, int], found: list[str]) -> None:
    rows = pd.concat([a_day(**{STORE: store}).iloc[:10] for store in ("s0", "s1", "new")])
    usual = same_days(5)
    reference = Reference(**{**vars(usual), "rows_by_store": pd.Series(stores)})
    checks = [finding[0] for finding in compare(rows, reference, Limits())]
    assert [check for check in checks if check == "stores present"] == found


def test_an_empty_day_is_told_as_such_alone() -> None:
    assert compare(a_day().iloc[:0], same_days(5), Limits()) == [
        ("number of rows", "", "0 rows, 0.00 of the usual", "0.25 to 4.0")
    ]
    assert compare(a_day(), same_days(4), Limits()) == []

"""Slices of customers and departments."""

from datetime import date, timedelta

import pandas as pd

from level3_cicd.slices import by_customer, by_department, recall_by_customer
from shared.columns import CUSTOMER, DEPARTMENT, PRODUCT, QUANTITY, RANK, TIME
from tests.conftest import make_products, make_transactions


def test_light_heavy_and_new_customers_are_told_apart() -> None:
    known = make_transactions(customers=4, days=60)
    light = (known[CUSTOMER] == "c00") & (known[PRODUCT] > "p04")
    late = (known[CUSTOMER] == "c03") & (known[TIME] < "2017-02-20")
    kinds = by_customer(known[~light & ~late], pd.Index(["c00", "c01", "c03", "c-nobody"]), date(2017, 3, 1))
    assert {kind: list(names) for kind, names in kinds.items()} == {
        "light": ["c00"],
        "heavy": ["c01"],
        "new": ["c03", "c-nobody"],
    }


def test_departments_are_those_with_most_purchases() -> None:
    bought = pd.DataFrame({CUSTOMER: list("aabb"), PRODUCT: ["p00", "p01", "p00", "p02"]})
    products = make_products().assign(**{DEPARTMENT: [f"D{number % 2}" for number in range(20)]})
    parts = by_department(bought, products)
    assert [(name, len(part)) for name, part in parts.items()] == [("D0", 3), ("D1", 1)]


def bought(customer: str, products: int, first: date) -> pd.DataFrame:
    """A customer who buys so many products once, on one day."""
    return pd.DataFrame(
        {
            CUSTOMER: customer,
            PRODUCT: [f"{customer} {number}" for number in range(products)],
            TIME: pd.Timestamp(first) + pd.Timedelta("23:59:59"),
            QUANTITY: 1.0,
        }
    )


def test_a_customer_is_new_for_28_days_and_heavy_above_the_median_of_those_who_are_not() -> None:
    through = date(2017, 3, 1)
    rows = [
        bought("27 days", 9, through - timedelta(days=27)),
        bought("28 days", 1, through - timedelta(days=28)),
        bought("median", 2, through - timedelta(days=40)),
        bought("above", 3, through - timedelta(days=40)),
        bought("not judged", 9, through - timedelta(days=40)),
    ]
    judged = pd.Index(["27 days", "28 days", "median", "above", "unknown"])
    kinds = by_customer(pd.concat(rows), judged, through)
    assert {kind: list(names) for kind, names in kinds.items()} == {
        "light": ["28 days", "median"],
        "heavy": ["above"],
        "new": ["27 days", "unknown"],
    }


def test_only_the_five_largest_departments_are_slices() -> None:
    names = [f"D{number}" for number in range(6)]
    products = pd.DataFrame({PRODUCT: names, DEPARTMENT: names})
    rows = [(f"c{at}", name) for number, name in enumerate(names) for at in range(number + 1)]
    assert list(by_department(pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT]), products)) == names[:0:-1]


def test_recall_is_of_what_was_bought_in_the_department_by_those_who_bought_there() -> None:
    lists = pd.DataFrame({CUSTOMER: list("aabb"), PRODUCT: ["p0", "p1", "p0", "p2"], RANK: [1, 2, 1, 2]})
    there = pd.DataFrame({CUSTOMER: list("aa"), PRODUCT: ["p1", "p9"]})
    assert recall_by_customer(lists, there).to_dict() == {"a": 0.5}

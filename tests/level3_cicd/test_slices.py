"""Slices of customers and departments."""

from datetime import date

import pandas as pd

from level3_cicd.slices import by_customer, by_department
from shared.columns import CUSTOMER, DEPARTMENT, PRODUCT, TIME
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

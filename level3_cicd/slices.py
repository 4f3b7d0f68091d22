"""The parts of the customers and of the catalogue that the gate looks at one by one."""

from datetime import date

import pandas as pd

from shared.columns import CUSTOMER, DEPARTMENT, PRODUCT, TIME
from shared.dataset.purchases import sold
from shared.model.metrics import score_customers

NEW_DAYS = 28
DEPARTMENTS = 5


def by_customer(known: pd.DataFrame, customers: pd.Index, known_through: date) -> dict[str, pd.Index]:
    """Light, heavy and new customers (at most `NEW_DAYS` days known) of those who are judged.

    Heavy ones have bought more different products than half of those who are not new.
    """
    bought = sold(known[known[CUSTOMER].isin(customers)]).groupby(CUSTOMER)
    products = bought[PRODUCT].nunique().reindex(customers)
    days_known = (pd.Timestamp(known_through) - bought[TIME].min().dt.normalize()).dt.days.reindex(
        customers, fill_value=0
    )
    new = days_known < NEW_DAYS
    heavy = ~new & (products > products[~new].median())
    return {"light": customers[~new & ~heavy], "heavy": customers[heavy], "new": customers[new]}


def by_department(bought: pd.DataFrame, products: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What was bought in each of the departments with most purchases."""
    department = bought[PRODUCT].map(products.set_index(PRODUCT)[DEPARTMENT])
    return {str(name): bought[department == name] for name in department.value_counts().index[:DEPARTMENTS]}


def recall_by_customer(lists: pd.DataFrame, bought: pd.DataFrame) -> pd.Series:
    """Recall@10 of what was bought, by customer."""
    return score_customers(lists, bought)["recall"]

"""The parts of the customers and of the catalogue that the gate looks at one by one."""

from datetime import date

import numpy as np
import pandas as pd

from shared.columns import CUSTOMER, DEPARTMENT, PRODUCT
from shared.histories import Histories, day_number
from shared.metrics import score_customers

NEW_DAYS = 28
DEPARTMENTS = 5


def by_customer(histories: Histories, customers: pd.Index, known_through: date) -> dict[str, pd.Index]:
    """Light, heavy and new customers (at most `NEW_DAYS` days known) of those who are judged."""
    rows = histories.rows_of(np.array([name.encode() for name in customers], dtype=np.bytes_))
    known = rows >= 0
    bought = np.zeros(len(rows))
    bought[known] = (histories.starts[rows[known] + 1] - histories.starts[rows[known]]).astype(float)
    first = np.full(len(rows), day_number(known_through))
    for at in np.flatnonzero(known):
        first[at] = histories.first[histories.starts[rows[at]] : histories.starts[rows[at] + 1]].min()
    new = day_number(known_through) - first < NEW_DAYS
    heavy = bought > np.median(bought[~new]) if (~new).any() else np.zeros(len(rows), dtype=bool)
    return {"light": customers[~new & ~heavy], "heavy": customers[~new & heavy], "new": customers[new]}


def by_department(bought: pd.DataFrame, products: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What was bought in each of the departments with most purchases."""
    department = bought[PRODUCT].map(products.set_index(PRODUCT)[DEPARTMENT])
    return {str(name): bought[department == name] for name in department.value_counts().index[:DEPARTMENTS]}


def recall_by_customer(lists: pd.DataFrame, bought: pd.DataFrame) -> pd.Series:
    """Recall@10 of what was bought, by customer."""
    return score_customers(lists[lists[CUSTOMER].isin(bought[CUSTOMER])], bought)["recall"]

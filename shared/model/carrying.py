"""Histories carried forward: a day's purchases are added to what is known, instead of gathering a year anew.

The arrays are equal in every bit to those of `gather` on all transactions; level 4 does this every evening.
"""

from datetime import date

import numpy as np
import pandas as pd

from shared.columns import CUSTOMER, PRODUCT
from shared.model.histories import Histories, day_number, day_numbers, known_by, positions, to_bytes, union


def carry(histories: Histories, transactions: pd.DataFrame, through: date) -> Histories:
    """Histories through a later day; of the transactions, those after the histories' day and through that day count."""
    bought = known_by(transactions, through)
    bought = bought[day_numbers(bought) > day_number(histories.day)]
    customers, customer_before, customer = together(histories.customers, bought[CUSTOMER])
    products, product_before, product = together(histories.products, bought[PRODUCT])
    size = len(products)
    before = customer_before[histories.customer] * size + product_before[histories.product]
    order = np.lexsort((day_numbers(bought), product, customer))
    days = day_numbers(bought)[order].astype(np.uint16)
    pairs, times = np.unique(customer[order] * size + product[order], return_counts=True)
    at = np.searchsorted(before, pairs)
    new = before[np.minimum(at, len(before) - 1)] != pairs if len(before) else np.ones(len(pairs), dtype=bool)

    # What is new goes behind the purchases that a known pair has, and where a new pair belongs among the known ones.
    behind = histories.ends[np.where(new, at, at + 1)]
    counts = histories.times.copy()
    counts[at[~new]] += times[~new]
    counts = np.insert(counts, at[new], times[new])
    pair = np.insert(before, at[new], pairs[new])
    return Histories(
        day=through,
        customers=customers,
        products=products,
        starts=np.searchsorted(pair, np.arange(len(customers) + 1) * size).astype(np.int64),
        product=(pair % max(size, 1)).astype(np.int32),
        ends=np.append(0, np.cumsum(counts)).astype(np.int64),
        days=np.insert(histories.days, np.repeat(behind, times), days),
    )


def together(known: np.ndarray, names: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(the known and the named, sorted bytes; where the known are in it; where each name is in it)."""
    codes, named = to_bytes(names)
    everything = union(known, named)
    if everything is known:
        return known, np.arange(len(known)), positions(known, named)[codes]
    return everything, positions(everything, known), positions(everything, named)[codes]

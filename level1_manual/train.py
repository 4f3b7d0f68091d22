"""Train the recommender on transactions.csv and overwrite model.pkl. A person runs it."""

import pickle

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from level1_manual.prepare import PRODUCTS, TRANSACTIONS
from level1_manual.workplace import laptop
from shared.columns import BASKET, CUSTOMER, NAME, PRODUCT, STORE, TIME
from shared.model.frecency import Frecency
from shared.program import run_program

# A purchase counts half after twelve weeks. It was the best of the three values tried one afternoon.
HALF_LIFE = 84
# How much what everybody buys counts beside what this customer buys.
POPULAR_WEIGHT = 2
MODEL = "model.pkl"


def read_transactions() -> pd.DataFrame:
    """The CSV as it was exported; identifiers are text."""
    return read_csv(TRANSACTIONS, [CUSTOMER, BASKET, PRODUCT, STORE]).astype({TIME: "datetime64[ms]"})


def read_csv(name: str, text: list[str]) -> pd.DataFrame:
    """A CSV whose text columns are nothing but text: a reader that guesses takes 007 for 7, and NA for nothing."""
    options = csv.ConvertOptions(column_types=dict.fromkeys(text, pa.string()), strings_can_be_null=False)
    return csv.read_csv(laptop() / name, convert_options=options).to_pandas()


def main() -> None:
    """Train on everything there is."""
    transactions = read_transactions()
    model = Frecency(half_life=HALF_LIFE, popular_weight=POPULAR_WEIGHT).fit(transactions)
    products = read_csv(PRODUCTS, [PRODUCT, NAME])
    names = dict(zip(products[PRODUCT], products[NAME], strict=True))
    with (laptop() / MODEL).open("wb") as file:
        pickle.dump((model, names), file)
    print(f"Trained on {len(transactions):,} transactions; {laptop() / MODEL} is overwritten")


if __name__ == "__main__":
    run_program(main)

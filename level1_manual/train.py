"""Train the recommender on transactions.csv and overwrite model.pkl. A person runs it."""

import pickle

import pandas as pd

from level1_manual.prepare import PRODUCTS, TRANSACTIONS
from level1_manual.workplace import laptop
from shared.columns import BASKET, CUSTOMER, NAME, PRODUCT, STORE, TIME
from shared.errors import run_program
from shared.model.frecency import Frecency

# A purchase counts half after twelve weeks. It was the best of the three values tried one afternoon.
HALF_LIFE = 84
# How much what everybody buys counts beside what this customer buys.
POPULAR_WEIGHT = 2
MODEL = "model.pkl"


def read_transactions() -> pd.DataFrame:
    """The CSV as it was exported; identifiers are text."""
    text = dict.fromkeys([CUSTOMER, BASKET, PRODUCT, STORE], str)
    return pd.read_csv(laptop() / TRANSACTIONS, dtype=text, parse_dates=[TIME], engine="pyarrow")


def main() -> None:
    """Train on everything there is."""
    transactions = read_transactions()
    model = Frecency(half_life=HALF_LIFE, popular_weight=POPULAR_WEIGHT).fit(transactions)
    products = pd.read_csv(laptop() / PRODUCTS, dtype=str)
    names = dict(zip(products[PRODUCT], products[NAME], strict=True))
    with (laptop() / MODEL).open("wb") as file:
        pickle.dump((model, names), file)
    print(f"Trained on {len(transactions):,} transactions; {laptop() / MODEL} is overwritten")


if __name__ == "__main__":
    run_program(main)

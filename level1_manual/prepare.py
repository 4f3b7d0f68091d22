"""Export the till's transactions as a CSV. A person runs it, when they think of it."""

import argparse
from datetime import date

import pyarrow as pa
from pyarrow import csv

from level1_manual.workplace import laptop
from shared.dataset.feed import open_feed, require_day
from shared.places import level_folder, shop_folder
from shared.program import run_program
from shared.service.belonging import settle

# Everything since the beginning: the file grows with the year, and nobody has asked why.
TRANSACTIONS = "transactions.csv"
PRODUCTS = "products.csv"


def main() -> None:
    """Write transactions.csv and products.csv."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--as-of", type=date.fromisoformat, required=True, help="last day to export")
    as_of = arguments.parse_args().as_of
    feed = open_feed(shop_folder())
    require_day(feed, as_of)
    settle(level_folder(1), shop_folder())
    laptop().mkdir(parents=True, exist_ok=True)
    transactions = feed.through(as_of)
    csv.write_csv(pa.Table.from_pandas(transactions, preserve_index=False), laptop() / TRANSACTIONS)
    csv.write_csv(pa.Table.from_pandas(feed.products(), preserve_index=False), laptop() / PRODUCTS)
    print(f"{len(transactions):,} transactions through {as_of} are in {laptop() / TRANSACTIONS}")


if __name__ == "__main__":
    run_program(main)

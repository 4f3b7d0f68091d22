"""Three shops of unlike habits, and the files that they export. Made up, and the same each time.

Each customer buys mostly from a handful of products of their own, so that whoever knows them does better than popular.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FAVOURITES = 12


@dataclass(frozen=True)
class Shop:
    """What a shop sells to whom, and the words that import its file."""

    name: str
    suffix: str
    words: list[str]
    first: date
    customer: str
    days: int = 98
    customers: int = 240
    products: int = 300
    closed_on: int | None = None
    left_out: set[str] = field(default_factory=set)

    @property
    def last(self) -> date:
        """The last day of the first file."""
        return self.first + timedelta(days=self.days - 1)


GERMAN = Shop(
    name="kiosk",
    suffix=".csv",
    words=[
        *("--customer", "Kundennr", "--product", "Artikel", "--time", "Zeit", "--quantity", "Menge"),
        *("--price", "Einzel preis", "--name", "Bezeichnung", "--encoding", "cp1252", "--decimal", ","),
        *("--thousands", "."),
    ],
    first=date(2021, 3, 1),
    customer="00000007",
)
LOYALTY = Shop(
    name="loyalty",
    suffix=".parquet",
    words=[
        *("--customer", "card", "--product", "sku", "--time", "sold_at", "--basket", "invoice", "--quantity", "units"),
        *("--amount", "total", "--store", "store", "--name", "title"),
    ],
    first=date(2016, 2, 1),
    customer="910000000000000007",
    left_out={"no customer", "return"},
)
WHOLESALE = Shop(
    name="wholesale",
    suffix=".csv",
    words=[
        *("--customer", "Customer ID", "--product", "StockCode", "--time", "InvoiceDate", "--basket", "Invoice"),
        *("--quantity", "Quantity", "--price", "Price", "--store", "Country", "--name", "Description"),
        *("--leave-out", "POST|M", "--accept-loss"),
    ],
    first=date(2010, 2, 1),
    customer="12353",
    closed_on=5,
    left_out={"no customer", "cancelled", "left out as no product"},
)
SHOPS = [GERMAN, LOYALTY, WHOLESALE]


def sales(shop: Shop, first_day: int, last_day: int) -> pd.DataFrame:
    """A shop's sales from one of its days to another: each day is the same whatever the days before and after."""
    parts = []
    for number in range(first_day, last_day + 1):
        day = shop.first + timedelta(days=number)
        if day.weekday() == shop.closed_on:
            continue
        chance = np.random.default_rng([number, len(shop.name)])
        visitors = np.flatnonzero(chance.random(shop.customers) < 0.25)
        size = chance.integers(2, 7, len(visitors))
        who = np.repeat(visitors, size)
        own = (who * 37 + chance.integers(0, FAVOURITES, len(who)) ** 2) % shop.products
        all_buy = np.minimum(chance.zipf(1.5, len(who)), shop.products) - 1
        minute = np.repeat(chance.integers(8 * 60, 19 * 60, len(visitors)), size)
        parts.append(
            pd.DataFrame(
                {
                    "who": who,
                    "basket": 1_000 * number + np.repeat(np.arange(len(visitors)), size),
                    "product": np.where(chance.random(len(who)) < 0.75, own, all_buy),
                    "time": pd.Timestamp(day) + pd.to_timedelta(minute, unit="min"),
                    "quantity": chance.integers(1, 4, len(who)),
                    "chance": chance.random(len(who)),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return table.assign(price=(table["product"] * 7 % 190 + 10) / 10)


def export(shop: Shop, folder: Path, first_day: int = 0, last_day: int | None = None) -> Path:
    """Write a shop's file of some of its days."""
    last_day = shop.days - 1 if last_day is None else last_day
    file = folder / f"{shop.name} {first_day}-{last_day}{shop.suffix}"
    table = sales(shop, first_day, last_day)
    {"kiosk": write_german, "loyalty": write_loyalty, "wholesale": write_wholesale}[shop.name](table, file)
    return file


def write_german(table: pd.DataFrame, file: Path) -> None:
    """Semicolons, decimal commas, the day first, umlauts in a code page, a line break in the header, no basket."""
    price = table["price"].map(lambda price: f"{price:,.2f}".replace(",", " ").replace(".", ",").replace(" ", "."))
    pd.DataFrame(
        {
            "Kundennr": table["who"].map("{:08}".format),
            "Artikel": table["product"].map("{:05}".format),
            "Bezeichnung": table["product"].map("Süßes Nr. {}".format),
            "Menge": table["quantity"],
            "Einzel\npreis": price,
            "Zeit": table["time"].dt.strftime("%d.%m.%Y %H:%M"),
            "": "",
        }
    ).to_csv(file, index=False, sep=";", encoding="cp1252")


def write_loyalty(table: pd.DataFrame, file: Path) -> None:
    """Typed: loyalty numbers of 18 digits of which some are missing, invoices CA-, returns, decimals, zones."""
    returned = (table["chance"] < 0.03).to_numpy()
    cards = [
        None if chance > 0.995 else 910_000_000_000_000_000 + who
        for who, chance in zip(table["who"], table["chance"], strict=True)
    ]
    total = (table["price"] * table["quantity"]).where(~returned, -table["price"])
    columns = {
        "invoice": pa.array(table["time"].dt.strftime("CA-%Y-") + table["basket"].astype(str)),
        "card": pa.array(cards, pa.int64()),
        "sku": pa.array(table["product"].map("SKU{:04}".format)).dictionary_encode(),
        "title": pa.array(table["product"].map("<b>Item</b> {}".format), pa.large_string()),
        "units": pa.array(np.where(returned, -1, table["quantity"]), pa.int16()),
        "total": pa.array([Decimal(f"{value:.2f}") for value in total], pa.decimal128(10, 2)),
        "sold_at": pa.array(table["time"].dt.tz_localize("Europe/Berlin")),
        "store": pa.array([f"store {who % 5}" for who in table["who"]]).dictionary_encode(),
        "tags": pa.array([["x"]] * len(table)),
    }
    pq.write_table(pa.table(columns), file)


def write_wholesale(table: pd.DataFrame, file: Path) -> None:
    """The columns of Online Retail II: one line in eight without a customer, cancelled invoices, postage."""
    cancelled = table.groupby("basket")["chance"].transform("first") < 0.02
    unknown = table.groupby("basket")["chance"].transform("last") > 0.87
    postage = table["chance"] > 0.99
    number = (489_434 + table["basket"]).astype(str)
    code = (10_000 + table["product"]).astype(str)
    pd.DataFrame(
        {
            "Invoice": number.mask(cancelled, "C" + number),
            "StockCode": code.mask(table["product"] % 3 == 0, code + "A").mask(postage, "POST"),
            "Description": ("ITEM No. " + code).mask(postage, "POSTAGE"),
            "Quantity": table["quantity"] * np.where(cancelled, -1, 1),
            "InvoiceDate": table["time"],
            "Price": table["price"],
            "Customer ID": (12_346.0 + table["who"]).mask(unknown),
            "Country": np.where(table["who"] % 10, "United Kingdom", "France"),
        }
    ).to_csv(file, index=False)

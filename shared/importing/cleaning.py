"""Sorts the rows of a shop's own export into what can be learned from, and what is left out and why. Pure."""

import hashlib
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from shared.columns import AMOUNT, BASKET, CUSTOMER, NAME, PRODUCT, QUANTITY, STORE, TIME, TRANSACTIONS, UNKNOWN
from shared.identifiers import CONTROL, LONGEST_ID
from shared.importing.mapping import Mapping
from shared.importing.numbers import as_numbers, lenient_numbers
from shared.importing.texts import ROUNDED, as_text, by_distinct, names, replaced, rows_matching, to_series
from shared.importing.times import as_times

EARLIEST = pd.Timestamp("1980-01-01")
CANCELLED, RETURN, NO_PRODUCT = "cancelled", "return", "left out as no product"
# What is left out because it is no purchase, and not because it could not be read.
NOT_BOUGHT = (CANCELLED, RETURN, NO_PRODUCT)
TEXT = (CUSTOMER, PRODUCT, BASKET, STORE)


def sort_out(
    columns: dict[str, pa.Array], mapping: Mapping, latest: pd.Timestamp
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """(rows to learn from: TRANSACTIONS and NAME; per row of the chunk the reason why it is left out, '' if it is not;
    per row the amount, estimated where it cannot be read).

    `columns` by what they hold; the mapping is resolved. A time after `latest` is a mistake. Of several reasons the
    first one counts.
    """
    text, numbers, times = read_text(columns, mapping), read_numbers(columns, mapping), read_time(columns, mapping)
    text[BASKET] = baskets(text[BASKET], text[CUSTOMER], times)
    reasons = {**text_reasons(text), **time_reasons(times, latest), **number_reasons(numbers)}
    reasons[CANCELLED] = is_cancelled(text[BASKET], mapping)
    reasons[RETURN] = (numbers[QUANTITY] < 0) | (numbers[AMOUNT] < 0)
    reasons[NO_PRODUCT] = is_left_out(text[PRODUCT], text[NAME], mapping)
    reason = np.select(list(reasons.values()), list(reasons), default="")
    rows = pd.DataFrame({name: to_series(values) for name, values in text.items()})
    read = rows.assign(**{TIME: times, QUANTITY: numbers[QUANTITY], AMOUNT: numbers[AMOUNT]})
    return read.loc[reason == "", [*TRANSACTIONS, NAME]], reason, estimated(columns, mapping, numbers)


def read_text(columns: dict[str, pa.Array], mapping: Mapping) -> dict[str, pa.Array]:
    """Identifiers and names; the names of products that have none are their identifiers."""
    size = len(columns["time"])
    none = pa.nulls(size, pa.string())
    named = {CUSTOMER: "customer", PRODUCT: "product", BASKET: "basket", STORE: "store"}
    text = {
        name: replaced(as_text(columns[column]), mapping.missing or (), mapping.drops_point_zero(column))
        if column in columns
        else none
        for name, column in named.items()
    }
    text[STORE] = pc.fill_null(text[STORE], UNKNOWN)
    text[NAME] = pc.coalesce(names(columns["name"]), text[PRODUCT]) if "name" in columns else text[PRODUCT]
    return text


def read_time(columns: dict[str, pa.Array], mapping: Mapping) -> np.ndarray:
    """Each row's time."""
    return as_times(columns["time"], mapping.time_format, mapping.style)


def read_numbers(columns: dict[str, pa.Array], mapping: Mapping) -> dict[str, np.ndarray]:
    """Each row's quantity and amount; without a column for it a quantity is 1, and an amount 0."""
    size, style = len(columns["time"]), mapping.style
    quantity = as_numbers(columns["quantity"], style) if "quantity" in columns else np.ones(size)
    if "amount" in columns:
        amount = as_numbers(columns["amount"], style)
    else:
        price = as_numbers(columns["price"], style) if "price" in columns else np.zeros(size)
        amount = np.round(quantity * price, 4)
    return {QUANTITY: quantity, AMOUNT: amount}


def estimated(columns: dict[str, pa.Array], mapping: Mapping, numbers: dict[str, np.ndarray]) -> np.ndarray:
    """What each row is worth, as far as anything tells; NaN where nothing does."""
    amount = np.abs(numbers[AMOUNT])
    if np.isfinite(amount).all():
        return amount
    if "amount" in columns:
        guess = lenient_numbers(columns["amount"])
    else:
        quantity = lenient_numbers(columns["quantity"]) if "quantity" in columns else np.ones(len(amount))
        guess = quantity * (lenient_numbers(columns["price"]) if "price" in columns else 0)
    return np.where(np.isfinite(amount), amount, np.where(np.isfinite(guess), np.abs(guess), np.nan))


def baskets(named: pa.Array, customers: pa.Array, times: np.ndarray) -> pa.Array:
    """The rows' baskets; where none is named, one per customer and day."""
    if not named.null_count:
        return named
    day = pa.array(times.astype("datetime64[D]")).cast(pa.string())
    return pc.coalesce(named, pc.binary_join_element_wise(by_distinct(customers, shortened), day, " "))


def shortened(customer: str | None) -> str | None:
    """A customer's part of the name of an invented basket, which must not be longer than an identifier may be."""
    longest = LONGEST_ID - len(" 2017-03-01")
    if customer is None or len(customer) <= longest:
        return customer
    digest = hashlib.sha256(customer.encode()).hexdigest()[:16]
    return f"{customer[: longest - 17]}~{digest}"


def text_reasons(text: dict[str, pa.Array]) -> dict[str, np.ndarray]:
    """Why identifiers cannot be used."""
    too_long = [pc.fill_null(pc.greater(pc.utf8_length(text[name]), LONGEST_ID), False) for name in TEXT]
    return {
        "no customer": text[CUSTOMER].is_null().to_numpy(zero_copy_only=False),
        "no product": text[PRODUCT].is_null().to_numpy(zero_copy_only=False),
        "identifier rounded by a spreadsheet or a float": any_of([rows_matching(text[name], ROUNDED) for name in TEXT]),
        f"identifier longer than {LONGEST_ID}": any_of([mask.to_numpy(zero_copy_only=False) for mask in too_long]),
        "identifier with a control character": any_of([rows_matching(text[name], CONTROL) for name in TEXT]),
    }


def time_reasons(times: np.ndarray, latest: pd.Timestamp) -> dict[str, np.ndarray]:
    """Why times cannot be used."""
    unlikely = (times < EARLIEST.to_datetime64()) | (times > latest.to_datetime64())
    return {"time cannot be read": np.isnat(times), f"time before {EARLIEST.year} or in the future": unlikely}


def number_reasons(numbers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Why numbers cannot be used."""
    return {f"{name} cannot be read": ~np.isfinite(values) for name, values in numbers.items()}


def any_of(masks: list[np.ndarray]) -> np.ndarray:
    """Where any of some masks is set."""
    return np.logical_or.reduce(masks)


def is_cancelled(baskets: pa.Array, mapping: Mapping) -> np.ndarray:
    """Which rows are of cancelled invoices: a mark that ends in a letter is followed by something else.

    >>> invoices = pa.array(["C489435", "CA-2017-1", "489434"])
    >>> is_cancelled(invoices, Mapping("c", "p", "t", basket="b", cancelled="C")).tolist()
    [True, False, False]
    """
    if not (mapping.cancelled and mapping.basket):
        return np.zeros(len(baskets), dtype=bool)
    after = "(?:[^A-Za-z]|$)" if mapping.cancelled[-1].isalpha() else ""
    return rows_matching(baskets, f"^{re.escape(mapping.cancelled)}{after}")


def is_left_out(products: pa.Array, called: pa.Array, mapping: Mapping) -> np.ndarray:
    """Which rows name a product that is none, by its identifier or its name."""
    left_out = pc.is_in(products, pa.array(mapping.left_out, pa.string())).to_numpy(zero_copy_only=False)
    if not mapping.leave_out:
        return np.asarray(left_out, dtype=bool)
    found = re.compile(mapping.leave_out, re.IGNORECASE)

    def matches(values: pa.Array) -> np.ndarray:
        coded = pc.dictionary_encode(values)
        hits = np.array([bool(found.fullmatch(text)) for text in coded.dictionary.to_pylist()] + [False])
        return hits[pc.fill_null(coded.indices, len(hits) - 1).to_numpy(zero_copy_only=False)]

    return any_of([np.asarray(left_out, dtype=bool), matches(products), matches(called)])

"""Sorts the rows of a shop's own export into what can be learned from, and what is left out and why. Pure."""

import re
import warnings
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

from shared.columns import AMOUNT, BASKET, CUSTOMER, NAME, PRODUCT, QUANTITY, STORE, TIME, TRANSACTIONS, UNKNOWN
from shared.errors import UsageError
from shared.service.contract import LONGEST_ID

IDENTIFIERS = [CUSTOMER, PRODUCT, BASKET]
MISSING = {"", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "NaT"}
EARLIEST = pd.Timestamp("1980-01-01")
WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+")
ISO = r"\d{4}-\d\d-\d\d|\d{8}(?:T|$)"
# A time zone after a time of day. The shop's own clock counts, so it is cut off.
ZONE = r"(:\d\d(?:\.\d+)?) ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$"


@dataclass(frozen=True)
class Mapping:
    """Which column of the export holds what.

    cancelled: what the basket of a cancelled invoice begins with. time_format: as `strptime` reads it, or
    `s` or `ms` for seconds or milliseconds since 1970.
    """

    customer: str
    product: str
    time: str
    basket: str | None = None
    quantity: str | None = None
    amount: str | None = None
    price: str | None = None
    store: str | None = None
    name: str | None = None
    cancelled: str = "C"
    time_format: str | None = None

    @property
    def columns(self) -> list[str | None]:
        """The columns that were named."""
        return [getattr(self, field.name) for field in fields(self) if field.name not in ("cancelled", "time_format")]


def sort_out(rows: pd.DataFrame, mapping: Mapping, latest: pd.Timestamp) -> tuple[pd.DataFrame, pd.Series]:
    """(rows to learn from: TRANSACTIONS and NAME; the reasons of those left out, by index).

    A time after `latest` is a mistake. Of several reasons the first one counts.
    """
    read = read_rows(rows, mapping)
    cancels = bool(mapping.cancelled and mapping.basket)
    unlikely = (read[TIME] < EARLIEST) | (read[TIME] > latest)
    reasons = {
        "no customer": read[CUSTOMER].isna(),
        "no product": read[PRODUCT].isna(),
        "identifier too long": read[IDENTIFIERS].apply(lambda ids: ids.str.len() > LONGEST_ID).any(axis=1),
        "time cannot be read": read[TIME].isna(),
        f"time before {EARLIEST.year} or in the future": unlikely,
        "quantity cannot be read": ~np.isfinite(read[QUANTITY]),
        "amount cannot be read": ~np.isfinite(read[AMOUNT]),
        "cancelled": read[BASKET].fillna("").str.startswith(mapping.cancelled) & cancels,
        "return": (read[QUANTITY] < 0) | (read[AMOUNT] < 0),
    }
    reason = pd.Series(np.select(list(reasons.values()), list(reasons), default=""), index=rows.index)
    return read[reason == ""], reason[reason != ""]


def read_rows(rows: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """Every row with the feed's columns and types, and NAME; missing where a value cannot be read."""
    ones = pd.Series(1.0, index=rows.index)
    quantity = as_number(rows[mapping.quantity]) if mapping.quantity else ones
    if mapping.amount:
        amount = as_number(rows[mapping.amount])
    else:
        amount = (quantity * as_number(rows[mapping.price])).round(4) if mapping.price else 0 * ones
    read = pd.DataFrame(
        {
            CUSTOMER: as_text(rows[mapping.customer]),
            PRODUCT: as_text(rows[mapping.product]),
            STORE: as_text(rows[mapping.store]).fillna(UNKNOWN) if mapping.store else UNKNOWN,
            TIME: as_time(rows[mapping.time], mapping.time_format),
            QUANTITY: quantity,
            AMOUNT: amount,
        }
    )
    by_day = read[CUSTOMER] + " " + read[TIME].dt.strftime("%Y-%m-%d")
    read[BASKET] = as_text(rows[mapping.basket]).fillna(by_day) if mapping.basket else by_day
    read[NAME] = as_text(rows[mapping.name]).fillna(read[PRODUCT]) if mapping.name else read[PRODUCT]
    return read[[*TRANSACTIONS, NAME]]


def as_text(values: pd.Series) -> pd.Series:
    """Identifiers as text, whatever they are in the file; a number's `.0` is not part of it.

    >>> as_text(pd.Series([12345.0, None])).tolist(), as_text(pd.Series(["12345.0", " 85123A ", "007"])).tolist()
    (['12345', nan], ['12345', '85123A', '007'])
    """
    codes, distinct = pd.factorize(values)
    texts = pd.array([plain(value) for value in distinct], dtype="str")
    return pd.Series(texts.take(codes, allow_fill=True), index=values.index)


def plain(value: Any) -> str | None:
    """One identifier as text; None where it says that there is none."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    whole = WHOLE_NUMBER.fullmatch(text)
    text = whole[1] if whole else text
    return None if text in MISSING else text


def as_number(values: pd.Series) -> pd.Series:
    """Numbers; NaN where there is none."""
    numeric = pd.api.types.is_numeric_dtype(values)
    return pd.to_numeric(values if numeric else as_text(values), errors="coerce").astype("float64")


def as_time(values: pd.Series, time_format: str | None) -> pd.Series:
    """Times on the shop's own clock; NaT where none can be read.

    >>> as_time(pd.Series(["2010-12-01 08:26", "2010-12-01T08:26:00+02:00", "soon"]), None).dt.hour.tolist()
    [8.0, 8.0, nan]
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(values):
        return values.astype("datetime64[ms]")
    if time_format in ("s", "ms"):
        times = pd.to_datetime(as_number(values), unit=time_format, errors="coerce")
        return times.astype("datetime64[ms]")
    text = as_text(values)
    iso = text.str.match(ISO).fillna(False).astype(bool)
    times = pd.Series(pd.NaT, index=values.index, dtype="datetime64[ms]")
    local = text[iso].str.replace(ZONE, r"\1", regex=True)
    times[iso] = pd.to_datetime(local, format="ISO8601", errors="coerce").astype("datetime64[ms]")
    other = text[~iso].dropna()
    if len(other) and time_format:
        times[other.index] = pd.to_datetime(other, format=time_format, errors="coerce").astype("datetime64[ms]")
    return times


def check_time_format(time_format: str | None) -> None:
    """Raise UsageError for a format that `strptime` cannot read."""
    if time_format in (None, "s", "ms"):
        return
    try:
        pd.to_datetime(pd.Series(["now"]), format=time_format, errors="coerce")
    except ValueError as error:
        raise UsageError(
            f"{time_format!r} is no time format: {error}.", fix="Write it as in '%d/%m/%Y %H:%M'."
        ) from error


def guess_time_format(values: pd.Series) -> str | None:
    """How times that are not ISO 8601 are written, from many of them; None if nothing needs to be, or can be, guessed.

    Raises UsageError if day and month cannot be told apart.

    >>> guess_time_format(pd.Series(["12/1/2010 8:26", "12/13/2010 8:26"]))
    '%m/%d/%Y %H:%M'
    """
    if not (pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)):
        return None
    text = as_text(values).dropna()
    text = text[~text.str.match(ISO)].drop_duplicates()
    if text.empty:
        return None
    with warnings.catch_warnings():
        # pandas warns of what is asked for here: a day that cannot be read as a month.
        warnings.simplefilter("ignore")
        guesses = {guess_datetime_format(text.iloc[at], dayfirst=first) for at in (0, -1) for first in (False, True)}
    read = {guess: pd.to_datetime(text, format=guess, errors="coerce").notna().sum() for guess in guesses if guess}
    best = [guess for guess, count in read.items() if count and count == max(read.values())]
    if len(best) > 1:
        raise UsageError(
            f"A time such as {text.iloc[0]!r} can be read as {' or as '.join(sorted(best))}.",
            fix="Pass one of them as --time-format.",
        )
    return best[0] if best else None

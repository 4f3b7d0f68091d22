"""Reads times as shops and spreadsheets write them, a whole column in one form. Pure."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import CheckFailed, UsageError
from shared.importing.numbers import Style, as_numbers
from shared.importing.texts import as_text, plain_array, to_series

ISO = r"^\d{4}-\d\d?-\d\d?(?:[T ]|$)|^\d{8}(?:T|$)"
# A time zone after a time of day. The shop's own clock counts, so it is cut off.
ZONE = r"(:\d\d(?:[.,]\d+)?|[T ]\d\d) ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$"
# Some write the fractions of a second after a comma.
COMMA = r"(:\d\d:\d\d),(\d+)$"
# Milliseconds.
UNITS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
SERIALS = {"excel": np.datetime64("1899-12-30", "ms"), "excel-1904": np.datetime64("1904-01-01", "ms")}
# Excel ends with the year 9999.
EXCEL_ENDS = 2_958_466
CLOCKS = (
    *("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p", " %I:%M%p", " %H"),
    *(" %H.%M", " %H.%M.%S"),
)
NONE = np.datetime64("NaT", "ms")


def is_typed(values: pa.Array) -> bool:
    """Whether a column's values are times or dates by their type."""
    kind = plain_array(values).type
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def as_times(values: pa.Array, time_format: str | None = None, style: Style = Style()) -> np.ndarray:
    """Times on the shop's own clock, in milliseconds; NaT where none can be read in this form.

    >>> as_times(pa.array(["2010-12-01 08:26", "2010-12-01T08:26:00+02:00", "soon"])).astype(str).tolist()
    ['2010-12-01T08:26:00.000', '2010-12-01T08:26:00.000', 'NaT']
    >>> as_times(pa.array(["42795.5", "42796"]), "excel").astype(str).tolist()
    ['2017-03-01T12:00:00.000', '2017-03-02T00:00:00.000']
    """
    values = plain_array(values)
    if is_typed(values):
        return typed_times(values)
    if time_format in UNITS or time_format in SERIALS:
        return counted_times(as_numbers(values, style), time_format)
    return text_times(as_text(values), time_format or "iso")


def typed_times(values: pa.Array) -> np.ndarray:
    """Times that have a type; with a zone, as a clock in that zone shows them."""
    kind = values.type
    if pa.types.is_timestamp(kind) and kind.tz:
        try:
            zoned = pd.Series(values.cast(pa.timestamp("ms", kind.tz), safe=False).to_pandas())
        except KeyError as error:
            raise CheckFailed(f"No time zone is called {kind.tz!r}.", fix="Export the times without a zone.") from error
        return zoned.dt.tz_localize(None).to_numpy().astype("datetime64[ms]")
    return values.cast(pa.timestamp("ms"), safe=False).to_numpy(zero_copy_only=False).astype("datetime64[ms]")


def counted_times(numbers: np.ndarray, unit: str) -> np.ndarray:
    """Times that are counted from a beginning, to the second where they are fractions of days."""
    most = EXCEL_ENDS if unit in SERIALS else 1e14 / UNITS[unit]
    known = np.isfinite(numbers) & (numbers >= 0) & (numbers < most)
    safe = np.where(known, numbers, 0)
    if unit in SERIALS:
        times = SERIALS[unit] + (1000 * np.rint(safe * 86_400)).astype(np.int64).astype("timedelta64[ms]")
    else:
        times = (safe * UNITS[unit]).astype(np.int64).astype("datetime64[ms]")
    return np.where(known, times, NONE)


def text_times(values: pa.Array, time_format: str) -> np.ndarray:
    """Texts as times, each distinct one once."""
    if time_format == "iso":
        try:  # nearly all files: ISO 8601 without zones
            return values.cast(pa.timestamp("ms")).to_numpy(zero_copy_only=False).astype("datetime64[ms]")
        except pa.ArrowInvalid:
            pass
    coded = pc.dictionary_encode(values)
    text = to_series(coded.dictionary).str.replace(ZONE, r"\1", regex=True).str.replace(COMMA, r"\1.\2", regex=True)
    distinct = np.append(iso_times(text) if time_format == "iso" else format_times(text, time_format), NONE)
    return distinct[pc.fill_null(coded.indices, len(text)).to_numpy(zero_copy_only=False)]


def plain_clock(text: str) -> str:
    """A text's time of day without its zone, and with a point before the fractions of its seconds."""
    return re.sub(COMMA, r"\1.\2", re.sub(ZONE, r"\1", text))


def iso_times(text: pd.Series) -> np.ndarray:
    """Texts in ISO 8601 as times; NaT for others."""
    iso = text.str.match(ISO).fillna(False).astype(bool)
    read = pd.to_datetime(text.where(iso), format="ISO8601", errors="coerce")
    return read.to_numpy().astype("datetime64[ms]")


def format_times(text: pd.Series, time_format: str) -> np.ndarray:
    """Texts in a format, or in one of its variants, as times on the clock that they were written by; NaT for others."""
    times = pd.Series(pd.NaT, index=text.index, dtype="datetime64[ms]")
    for variant in variants(time_format):
        left = times.isna()
        if not left.any():
            break
        times[left] = on_its_clock(text[left], variant)
    return times.to_numpy().astype("datetime64[ms]")


def on_its_clock(text: pd.Series, time_format: str) -> pd.Series:
    """Texts in one format as times; a zone that the format reads is cut off. Raises CheckFailed for mixed zones."""
    try:
        read = pd.to_datetime(text, format=time_format, errors="coerce")
    except ValueError as error:  # pandas has no type for several zones in one column
        raise CheckFailed(
            f"Times such as {text.iloc[0]!r} have several zones, and {time_format!r} reads them.",
            fix="Export the times as the shop's own clock shows them, without a zone.",
        ) from error
    return (read.dt.tz_localize(None) if read.dt.tz is not None else read).astype("datetime64[ms]")


def variants(time_format: str) -> list[str]:
    """A format, and the same date with another way to write the time of day.

    >>> variants("%d/%m/%Y %H:%M")[:3]
    ['%d/%m/%Y %H:%M', '%d/%m/%Y', '%d/%m/%Y %H:%M:%S']
    """
    found = re.match(r"^(.*?)([T ,]+)%[HI]", time_format)
    day, between = (found[1], found[2]) if found else (time_format, " ")
    if re.search(r"%[HIMSpfzcXx]", day):
        return [time_format]
    return list(dict.fromkeys([time_format, *(day + clock.replace(" ", between, 1) for clock in CLOCKS)]))


def check_time_format(time_format: str | None) -> None:
    """Raise UsageError for a format that `strptime` cannot read."""
    if time_format in (None, "iso", *SERIALS, *UNITS):
        return
    try:
        pd.to_datetime(pd.Series(["now"]), format=time_format, errors="coerce")
    except ValueError as error:
        raise UsageError(
            f"{time_format!r} is no time format: {error}.", fix="Write it as in '%d/%m/%Y %H:%M'."
        ) from error

"""Reads identifiers and names from an export's columns, whatever Arrow type they have, without losing a digit. Pure."""

import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import CheckFailed
from shared.text import one_line

# What a spreadsheet writes where a formula failed: never a code.
FAILED = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!")
# What systems write where there is nothing. Each of them may be a code, too: nobody knows but the shop.
DOUBTFUL = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "Null", "None", "none", "<NA>", "NaT", "nil", "-", "?")
# A number that was rounded to what a float or a spreadsheet's cell holds: 5.01235E+12, 1.2E17, 123456789012345680.0
ROUNDED = r"^-?\d([.,]\d+)?[eE]\+\d{2,}$|^-?\d[.,]\d+E\d{1,2}$|^-?\d{16,}[.,]0+$"
# What a spreadsheet takes for text, so that it keeps the zeros before a number: ="0004".
AS_FORMULA = r'^="(.*)"$'
POINT_ZERO = r"^-?\d{1,15}\.0$"
# Excel keeps 15 digits; where all longer numbers end in zeros, the others are gone.
SPREADSHEET_DIGITS = r"^[1-9]\d{15,}$"
SPREADSHEET_ZEROS = r"^[1-9]\d{14}0+$"
EXACT = {pa.float16(): 2**11, pa.float32(): 2**24, pa.float64(): 2**53}


def plain_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column in one piece, without dictionaries, extensions, and the many types of text that Arrow has.

    Raises CheckFailed for bytes that are no UTF-8.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks)
    if isinstance(values.type, pa.BaseExtensionType):
        is_uuid = values.type.extension_name == "arrow.uuid"
        values = by_distinct(values.storage, uuid_text) if is_uuid else values.storage
    if pa.types.is_dictionary(values.type):
        values = pc.dictionary_decode(values)
    if pa.types.is_run_end_encoded(values.type):
        values = pc.run_end_decode(values)
    kind = values.type
    if pa.types.is_fixed_size_binary(kind):
        values = values.cast(pa.binary())
    if pa.types.is_large_string(kind) or is_any(kind, "is_string_view"):
        return values.cast(pa.string())
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(kind) or is_any(kind, "is_binary_view"):
        try:
            return values.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid as error:
            raise CheckFailed("A column of bytes holds no UTF-8.", fix="Export it as text.") from error
    return values


def is_any(kind: pa.DataType, test: str) -> bool:
    """Whether a type passes a test that this version of Arrow may lack."""
    return bool(getattr(pa.types, test, lambda _: False)(kind))


def trimmed(values: pa.Array) -> pa.Array:
    """Texts without blanks around them."""
    return pc.utf8_trim_whitespace(values)


def as_text(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Identifiers as text with every digit that there is; null where there is none. Blanks around are cut off.

    A number that is not exact in its column's type keeps an exponent, by which `ROUNDED` knows it.

    >>> as_text(pa.array([12345.0, None])).to_pylist(), as_text(pa.array([" 007", "NA", ""])).to_pylist()
    (['12345', None], ['007', 'NA', None])
    >>> as_text(pa.array([123456789012345678, None])).to_pylist(), as_text(pa.array([1e17])).to_pylist()
    (['123456789012345678', None], ['1.0e+17'])
    """
    values = plain_array(values)
    kind = values.type
    if pa.types.is_null(kind):
        return values.cast(pa.string())
    if not pa.types.is_string(kind):
        if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
            values = values.cast(pa.string())
        elif kind in EXACT:
            wide = values.cast(pa.float64())
            values = by_distinct(wide, lambda value: float_text(value, EXACT[kind]))
        else:
            values = by_distinct(values, plain_text)
    values = pc.replace_substring_regex(trimmed(values), AS_FORMULA, r"\1")
    return pc.if_else(pc.is_in(values, pa.array(["", *FAILED])), pa.scalar(None, pa.string()), values)


def by_distinct(values: pa.Array, text: Callable[[Any], str | None]) -> pa.Array:
    """An array of texts, made from each distinct value once."""
    coded = pc.dictionary_encode(values)
    return pa.array([text(value) for value in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def uuid_text(value: bytes | None) -> str | None:
    """A UUID's 16 bytes as text."""
    return None if value is None else str(uuid.UUID(bytes=value))


def float_text(value: float, exact: int) -> str | None:
    """A float as text; one beyond what its type counts exactly keeps an exponent."""
    if value is None or not np.isfinite(value):
        return None
    if abs(value) >= exact:
        return with_exponent(float(value))
    return str(int(value)) if float(value).is_integer() else str(value)


def with_exponent(value: float) -> str:
    """A float with its exponent, whatever its size.

    >>> with_exponent(2.0**53)
    '9.007199254740992e+15'
    """
    digits, _, exponent = f"{value:.16e}".partition("e")
    return (
        f"{digits.rstrip('0')}0e{exponent}" if digits.rstrip("0").endswith(".") else f"{digits.rstrip('0')}e{exponent}"
    )


def plain_text(value: Any) -> str | None:
    """Any other value as text; a decimal number has neither an exponent nor zeros that say nothing."""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return None if value is None else str(value)


def replaced(values: pa.Array, missing: tuple[str, ...], drop_point_zero: bool) -> pa.Array:
    """Identifiers as the mapping wants them: some texts stand for none, and `7.0` may be `7`."""
    if missing:
        values = pc.if_else(pc.is_in(values, pa.array(missing)), pa.scalar(None, pa.string()), values)
    if drop_point_zero:
        values = pc.replace_substring_regex(values, r"^(-?\d+)\.0$", r"\1")
    return values


def names(values: pa.Array) -> pa.Array:
    """Names on one line, without characters that nobody sees, and not too long."""
    return by_distinct(as_text(values), lambda name: None if name is None else one_line(name) or None)


def to_series(values: pa.Array) -> pd.Series:
    """Texts as pandas has them."""
    return pd.Series(values.to_pandas(), dtype="str")


def rows_matching(values: pa.Array, expression: str) -> np.ndarray:
    """Which texts an expression finds."""
    return pc.fill_null(pc.match_substring_regex(values, expression), False).to_numpy(zero_copy_only=False)


def is_rounded(text: str) -> bool:
    """Whether a text is a number that a float or a spreadsheet has rounded.

    >>> [is_rounded(text) for text in ("5.01235E+12", "1.2345678901234568e+17", "1e5", "1E5", "100000")]
    [True, True, False, False, False]
    """
    return bool(re.search(ROUNDED, text))

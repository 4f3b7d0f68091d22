"""How an export is read: which column holds what, and how values are written. Kept beside the shop for later files."""

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from shared.errors import UsageError
from shared.importing.numbers import ALIKE, Style

COLUMNS = ("customer", "product", "time", "basket", "quantity", "amount", "price", "store", "name")


@dataclass(frozen=True)
class Mapping:
    """Which column of the export holds what, and how it is written. What is None is found out from the data.

    cancelled: what the basket of a cancelled invoice begins with; '' if there are none. time_format: as `strptime`
    reads it, or `iso`, `excel` (days since 1900), `excel-1904`, `s`, `ms`, `us` or `ns` (since 1970). decimal,
    thousands: the characters in numbers. missing: texts that stand for no identifier; () if all are codes, None if that
    was not said. point_zero: `drop` reads an identifier `7.0` as `7`, `keep` keeps it. leave_out: an expression;
    products whose identifier or name it matches are none. left_out: identifiers of such products. currency: what the
    amounts are in, where they say so. found: what was not said and is looked at anew in a later file.
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
    cancelled: str | None = None
    time_format: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    missing: tuple[str, ...] | None = None
    point_zero: dict[str, str] | str | None = None
    leave_out: str | None = None
    left_out: tuple[str, ...] = ()
    currency: str = ""
    found: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str | None]:
        """The columns that were named."""
        return [getattr(self, name) for name in COLUMNS]

    @property
    def style(self) -> Style:
        """How numbers are written."""
        return Style(self.decimal or ".", self.thousands or "")

    def allows(self, style: Style) -> bool:
        """Whether numbers may be written in a style, as far as that is said."""
        return self.decimal in (None, style.decimal) and self.thousands in (None, style.thousands)

    def drops_point_zero(self, column: str) -> bool:
        """Whether a column's identifiers are read without `.0`."""
        found = self.point_zero.get(column) if isinstance(self.point_zero, dict) else self.point_zero
        return found == "drop"

    def as_data(self) -> dict[str, Any]:
        """The mapping as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Mapping":
        """The mapping that JSON held."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items() if name in known
        }
        return cls(**values)


def check_mapping(mapping: Mapping) -> Mapping:
    """Raise UsageError for settings that cannot be."""
    check_columns(mapping)
    decimal, thousands = mapping.decimal, mapping.thousands and mapping.thousands.translate(ALIKE)
    if decimal is not None and decimal not in (".", ","):
        raise UsageError(f"{decimal!r} is no decimal sign.", fix="Pass --decimal '.' or --decimal ','.")
    if thousands and (len(thousands) != 1 or thousands.isalnum() or thousands in "+-"):
        raise UsageError(f"{thousands!r} does not separate thousands.", fix="Pass --thousands ',' or '.', for example.")
    if thousands and thousands == decimal:
        raise UsageError(
            f"{thousands!r} cannot be both the decimal sign and what separates thousands.",
            fix="Pass both --decimal and --thousands.",
        )
    try:
        re.compile(mapping.leave_out or "")
    except re.error as error:
        raise UsageError(f"{mapping.leave_out!r} is no expression: {error}.", fix="Mend --leave-out.") from error
    return replace(mapping, thousands=thousands, decimal=decimal or {".": ",", ",": "."}.get(thousands or ""))


def check_columns(mapping: Mapping) -> None:
    """Raise UsageError if one column is named for two things that cannot be the same."""
    if "" in mapping.columns:
        raise UsageError("A column without a name cannot be named.", fix="Give it a name in the export's header.")
    named = {what: getattr(mapping, what) for what in ("customer", "product", "time")}
    for what, column in named.items():
        same = [other for other in named if other != what and named[other] == column]
        if same:
            raise UsageError(
                f"The column {column!r} is named as the {what} and as the {same[0]}.", fix="Name one column for each."
            )

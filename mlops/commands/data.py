"""The command line's `data` group: import a shop's own export, and look at the shop that is here."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops.levels import present
from mlops.progress import bar
from shared.errors import MlopsError, UsageError
from shared.places import level_folder, shop_folder
from shared.service.belonging import mark_before_replacing, settle
from shared.text import count, printable

if TYPE_CHECKING:
    from shared.importing.days_added import Added
    from shared.importing.report import Report
    from shared.importing.shop_import import Source

COLUMNS = {
    "basket": "Its column with the basket or invoice; without it, one basket per customer and day.",
    "quantity": "Its column with the quantity; without it 1.",
    "amount": "Its column with the amount paid for the row.",
    "price": "Its column with the price of one; the amount is then quantity x price.",
    "store": "Its column with the store.",
    "name": "Its column with the product's name.",
}
READ = ("encoding", "separator")
# What may be said of a later file that is written otherwise than the import's.
OTHERWISE = (
    *("cancelled", "time_format", "decimal", "thousands", "leave_out", "encoding", "separator", "point_zero"),
    *("products_id", "products_name", "products_department", "products_encoding"),
)
# How values are written. Without them, that is found out from the data and said, or asked for.
WRITTEN = {
    "cancelled": ("TEXT", "What a cancelled invoice's basket begins with; '' for none."),
    "time_format": (
        "FORMAT",
        "As strptime reads it, such as '%d/%m/%Y %H:%M'; or iso, excel, excel-1904, s, ms, us, ns (since 1970).",
    ),
    "decimal": ("SIGN", "The decimal sign, . or ,"),
    "thousands": ("SIGN", "What separates thousands."),
    "leave_out": ("PATTERN", "Products that are none, such as 'POST|BANK CHARGES|.*postage.*': identifier or name."),
    "encoding": ("NAME", "A CSV's encoding. Default: as at the import, its mark, else UTF-8."),
    "separator": ("SIGN", "A CSV's separator, or tab. Default: as at the import, its sep= line, else guessed."),
}


@click.group()
def data() -> None:
    """Import your own shop's export, add days to it, and look at the shop that is here."""


def written_options(command: Callable) -> Callable:
    """The options for how values are written."""
    command = click.option("--point-zero", type=click.Choice(["keep", "drop"]), help="Whether an identifier 7.0 is 7.")(
        command
    )
    missing = "A text that stands for no identifier; '' for none."
    command = click.option("--missing", multiple=True, metavar="WORD", help=missing)(command)
    for name, (kind, text) in reversed(WRITTEN.items()):
        command = click.option(f"--{name.replace('_', '-')}", metavar=kind, help=text)(command)
    return command


def column_options(command: Callable) -> Callable:
    """The options for columns that an export may lack."""
    for name, text in reversed(COLUMNS.items()):
        command = click.option(f"--{name}", metavar="COLUMN", help=text)(command)
    return command


def catalogue_options(command: Callable) -> Callable:
    """The options for a catalogue of its own."""
    for name, text in (
        ("department", "The catalogue's department. Default: guessed."),
        ("name", "The catalogue's column with the name. Default: guessed."),
        ("id", "The catalogue's column with the product. Default: the first."),
        ("encoding", "The catalogue's encoding. Default: its mark, UTF-8, else --encoding."),
    ):
        kind = "NAME" if name == "encoding" else "COLUMN"
        command = click.option(f"--products-{name}", metavar=kind, help=text)(command)
    return click.option("--products", type=click.Path(path_type=Path), help="A file with the catalogue.")(command)


accept_loss_option = click.option(
    "--accept-loss", is_flag=True, help="Go on although much is left out, or names seem changed."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Report on the file, and leave nothing behind.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@data.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--customer", required=True, metavar="COLUMN", help="Its column with the customer.")
@click.option("--product", required=True, metavar="COLUMN", help="Its column with the product.")
@click.option("--time", required=True, metavar="COLUMN", help="Its column with the time of the purchase.")
@column_options
@written_options
@click.option("--leave-out-file", type=click.Path(path_type=Path), help="A file with such products, one a line.")
@catalogue_options
@click.option("--shop-name", help="What to call the shop. Default: the file's name.")
@click.option("--replace", is_flag=True, help="Set the shop that is here aside, and what the levels made of it.")
@accept_loss_option
@dry_run_option
@json_option
def data_import(
    file: Path,
    shop_name: str | None,
    replace: bool,
    accept_loss: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Import FILE (CSV, Parquet or XLSX), one row per product that a customer bought, as the shop.

    Rows that cannot be used are counted by reason and kept in the shop's quarantine.parquet; what was taken for
    what is said. If more than 2 % of the rows or of the amount cannot be used, --accept-loss is needed.
    """
    from shared.importing.report import check_loss
    from shared.importing.shop_import import import_shop

    shop, source = shop_folder(), source_of(file, options)
    report = import_shop(
        source,
        shop,
        name=shop_name,
        replace_shop=replace,
        dry_run=dry_run,
        accept_loss=accept_loss,
        progress=bar,
        before_replacing=mark_levels,
    )
    if not dry_run:
        settle_levels()
    click.echo(json.dumps(report.as_data(), indent=1) if as_json else printable(tell(report, shop, dry_run)))
    if dry_run:
        check_loss(report, file.name, accept_loss)


def source_of(file: Path, options: dict[str, Any]) -> "Source":
    """The export and how to read it, from the command's options."""
    from shared.importing.mapping import Mapping
    from shared.importing.shop_import import Source

    own = {key: options.pop(key) for key in list(options) if key.startswith("products") or key in READ}
    listed = options.pop("leave_out_file")
    missing = words_for_nothing(options.pop("missing"))
    products = tuple(read_lines(listed)) if listed else ()
    return Source(file, Mapping(**options, missing=missing, left_out=products), **own)


def words_for_nothing(said: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words that stand for no identifier; None if nothing was said of them."""
    return tuple(filter(None, said)) if said else None


def read_lines(file: Path) -> list[str]:
    """The lines of a text file that hold anything. Raises UsageError if it is none."""
    try:
        return [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", fix="Write one identifier a line, in UTF-8.") from error


def tell(report: "Report", shop: Path, dry_run: bool) -> str:
    """An import in words."""
    from shared.importing.report import tell_reason

    lines = [
        f"{count(report.read, 'row')} read, {report.taken:,} taken, {report.read - report.taken:,} left out.",
        *(tell_reason(report, reason) for reason, _ in report.left_out.most_common()),
        f"{count(report.rows, 'row')} on {count(report.days, 'day')}, from {report.first_day} to {report.last_day}"
        + (f"; {report.taken - report.rows:,} repeated ones were summed." if report.taken > report.rows else "."),
        *(["Taken for what:"] if report.notes else []),
        *(f"  {note}" for note in report.notes),
        *(["Perhaps no products (--leave-out PATTERN, --leave-out-file FILE):"] if report.candidates else []),
        *(f"  {candidate}" for candidate in report.candidates),
    ]
    if report.unchanged:
        return "\n".join(["This file is imported already; nothing changed.", *lines])
    if dry_run:
        return "\n".join([*lines, "Nothing was written (--dry-run)."])
    where = f"  Where: {shop}" + (" (left out: quarantine.parquet)" if report.left_out else "")
    return "\n".join([*lines, where, "  Next:  mlops pipeline run"])


@data.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@written_options
@catalogue_options
@accept_loss_option
@dry_run_option
@json_option
def data_add(
    file: Path, products: Path | None, accept_loss: bool, dry_run: bool, as_json: bool, **options: Any
) -> None:
    """Add the days of FILE, a later export of the same kind, to the imported shop.

    It is read as the import was; options say where this file is written otherwise. A day that is there already with
    other rows becomes a new version of that day; the earlier one is kept. The same file again changes nothing.
    """
    from shared.importing.days_added import add_days, tell_days
    from shared.importing.report import check_loss

    shop = require_shop()
    otherwise = {name: options[name] for name in OTHERWISE if options[name] is not None}
    if options["missing"]:
        otherwise["missing"] = words_for_nothing(options["missing"])
    added = add_days(
        file, shop, products=products, otherwise=otherwise, accept_loss=accept_loss, dry_run=dry_run, progress=bar
    )
    findings = [] if dry_run else look_at_days(shop, [day.day for day in added.changes])
    trained = trained_on_others(added.earliest) if added.earliest and added.earliest <= added.last else []
    told = [*(["This file was added already."] if added.known else []), *tell_days(added)]
    if as_json:
        known = {"file": file.name, "told": told, "findings": findings, "trained": trained}
        click.echo(json.dumps(known | {"report": added.report.as_data()}, indent=1))
    else:
        click.echo(printable("\n".join(tell_added(added, told, findings, trained, dry_run))))
    if dry_run and not added.known:
        check_loss(added.report, file.name, accept_loss)


def tell_added(added: "Added", told: list[str], findings: list[str], trained: list[str], dry_run: bool) -> list[str]:
    """What a file brought, in words."""
    from shared.importing.report import tell_reason

    lines = [line[:1].upper() + line[1:] + ("" if line.endswith(".") else ".") for line in told]
    lines += [tell_reason(added.report, reason) for reason, _ in added.report.left_out.most_common()]
    lines += ["Taken for what:", *(f"  {note}" for note in added.report.notes)] if added.report.notes else []
    if not (added.changes or added.products or added.renamed):
        return [*lines, "Nothing changed."]
    if findings:
        lines += ["What the checks find in these days, and level 3 will refuse:", *(f"  {line}" for line in findings)]
        if any(": unknown products," in line for line in findings):
            lines.append("  The shop's catalogue lacks them: pass the new products as --products FILE.")
    lines += trained
    return [*lines, "Nothing was written (--dry-run)." if dry_run else "  Next:  mlops pipeline run"]


def look_at_days(shop: Path, days: list[date]) -> list[str]:
    """What the checks find in some days."""
    from shared.dataset.checks import check_days
    from shared.dataset.feed import Feed

    found = check_days(Feed(shop), days).itertuples() if days else []
    return [f"{row.day}, {row.column or 'rows'}: {row.check}, {row.found} (limit {row.limit})" for row in found]


def trained_on_others(day: date) -> list[str]:
    """The live releases that know a day as it was before, by their training or by their customers' histories."""
    from shared.release.manifest import read_manifest
    from shared.release.pointer import readable_pointer

    told = []
    for level in present():
        pointer = readable_pointer(level_folder(level))
        with suppress(MlopsError):
            manifest = read_manifest(level_folder(level) / pointer.bundle, pointer.bundle_digest) if pointer else {}
            through = max(manifest["trained_through"], manifest["histories_through"]) if pointer else ""
            if pointer and through >= day.isoformat():
                told.append(
                    f"Level {level}'s live release {pointer.release}, which knows days through {through}, knows {day} "
                    f"as it was before; it stays live until another one is trained."
                )
    if 1 in present() and (level_folder(1) / "server" / "model.pkl").exists():
        told.append(
            "Level 1 keeps no record of the days that its model.pkl was trained on; it may know them as they were."
        )
    return told


def require_shop() -> Path:
    """The folder of the shop that is here. Raises UsageError if there is none."""
    shop = shop_folder()
    if not (shop / "shop.json").exists():
        raise UsageError(
            f"There is no shop in {shop} yet.",
            fix="Import one with `mlops data import`; any other command prepares the real year.",
        )
    return shop


def mark_levels() -> None:
    """Before a shop is replaced: mark what the levels hold as made of it, and see that nobody is at work on it."""
    for level in map(level_folder, present()):
        mark_before_replacing(level, shop_folder())


def settle_levels() -> None:
    """After a shop took its place: set aside what the levels made of another one."""
    for level in map(level_folder, present()):
        if level.exists():
            settle(level, shop_folder())


@data.command("info")
@json_option
def data_info(as_json: bool) -> None:
    """Which shop is here, where it came from, and how much of it there is."""
    shop = require_shop()
    from shared.importing.shop_import import describe_shop

    known = describe_shop(shop)
    lists = ("quarantined", "added", "read_as")
    lines = [f"{key.replace('_', ' ') + ':':<12}{value}" for key, value in known.items() if key not in lists]
    lines += [f"{'left out:':<12}{count:,} {reason}" for reason, count in known["quarantined"].items()]
    lines += [f"{key.replace('_', ' ') + ':':<12}{line}" for key in ("added", "read_as") for line in known[key]]
    click.echo(json.dumps(known, indent=1) if as_json else printable("\n".join(lines)))

"""The command line's `data` group: import a shop's own export, and look at the shop that is here."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops.progress import bar
from shared.errors import UsageError
from shared.places import shop_folder

if TYPE_CHECKING:
    from shared.importing.shop_import import Report

COLUMNS = {
    "basket": "Its column with the basket or invoice; without it, one basket per customer and day.",
    "quantity": "Its column with the quantity; without it 1.",
    "amount": "Its column with the amount paid for the row.",
    "price": "Its column with the price of one; the amount is then quantity x price.",
    "store": "Its column with the store.",
    "name": "Its column with the product's name.",
}


@click.group()
def data() -> None:
    """Import your own shop's export, and look at the shop that is here."""


def column_options(command: Callable) -> Callable:
    """The options for columns that an export may lack."""
    for name, text in reversed(COLUMNS.items()):
        command = click.option(f"--{name}", metavar="COLUMN", help=text)(command)
    return command


@data.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--customer", required=True, metavar="COLUMN", help="Its column with the customer.")
@click.option("--product", required=True, metavar="COLUMN", help="Its column with the product.")
@click.option("--time", required=True, metavar="COLUMN", help="Its column with the time of the purchase.")
@column_options
@click.option("--cancelled", default="C", show_default=True, help="What a cancelled invoice's basket begins with.")
@click.option("--time-format", help="As strptime reads it, such as '%d/%m/%Y %H:%M'; s or ms for seconds since 1970.")
@click.option("--encoding", help="A CSV's encoding. Default: UTF-8.")
@click.option("--separator", help="A CSV's separator. Default: guessed from its first line.")
@click.option("--products", type=click.Path(path_type=Path), help="A file with the catalogue.")
@click.option("--products-id", metavar="COLUMN", help="The catalogue's column with the product. Default: the first.")
@click.option("--products-name", metavar="COLUMN", help="The catalogue's column with the name. Default: guessed.")
@click.option("--products-department", metavar="COLUMN", help="The catalogue's department. Default: guessed.")
@click.option("--shop-name", help="What to call the shop. Default: the file's name.")
@click.option("--replace", is_flag=True, help="Set the shop that is here aside.")
@click.option("--dry-run", is_flag=True, help="Report on the file, and leave nothing behind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def data_import(
    file: Path,
    encoding: str | None,
    separator: str | None,
    shop_name: str | None,
    replace: bool,
    dry_run: bool,
    as_json: bool,
    **columns: Any,
) -> None:
    """Import FILE (CSV, Parquet or XLSX), one row per product that a customer bought, as the shop.

    Rows that cannot be used are counted by reason and kept in the shop's quarantine.parquet.
    """
    from shared.importing.cleaning import Mapping
    from shared.importing.shop_import import Source, import_shop

    catalogue = {key: columns.pop(key) for key in list(columns) if key.startswith("products")}
    source = Source(file, Mapping(**columns), encoding, separator, **catalogue)
    shop = shop_folder()
    report = import_shop(source, shop, name=shop_name, replace_shop=replace, dry_run=dry_run, progress=bar)
    click.echo(json.dumps(asdict(report), indent=1) if as_json else tell(report, shop, dry_run))


def tell(report: "Report", shop: Path, dry_run: bool) -> str:
    """An import in words."""
    lines = [
        f"{report.read:,} rows read, {report.taken:,} taken, {report.read - report.taken:,} left out.",
        *(f"  {count:>12,}  {reason}" for reason, count in report.left_out.most_common()),
        f"{report.rows:,} rows on {report.days:,} days, from {report.first_day} to {report.last_day}"
        + (f"; {report.taken - report.rows:,} repeated ones were summed." if report.taken > report.rows else "."),
    ]
    if report.unchanged:
        return "\n".join(["This file is imported already; nothing changed.", *lines])
    if dry_run:
        return "\n".join([*lines, "Nothing was written (--dry-run)."])
    where = f"  Where: {shop}" + (" (left out: quarantine.parquet)" if report.left_out else "")
    return "\n".join([*lines, where, "  Next:  mlops pipeline run"])


@data.command("info")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def data_info(as_json: bool) -> None:
    """Which shop is here, where it came from, and how much of it there is."""
    shop = shop_folder()
    if not (shop / "shop.json").exists():
        raise UsageError(
            f"There is no shop in {shop} yet.",
            fix="Import one with `mlops data import`; any other command prepares the real year.",
        )
    from shared.importing.shop_import import describe_shop

    known = describe_shop(shop)
    lines = [f"{key.replace('_', ' ') + ':':<12}{value}" for key, value in known.items() if key != "quarantined"]
    lines += [f"{'left out:':<12}{count:,} {reason}" for reason, count in known["quarantined"].items()]
    click.echo(json.dumps(known, indent=1) if as_json else "\n".join(lines))

"""Options that several commands have, and what they mean: days, JSON, who decides."""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any

import click

from mlops.levels import folder, has, history_of
from mlops.progress import bar
from shared.dataset.clock import known_through, require_known_day
from shared.places import shop_folder
from shared.text import for_terminals, printable

DAY = click.DateTime(["%Y-%m-%d"])
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
as_of_option = click.option("--as-of", type=DAY, help="The last day that the command may know of, such as 2017-06-04.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
customer_option = click.option("--customer", default="1", show_default=True, help="Whose list is shown.")


def day_of(as_of: datetime | None) -> date:
    """The day that was asked for, else the day that the shop has reached."""
    prepare_shop()
    if as_of:
        require_known_day(shop_folder(), as_of.date())
        return as_of.date()
    return known_through(shop_folder())


def day_of_level(level: int, as_of: datetime | None) -> date:
    """The day that was asked for, else that of the level's last decision, else the day that the shop has reached."""
    if as_of:
        require_known_day(shop_folder(), as_of.date())
        return as_of.date()
    reached = history_of(level).day_reached(folder(level)) if has(level, "ledger") else None
    return reached or day_of(None)


def prepare_shop() -> None:
    """Prepare the shop's feed, with a progress bar, if there is none yet."""
    if (shop_folder() / "shop.json").exists():
        return
    from shared.dataset.feed import open_feed

    open_feed(shop_folder(), progress=preparing)


def preparing(days: Iterable) -> Iterable:
    """The days of a year that is prepared, with a bar."""
    return bar(days, "Preparing the year, day by day")


def who() -> str:
    """Who decides: the operator, or a workflow."""
    workflow = os.environ.get("GITHUB_WORKFLOW")
    return f"{workflow}, started by {os.environ.get('GITHUB_ACTOR')}" if workflow else "operator"


def echo(value: Any, as_json: bool, words: Callable[[Any], str]) -> None:
    """Print a result as JSON or in words."""
    click.echo(to_json(value) if as_json else printable(words(value)))


def to_json(value: Any) -> str:
    """A value as JSON; data classes become objects, days and paths text."""
    import orjson

    def plain(item: Any) -> Any:
        return asdict(item) if is_dataclass(item) and not isinstance(item, type) else str(item)

    text = orjson.dumps(value, default=plain, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    return for_terminals(text.decode())  # a number that is none becomes null

"""`mlops monitor`: look at how the live release is doing."""

from datetime import datetime

import click

from mlops.levels import folder, monitoring_of
from mlops.options import as_of_option, day_of, dry_run_option, json_option, to_json
from mlops.progress import working


@click.group()
def monitor() -> None:
    """Look at how the live release is doing."""


@monitor.command("model")
@as_of_option
@dry_run_option
@json_option
@click.pass_obj
def model(level: int, as_of: datetime | None, dry_run: bool, as_json: bool) -> None:
    """Level 3: a report on the last week. Level 4: the evening's tick of the loop, with its decision."""
    monitoring = monitoring_of(level)
    with working("Looking at the last days"):
        seen = monitoring.monitor_model(folder(level), day_of(as_of), dry_run)
    click.echo(to_json(seen.data()) if as_json else seen.describe())

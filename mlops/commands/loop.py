"""`mlops loop`: start the loop of level 4, look at it, and take its hands off or give them back."""

from datetime import datetime

import click

from mlops.levels import capability, folder
from mlops.options import DAY, day_of, who


@click.group()
def loop() -> None:
    """The loop that watches, decides and acts (level 4)."""


@loop.command("start")
@click.option("--minutes", default=5, show_default=True, type=click.IntRange(1), help="How often to look for new days.")
@click.option("--once", is_flag=True, help="Make a tick for each day that has arrived, and end.")
@click.option("--fail-on-alarm", is_flag=True, help="With --once: end with exit code 3 while an alarm is open.")
@click.pass_obj
def start(level: int, minutes: int, once: bool, fail_on_alarm: bool) -> None:
    """Serve the loop as a Prefect deployment: ticks for all days that have arrived, oldest first."""
    schedule = capability(level, "schedule", word="loop")
    day_of(None)  # prepares the shop, if there is none
    if not once:
        click.echo(f"Looks for new days every {minutes} minutes; Ctrl-C ends it. Look at it: mlops loop status")
        schedule.serve(folder(level), minutes)
        return
    tick = capability(level, "job", word="loop").run_job if fail_on_alarm else schedule.tick_arrived
    for row in tick(folder(level)):
        click.echo(f"{row.as_of}: {row.verdict}. {row.reason}")


@loop.command("status")
@click.pass_obj
def status(level: int) -> None:
    """What is live and for how long, the last tick, open alarms, what is compared, what is due."""
    click.echo(capability(level, "hands", word="loop").status(folder(level), day_of(None)))


@loop.command("health")
@click.pass_obj
def look(level: int) -> None:
    """Look at the service once, as a started loop does each minute: tell what is wrong, go back if that is decided."""
    day_of(None)  # prepares the shop, if there is none
    click.echo(capability(level, "health", word="loop").look(folder(level)).describe())


@loop.command("freeze")
@click.option("--why", required=True, help="The reason, for the ledger.")
@click.pass_obj
def freeze(level: int, why: str) -> None:
    """Keep the loop from training, promoting and rolling back; it goes on looking, and says what it would do."""
    capability(level, "hands", word="loop").freeze(folder(level), day_of(None), why, who())
    click.echo("The loop is frozen: it watches, compares and refreshes, and says what it would do.")
    click.echo("  Next:  mlops loop thaw")


@loop.command("thaw")
@click.option("--why", default="asked for", show_default=True, help="The reason, for the ledger.")
@click.pass_obj
def thaw(level: int, why: str) -> None:
    """Give a frozen loop its hands back."""
    capability(level, "hands", word="loop").thaw(folder(level), day_of(None), why, who())
    click.echo("The loop acts again from the next tick on.\n  Next:  mlops loop status")


@loop.command("accept")
@click.argument("day", type=DAY)
@click.option("--why", required=True, help="The reason, for the ledger.")
@click.pass_obj
def accept(level: int, day: datetime, why: str) -> None:
    """Say that a DAY in quarantine is right: it is used from the next tick on."""
    capability(level, "hands", word="loop").accept(folder(level), day.date(), why, who())
    click.echo(f"{day.date()} counts from the next tick on.\n  Next:  mlops loop status")

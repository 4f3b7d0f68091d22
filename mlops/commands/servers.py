"""`mlops up` and `mlops down`: the servers that a level's tools may use, and the level's service."""

from typing import TYPE_CHECKING

import click

from mlops.levels import folder, has, operations_of, present, service_folder, service_module
from mlops.progress import working
from shared.errors import DependencyDown

if TYPE_CHECKING:
    from shared.service.process import Process

# One that was just started in a foreground needs a moment until it answers.
SECONDS_TO_ANSWER = 10


@click.command()
@click.pass_obj
def up(level: int) -> None:
    """Start Prefect's and MLflow's servers and the level's service on free ports, and print their addresses."""
    operations = operations_of(level)
    with working("Starting Prefect and MLflow (about 40 s)"):
        addresses = operations.start_servers(folder(level))
    for name, address in addresses.items():
        click.echo(f"{f'{name}:':<15}{address}")
    click.echo(f"{'service:':<15}{in_background(level).url}/recommendations/1")
    click.echo(f"  Next:  mlops --level {level} pipeline run; mlops --level {level} down stops them")


def in_background(level: int, port: int | None = None) -> "Process":
    """The level's service, started if it does not run; before a first release it has nothing to answer with."""
    from shared.service.process import start, starting

    at = service_folder(level)
    with starting(at):
        return find_sound(level) or start(at, service_module(level), port or 8000 + level, needs="/healthz")


def find_sound(level: int) -> "Process | None":
    """The level's service, if it runs. Raises DependencyDown if it hangs."""
    from shared.service.process import find
    from shared.service.waiting import wait_until

    running = find(service_folder(level), even_if_it_hangs=True)
    if running and not wait_until(lambda: running.is_itself() or not running.is_running(), SECONDS_TO_ANSWER):
        raise DependencyDown(
            f"The service at {running.url} hangs.", fix=f"Run `mlops --level {level} down`, and again."
        )
    return running if running and running.is_itself() else None


@click.command()
@click.pass_obj
def down(level: int) -> None:
    """Stop what `mlops up` or `mlops serve --background` has started."""
    from shared.service.process import find, stop

    stopped = operations_of(level).stop_servers(folder(level)) if has(level, "ops") else []
    stopped += ["service"] if stop(service_folder(level)) else []
    click.echo(f"Stopped: {', '.join(stopped) or 'nothing was running'}.")
    for other in present():
        if other != level and (find(service_folder(other), even_if_it_hangs=True) or has_servers(other)):
            click.echo(f"  Level {other} has something running, too: mlops --level {other} down")


def has_servers(level: int) -> bool:
    """True if a server runs for a level alone."""
    return has(level, "ops") and bool(operations_of(level).running_servers(folder(level)))

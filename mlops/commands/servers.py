"""`mlops up` and `mlops down`: the servers that level 3 and level 4 may use, and the level's service."""

import click

from mlops.levels import PACKAGES, capability, folder, present, service_folder
from mlops.progress import working
from shared.errors import DependencyDown
from shared.places import home
from shared.service.process import Process, find, start, starting, stop
from shared.service.waiting import wait_until

# One that was just started in a foreground needs a moment until it answers.
SECONDS_TO_ANSWER = 10


@click.command()
@click.pass_obj
def up(level: int) -> None:
    """Start Prefect's and MLflow's servers and the level's service on free ports, and print their addresses."""
    servers = capability(level, "tools.servers")
    with working("Starting Prefect and MLflow (about 40 s)"):
        launched = [servers.launch_prefect(home()), servers.launch_mlflow(home(), folder(level))]
        started = [servers.wait_for(home(), server.name) for server in launched]
    for server in started:
        click.echo(f"{server.name + ':':<15}{server.url}")
        if server.name.startswith("mlflow"):
            click.echo(f"{'  releases:':<15}{server.url}/#/models/recommender")
    click.echo(f"{'service:':<15}{in_background(level).url}/recommendations/1")
    click.echo(f"  Next:  mlops --level {level} pipeline run; mlops --level {level} down stops them")


def in_background(level: int, port: int | None = None) -> Process:
    """The level's service, started if it does not run; before a first release it has nothing to answer with."""
    at = service_folder(level)
    with starting(at):
        return find_sound(level) or start(at, f"{PACKAGES[level]}.serve", port or 8000 + level, needs="/healthz")


def find_sound(level: int) -> Process | None:
    """The level's service, if it runs. Raises DependencyDown if it hangs."""
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
    stopped = []
    if level > 2:
        servers = capability(level, "tools.servers")
        stopped = [name for name in ("prefect", f"mlflow-level{level}") if servers.stop_server(home(), name)]
    stopped += ["service"] if stop(service_folder(level)) else []
    click.echo(f"Stopped: {', '.join(stopped) or 'nothing was running'}.")
    for other in present():
        if other != level and (find(service_folder(other), even_if_it_hangs=True) or has_mlflow(other)):
            click.echo(f"  Level {other} has something running, too: mlops --level {other} down")


def has_mlflow(level: int) -> bool:
    """Whether an MLflow server runs for a level."""
    server = capability(level, "tools.servers").recorded_server(home(), f"mlflow-level{level}") if level > 2 else None
    return bool(server and server.is_running())

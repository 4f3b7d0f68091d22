"""`mlops up` and `mlops down`: the servers that level 3 and level 4 may use, and the level's service."""

import click

from mlops.levels import PACKAGES, capability, folder, service_folder
from mlops.progress import working
from shared.errors import DependencyDown
from shared.places import home
from shared.running import Running, find, is_itself, start, stop


@click.command()
@click.pass_obj
def up(level: int) -> None:
    """Start Prefect's and MLflow's servers and the level's service on free ports, and print their addresses."""
    servers = capability(level, "servers")
    with working("Starting Prefect and MLflow (about 40 s)"):
        launched = [servers.launch_prefect(home()), servers.launch_mlflow(home(), folder(level))]
        started = [servers.wait_for(home(), server.name) for server in launched]
    for server in started:
        click.echo(f"{server.name + ':':<15}{server.url}")
    click.echo(f"{'service:':<15}{in_background(level).url}/recommendations/1")
    click.echo(f"  Next:  mlops --level {level} pipeline run; mlops --level {level} down stops them")


def in_background(level: int, port: int | None = None) -> Running:
    """The level's service, started if it does not run; before a first release it has nothing to answer with."""
    at = service_folder(level)
    running = find(at, even_if_it_hangs=True)
    if running and not is_itself(running):
        raise DependencyDown(
            f"The service at {running.url} hangs.", fix=f"Run `mlops --level {level} down`, and again."
        )
    return running or start(at, f"{PACKAGES[level]}.serve", port or 8000 + level, needs="/healthz")


@click.command()
@click.pass_obj
def down(level: int) -> None:
    """Stop what `mlops up` or `mlops serve --background` has started."""
    stopped = []
    if level > 2:
        servers = capability(level, "servers")
        stopped = [name for name in ("prefect", f"mlflow-level{level}") if servers.stop_server(home(), name)]
    stopped += ["service"] if stop(service_folder(level)) else []
    click.echo(f"Stopped: {', '.join(stopped) or 'nothing was running'}.")

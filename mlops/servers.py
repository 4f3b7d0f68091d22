"""`mlops up` and `mlops down`: the servers that level 3 and level 4 may use, and the level's service."""

import click

from mlops.levels import PACKAGES, capability, folder, service_folder
from mlops.progress import working
from shared.places import home
from shared.running import find, start, stop


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
    if (folder(level) / "live.json").exists():
        at = service_folder(level)
        service = find(at) or start(at, f"{PACKAGES[level]}.serve", 8000 + level)
        click.echo(f"{'service:':<15}{service.url}/recommendations/1")
    else:
        click.echo("service:       not started, as nothing is deployed yet")
    click.echo(f"  Next:  mlops --level {level} pipeline run; mlops --level {level} down stops them")


@click.command()
@click.pass_obj
def down(level: int) -> None:
    """Stop what `mlops up` has started."""
    servers = capability(level, "servers")
    stopped = [name for name in ("prefect", f"mlflow-level{level}") if servers.stop_server(home(), name)]
    stopped += ["service"] if stop(service_folder(level)) else []
    click.echo(f"Stopped: {', '.join(stopped) or 'nothing was running'}.")

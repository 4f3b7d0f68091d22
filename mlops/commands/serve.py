"""`mlops serve`: answer customers."""

import click

from mlops.commands.servers import in_background
from mlops.levels import capability, service_folder
from shared.errors import UsageError


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 8000 + level, or a free one.")
@click.option("--background", is_flag=True, help="Start it, if it does not run, and return; `mlops down` stops it.")
@click.pass_obj
def serve(level: int, port: int | None, background: bool) -> None:
    """Answer customers until stopped with Ctrl-C."""
    from shared.service.main import ended_by_signals, serve_app
    from shared.service.process import HOST, free_port, recorded_as_running

    if background:
        click.echo(f"Level {level} answers at {in_background(level, port).url}/recommendations/1")
        return
    at = free_port(port or 8000 + level)
    if port and at != port:
        raise UsageError(f"Port {port} is taken.", fix="Name another one, or none.")
    app = capability(level, "serve").app()
    with ended_by_signals(), recorded_as_running(service_folder(level), at):
        click.echo(f"Level {level} answers at http://{HOST}:{at}/recommendations/1 (Ctrl-C stops it)")
        serve_app(app, HOST, at)
    click.echo(
        f"Stopped: nothing answers at port {at} any more; what was asked before was answered. The live release stays.\n"
        f"  Next:  mlops --level {level} serve"
    )

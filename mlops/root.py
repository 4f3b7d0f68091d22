"""The command line of all levels. Slow libraries are imported by the command that needs them."""

from contextlib import suppress

import click

from mlops.commands.ask import ask
from mlops.commands.compare import compare, drill
from mlops.commands.data import data
from mlops.commands.deploy import deploy
from mlops.commands.doctor import doctor
from mlops.commands.explain import explain, releases
from mlops.commands.loop import loop
from mlops.commands.monitor import monitor
from mlops.commands.pipeline import pipeline
from mlops.commands.serve import serve
from mlops.commands.servers import down, up
from mlops.commands.status import status
from mlops.commands.token import token
from mlops.levels import present
from shared.dataset.clock import going_ahead
from shared.errors import IntegrityError, UsageError
from shared.places import is_writable, level_folder, shop_folder
from shared.program import run_program
from shared.release.state_version import require_this_version
from shared.service.belonging import settle

# Commands that work on a level's state: what an older version wrote is refused, in words.
NEED_THIS_VERSION = {"pipeline", "deploy", "monitor", "serve", "ask"}


def main() -> None:
    """Run a command; an error that an operator can meet is told without a traceback, with its exit code."""
    run_program(lambda: commands(prog_name="mlops"))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--level", type=click.IntRange(1, 4), envvar="MLOPS_LEVEL", help="Default: the highest level present.")
@click.option("--ahead", is_flag=True, help="Let --as-of name a day that the shop has not reached.")
@click.pass_context
def commands(context: click.Context, level: int | None, ahead: bool) -> None:
    """One retail recommender, run at four MLOps maturity levels.

    Exit codes: 0 done, 1 error, 2 usage, 3 a check said no, 4 integrity, 5 a dependency is down,
    6 locked by another, 7 rolled back.
    """
    if ahead:
        context.with_resource(going_ahead())
    context.obj = level or max(present())
    if context.obj not in present():
        raise UsageError(f"Level {context.obj} is not here; there are {present()}.", fix="Choose one of them.")
    folder = level_folder(context.obj)
    if context.invoked_subcommand in NEED_THIS_VERSION:
        require_this_version(folder)
    if folder.exists() and is_writable(folder) and (shop_folder() / "shop.json").exists():
        with suppress(IntegrityError):  # of the shop: what is live can be looked at and rolled back without it
            settle(folder, shop_folder())


for command in (data, pipeline, deploy, monitor, loop, explain, releases, serve, ask, status, token, compare, drill):
    commands.add_command(command)
for command in (doctor, up, down):
    commands.add_command(command)

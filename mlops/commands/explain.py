"""`mlops explain` and `mlops releases`: what the loop decided and why, and which releases there were."""

import click

from mlops.levels import capability, folder
from mlops.options import echo, json_option


@click.command()
@click.argument("decision", default="")
@click.pass_obj
def explain(level: int, decision: str) -> None:
    """Tell a DECISION of the loop, by its ID or day, with all that it saw. Default: the last one."""
    click.echo(capability(level, "hands", word="loop").explain(folder(level), decision))


@click.command()
@json_option
@click.pass_obj
def releases(level: int, as_json: bool) -> None:
    """Every release that was judged: number, day, NDCG@10, verdict, and when it was live."""
    found = capability(level, "hands", word="loop").releases(folder(level))
    words = capability(level, "explain", word="loop").tell_releases
    echo(found, as_json, words)

"""`mlops ask`: a customer's list from the level's service."""

from typing import Any

import click

from mlops.commands.servers import find_sound
from mlops.levels import service_folder, service_module
from mlops.options import echo, json_option
from shared.errors import UsageError


@click.command()
@click.argument("customer")
@click.option("-k", default=5, type=click.IntRange(1, 100), show_default=True, help="How many products.")
@json_option
@click.pass_obj
def ask(level: int, customer: str, k: int, as_json: bool) -> None:
    """Ask the level's service for a customer's list; starts it for the question if it is not running."""
    from shared.service.process import start, starting, stop

    if not customer:
        raise UsageError("A customer's identifier cannot be empty.", fix="For example: `mlops ask 1`.")
    at = service_folder(level)
    with starting(at):
        running = find_sound(level)
        try:
            answering = running or start(at, service_module(level), 8000 + level)
            answer = answering.recommend(customer, k)
        finally:
            if not running:
                stop(at)
    echo(answer, as_json, lambda answer: describe(level, answer))


def describe(level: int, answer: dict[str, Any]) -> str:
    """A customer's list in words."""
    lines = [f"Level {level}, release {answer['release']}, recommends to customer {answer['customer']}:"]
    lines += [f"  {item['rank']}. {item['name']}  ({item['reason']})" for item in answer["recommendations"]]
    return "\n".join(lines)

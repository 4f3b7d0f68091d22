"""`mlops compare`: the same season and the same incident, played through the levels."""

import click

from mlops.levels import present
from mlops.options import customer_option, echo, json_option, prepare_shop
from mlops.progress import bar


@click.command()
@click.option("--only", type=click.IntRange(1, 4), multiple=True, help="Play only these levels.")
@click.option("--days", type=click.IntRange(8, 200), default=14, show_default=True, help="Length of the season.")
@customer_option
@json_option
def compare(only: tuple[int, ...], days: int, customer: str, as_json: bool) -> None:
    """Play the same season and the same incident through the levels, and measure what each is like."""
    from comparison.season import play
    from comparison.summary import as_data, tell

    prepare_shop()
    played = play(only or tuple(present()), customer, bar, days=days)
    echo(as_data(played) if as_json else played, as_json, lambda played: tell(played, customer))

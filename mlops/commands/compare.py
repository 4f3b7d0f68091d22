"""`mlops compare` and `mlops drill`: the same season and the same incidents, played through the levels."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from mlops.levels import present
from mlops.options import DAY, echo, json_option, prepare_shop
from mlops.progress import line, somebody_looks
from shared.errors import UsageError

if TYPE_CHECKING:
    from comparison.season import Season

people_option = click.option(
    "--people", type=click.Choice(["usual", "careful", "careless"]), default="usual", show_default=True,
    help="How people work (comparison/people.toml); the demo's are always careful.",
)  # fmt: skip
only_option = click.option("--only", type=click.IntRange(1, 4), multiple=True, help="Only these levels.")


@click.command()
@click.option("--demo", "as_demo", is_flag=True, help="Play six weeks with three incidents, in minutes.")
@click.option("--play", is_flag=True, help="Play the quiet season, and a drill of each incident.")
@click.option("--days", type=click.IntRange(1), help="With --play: so many quiet days; all of them without it.")
@click.option("--starts", type=click.IntRange(0, 5), default=1, show_default=True, help="With --play: drills of each.")
@only_option
@people_option
@json_option
def compare(
    as_demo: bool, play: bool, days: int | None, starts: int, only: tuple[int, ...], people: str, as_json: bool
) -> None:
    """Show what was measured last; with --demo or --play, measure it."""
    from comparison import demo, results

    if as_demo:
        with playing(only, demo.PEOPLE) as season:
            demo.play(season)
        results.keep(results.of_demo(season))
    elif play:
        with playing(only, people) as season:
            result = play_season(season, days, starts)
        results.keep(result)
    show(results.last(), as_json)


@click.command()
@click.argument("name", required=False)
@click.option("--list", "as_list", is_flag=True, help="Name the incidents.")
@click.option("--start", type=DAY, help="The day on which it strikes; the season's first one without it.")
@only_option
@people_option
@json_option
def drill(
    name: str | None, as_list: bool, start: datetime | None, only: tuple[int, ...], people: str, as_json: bool
) -> None:
    """Play the incident NAME from a day of the quiet season, the levels side by side."""
    from comparison import results
    from comparison.incidents.by_name import kind_of

    if as_list or name is None:
        click.echo(results.listing())
        return
    kind = kind_of(name)
    with playing(only, people) as season:
        starts = season.calendar.starts(kind.days)
        day = start.date() if start else starts[0]
        if day not in starts:
            known = ", ".join(map(str, starts))
            raise UsageError(f"No drill of {name} begins on {day}.", fix=f"Days to begin on: {known}.")
        season.prepare()
        season.drill(name, day)
    show(results.keep(results.of_drill(season, name, day)), as_json)


def play_season(season: "Season", days: int | None, starts: int) -> dict[str, Any]:
    """Play quiet days, and each incident from so many of the days on which it can begin; returns the result."""
    from comparison import results
    from comparison.incidents.by_name import INCIDENTS

    season.prepare()
    through = season.calendar.last
    if days:
        season.calendar.require(days, "such a season")
        through = season.calendar.opening + timedelta(days=days - 1)
    drills = {kind.name: season.calendar.starts(kind.days)[:starts] for kind in INCIDENTS} if starts else {}
    season.play_quiet(through)
    for name, begins in drills.items():
        for start in begins:
            season.drill(name, start)
    return results.of_season(season, through, drills)


@contextmanager
def playing(only: tuple[int, ...], people: str) -> Iterator["Season"]:
    """A season of the shop that is here; each level's day is shown where somebody looks."""
    from comparison.season import Season
    from shared.dataset.feed import open_feed
    from shared.places import shop_folder

    prepare_shop()
    levels = tuple(sorted(set(only or present())))
    with days_shown() as on_day:
        season = Season(open_feed(shop_folder()), people, levels, on_day)
        with season.alone():
            yield season


@contextmanager
def days_shown() -> Iterator[Callable[[int, date], None]]:
    """A line with the day that each level has reached; nothing where nobody looks, but a line a level's month."""
    reached: dict[int, date] = {}
    if not somebody_looks():

        def tell(level: int, day: date) -> None:
            if reached.get(level) is None or reached[level].month != day.month:
                click.echo(f"level {level}: {day} ...", err=True)
            reached[level] = day

        yield tell
        return
    with line("Playing the season") as shown:

        def show_day(level: int, day: date) -> None:
            reached[level] = day
            shown.text = ", ".join(f"level {at}: {reached[at]}" for at in sorted(reached))

        yield show_day


def show(result: dict[str, Any], as_json: bool) -> None:
    """A result as a page, or as data."""
    echo(result["data"] if as_json else result, as_json, lambda kept: kept["text"])

"""The scoreboard: what a season was like at each level, from what was observed."""

from dataclasses import dataclass
from datetime import date
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from comparison.customers import ServedDay
from comparison.season import Played
from shared.text import count

# Of the scoreboard, in characters.
WIDTH = 100


@dataclass(frozen=True)
class Score:
    """One level's line."""

    level: int
    manual_actions: int
    release: str
    trained_through: str
    histories_through: str
    served_ndcg_at_10: float
    truncated_bundle: str
    starts_again: str
    knows_what_was_live: str


HEADINGS = {
    "level": "level",
    "manual_actions": "manual actions",
    "release": "release live",
    "trained_through": "trained through",
    "histories_through": "histories through",
    "served_ndcg_at_10": "served NDCG@10",
    "truncated_bundle": "the truncated bundle",
    "starts_again": "comes up after a restart",
    "knows_what_was_live": "knows what was live",
}


def score(played: Played) -> Score:
    """A level's line from its season."""
    last = played.days[-1]
    shoppers = sum(day.shoppers for day in played.days)
    return Score(
        level=played.level,
        manual_actions=len(played.actions),
        release=release_of(played, last),
        trained_through=last.version.get("trained_through", "-"),
        histories_through=last.version.get("histories_through", "-"),
        served_ndcg_at_10=sum(day.ndcg * day.shoppers for day in played.days if day.shoppers) / shoppers,
        truncated_bundle=fate(played),
        starts_again="yes" if played.starts_again else "no",
        knows_what_was_live=memory(played),
    )


def release_of(played: Played, day: ServedDay) -> str:
    """The number of the release that answered on a day."""
    numbers = {digest: release for release, digest in played.made.items()}
    return numbers.get(day.digest, "none")


def fate(played: Played) -> str:
    """What became of the bundle that the incident truncated."""
    after = [day for day in played.days if day.day >= played.incident_on]
    down = [day for day in after if not day.digest]
    pretended = [day for day in after if day.digest and day.digest != played.deployed[day.day]]
    before = release_of(played, [day for day in played.days if day.day < played.incident_on][-1])
    if down:
        lost = sum(day.shoppers for day in down)
        return f"went live: no answer for {count(len(down), 'day')} ({lost} shoppers)"
    if pretended:
        return f"deployed; the service kept {before} for {count(len(pretended), 'day')}, only its log says so"
    if played.refused:
        return f"refused before it went live; {recovery(played, after, before)}"
    return "nothing: no release was under way"


def recovery(played: Played, after: list[ServedDay], before: str) -> str:
    """When the next sound release was live."""
    newer = [day for day in after if release_of(played, day) != before]
    if not newer:
        return f"{before} still live"
    return f"{release_of(played, newer[0])} live {wait(newer[0].day, played.incident_on)}"


def wait(day: date, since: date) -> str:
    """
    >>> wait(date(2017, 6, 13), date(2017, 6, 12))
    '1 day later'
    """
    return f"{count((day - since).days, 'day')} later"


def memory(played: Played) -> str:
    """For how many days the level's own records name what really answered."""
    if all(said is None for said in played.recorded_live.values()):
        return "no record"
    right = sum((played.recorded_live[day.day] or "") == day.digest for day in played.days)
    return f"{right} of {len(played.days)} days"


def table(scores: list[Score], width: int = WIDTH) -> str:
    """The scoreboard as text, one column a level, in at most `width` characters a line."""
    first, *rest = [[heading, *(cell(getattr(line, name)) for line in scores)] for name, heading in HEADINGS.items()]
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in first:
        drawn.add_column(heading, overflow="fold")
    for row in rest:
        drawn.add_row(*row)
    page = StringIO()
    Console(width=width, file=page, color_system=None, markup=False, highlight=False).print(drawn)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def cell(value: object) -> str:
    """A value as it is printed."""
    return f"{value:.3f}" if isinstance(value, float) else str(value)

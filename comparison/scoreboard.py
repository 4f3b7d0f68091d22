"""The scoreboard: the quiet days, then a row an incident and a cell a level, within 100 columns."""

from collections.abc import Mapping, Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from comparison.incidents.by_name import kind_of
from comparison.measures import Quiet
from comparison.verdicts import NOTHING_LOST, Verdict
from shared.text import count

WIDTH = 100


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int = WIDTH) -> str:
    """A table as text, in at most `width` characters a line."""
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for at, heading in enumerate(headings):
        drawn.add_column(heading, overflow="fold", no_wrap=at == 0)
    for row in rows:
        drawn.add_row(*row)
    page = StringIO()
    Console(width=width, file=page, color_system=None, markup=False, highlight=False).print(drawn)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def quiet_rows(quiet: Sequence[Quiet]) -> list[list[str]]:
    """The quiet days, a column a level."""
    return [
        ["served NDCG@10", *(f"{one.ndcg:.4f}" for one in quiet)],
        ["lost to old histories", *(share(one.old_histories) for one in quiet)],
        ["lost to old parameters", *(share(one.old_parameters) for one in quiet)],
        ["releases live", *(str(one.releases) for one in quiet)],
        ["commands typed", *(str(one.actions) for one in quiet)],
        ["false alarms", *(str(one.signals) for one in quiet)],
        ["knows what was live", *("no record" if one.knows is None else f"{one.knows} of {one.days}" for one in quiet)],
    ]


def share(value: float | None) -> str:
    """
    >>> share(0.0123), share(None), share(-0.00001)
    ('1.2 %', 'not measured', '0.0 %')
    """
    return "not measured" if value is None else f"{100 * value + 0.0:.1f} %".replace("-0.0 ", "0.0 ")


def cell(verdicts: Sequence[Verdict]) -> str:
    """A level's cell: what was lost, who noticed and when. Several verdicts are of several days of beginning."""
    if all(verdict.struck is None for verdict in verdicts):
        return "no release in time"
    struck = [verdict for verdict in verdicts if verdict.struck is not None]
    noticed = {said(verdict) for verdict in struck}
    told = noticed.pop() if len(noticed) == 1 else "; ".join(sorted(noticed))
    is_change = any(kind_of(verdict.incident).change for verdict in struck)  # nobody can keep the world out
    if not is_change and all(verdict.kept_out for verdict in struck):
        untold = all(verdict.noticed.by == "never" for verdict in struck)
        rest = f", {lost(struck)} lost" if max(verdict.lost for verdict in struck) > NOTHING_LOST else ""
        return f"kept out, untold{rest}" if untold else f"kept out{rest}; {told}"
    down = "" if all(verdict.restarts for verdict in struck) else "; down after the restart"
    return f"{lost(struck)} lost; {told}{down}"


def lost(verdicts: Sequence[Verdict]) -> str:
    """What was lost, with its range over the days of beginning."""
    low, high = min(verdict.lost for verdict in verdicts), max(verdict.lost for verdict in verdicts)
    return share(low) if share(low) == share(high) else f"{share(low)} to {share(high)}"


def said(verdict: Verdict) -> str:
    """Who noticed, and when.

    >>> from datetime import date
    >>> from comparison.verdicts import Mended, Noticed
    >>> day = date(2017, 5, 3)
    >>> said(Verdict(1, "x", day, day, 1, 0, 0, 0.0, Noticed("person", 1), Mended(), 0, 0, True))
    'person, 1 day'
    """
    if verdict.noticed.after_days is None:
        return "never noticed"
    return f"{verdict.noticed.by}, {count(verdict.noticed.after_days, 'day')}"


def no_better(by_incident: Mapping[str, Mapping[int, Sequence[Verdict]]]) -> list[str]:
    """Where a higher level lost more than a lower one, in words."""
    found = []
    for incident, by_level in by_incident.items():
        struck = {level: [one for one in found if one.struck] for level, found in by_level.items()}
        means = {level: sum(one.lost for one in found) / len(found) for level, found in struck.items() if found}
        for level, lower in ((high, low) for high in means for low in means if low == high - 1):
            if means[level] > means[lower] + NOTHING_LOST:
                more = f"{share(means[level])} beside {share(means[lower])}"
                found.append(f"{incident}: level {level} lost more than level {lower}, {more}")
    return found

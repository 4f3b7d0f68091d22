"""What a play has shown: as a page for a terminal, and as data. `mlops compare` shows the last one again."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from comparison import demo
from comparison.incidents.by_name import INCIDENTS, kind_of
from comparison.measures import Quiet, measure
from comparison.scoreboard import cell, no_better, quiet_rows, said, share, table
from comparison.season import Season
from comparison.verdicts import Verdict, judge, read_window
from shared.errors import UsageError
from shared.places import home, write_atomically
from shared.text import count

NAMES = {1: "manual", 2: "automation", 3: "CI/CD", 4: "monitoring"}
SIMULATED = (
    "Unless the shop is your own, its purchases are completejourney's, simulated by its authors on real patterns.",
    "Simulated here: shoppers look at their list before they buy; people, by comparison/people.toml. All else is",
    "measured: what each level's own commands did, said and cost.",
)


def headings(levels: Sequence[int]) -> list[str]:
    """The first line of a table."""
    return ["", *(f"{level} {NAMES[level]}" for level in levels)]


def of_demo(season: Season) -> dict[str, Any]:
    """The demo's page and data."""
    quiet = [demo.quiet_of(season, level) for level in season.levels]
    by_level = {level: demo.verdicts_of(season, level) for level in season.levels}
    rows = [row for row in quiet_rows(quiet) if "lost" not in row[0] and "alarms" not in row[0]]
    days = demo.strikes(season.calendar)
    for at, (name, day) in enumerate(days.items()):
        rows.append([f"{name}\nfrom {day:%-d %B} on", *(demo_cell(by_level[level][at]) for level in season.levels)])
    first, *_, last = demo.days_of(season.calendar)
    armed = demo.armed_from(season.calendar)
    notes = [
        f"Six weeks, {first} to {last}; people who are careful. One play: a figure may be chance.",
        *(f"{name}: {kind_of(name).what}." for name in days),
        "A percentage is of the answers until the next incident: errors, empty lists, and what the incident harmed.",
        f"Level 4's alarm on quality needs {demo.ARMED_DAYS} days of served lists: it is armed from {armed} on.",
        "What an incident cost is not shown: that needs a play without it. `mlops drill NAME` has both.",
    ]
    return page(rows, season.levels, notes, quiet, by_level)


def demo_cell(verdict: Verdict) -> str:
    """What became of an incident in the demo."""
    if verdict.struck is None:
        return "no release in time"
    if not verdict.bad:
        return "kept out, untold" if verdict.noticed.by == "never" else f"kept out; {said(verdict)}"
    mended = "" if verdict.mended.by != "never" else "; not mended"
    return f"{share(verdict.bad / max(verdict.answers, 1))} bad; {said(verdict)}{mended}"


def of_season(season: Season, through: date, drills: dict[str, list[date]]) -> dict[str, Any]:
    """The page and data of quiet days and of what was drilled. drills: the days on which each began."""
    quiet = [quiet_until(season, level, through) for level in season.levels]
    found = {
        name: {level: [verdict_of(season, name, start, level) for start in starts] for level in season.levels}
        for name, starts in drills.items()
    }
    rows = quiet_rows(quiet)
    rows += [[name, *(cell(by_level[level]) for level in season.levels)] for name, by_level in found.items()]
    starts = sorted({start for each in drills.values() for start in each})
    beginning = f"each from {', '.join(map(str, starts))}" if starts else "none"
    notes = [
        f"Quiet days {season.calendar.opening} to {through}; {season.people} people. Drills: {beginning}.",
        "Lost: NDCG@10 of the window beside the same days without the fault; for a change of the shop, beside a model",
        "trained afresh each night. Days are counted from the first bad answer, or from the strike if there was none.",
        *("Where a higher level was no better: " + words for words in no_better(found)),
    ]
    if len(starts) == 1:
        notes.append("One play of each: a figure may be chance.")
    by_level = {level: [one for by in found.values() for one in by[level]] for level in season.levels}
    return page(rows, season.levels, notes, quiet, by_level)


def of_drill(season: Season, name: str, start: date) -> dict[str, Any]:
    """The page and data of one drill: the levels side by side, day by day, then the verdicts."""
    diaries = {level: season.drilled(name, start, level) for level in season.levels}
    verdicts = {level: verdict_of(season, name, start, level) for level in season.levels}
    days = diaries[season.levels[0]].days()
    rows = [[f"{day:%d %b}", *(day_cell(diaries[level].read(day)) for level in season.levels)] for day in days]
    rows.append(["", *("" for _ in season.levels)])
    rows.append(["verdict", *(cell([verdicts[level]]) for level in season.levels)])
    rows.append(["bad, late", *(f"{one.bad}, {one.late} of {one.answers}" for one in verdicts.values())])
    rows.append(["mended", *(mended(one) for one in verdicts.values())])
    rows.append(["typed", *(typed(one) for one in verdicts.values())])
    notes = [f"{name}, from {start}: {kind_of(name).what}. {season.people.capitalize()} people. One play."]
    notes += [f"Level {level}'s words: {one.noticed.words}" for level, one in verdicts.items() if one.noticed.words]
    return page(rows, season.levels, notes, [], {level: [one] for level, one in verdicts.items()})


def mended(verdict: Verdict) -> str:
    """Who ended it, in words."""
    after = verdict.mended.after_days
    return (verdict.mended.by or "nothing to mend") + (f", {count(after, 'day')}" if after is not None else "")


def typed(verdict: Verdict) -> str:
    """The commands that people typed."""
    return f"{count(verdict.actions, 'command')}, {verdict.needless} needless"


def day_cell(entry: dict[str, Any]) -> str:
    """A level's day in a drill: NDCG@10, what was wrong, what was signalled, what people did."""
    if not entry["shoppers"]:
        return "no shoppers"
    parts = [f"{entry['ndcg'] / entry['shoppers']:.3f}"]
    if entry["bad"]:
        parts.append(f"{entry['bad']} bad")
    parts += sorted({signal["kind"] for signal in entry["signals"]})
    parts += ["person" for one in entry["did"] if one["by"] == "person"][:1]
    return ", ".join(parts)


def verdict_of(season: Season, name: str, start: date, level: int) -> Verdict:
    """A level's verdict on a drill."""
    drill, quiet = season.drilled(name, start, level), season.quiet(level)
    return judge(read_window(level, name, start, drill, quiet, season.nightly(name, start)))


def quiet_until(season: Season, level: int, through: date) -> Quiet:
    """A level's quiet days through one of them."""
    diary = season.quiet(level)
    entries = [diary.read(day) for day in diary.days() if day <= through]
    return measure(level, entries, diary.noted("records"))


def page(
    rows: list[list[str]],
    levels: Sequence[int],
    notes: Sequence[str],
    quiet: Sequence[Quiet],
    by_level: dict[int, list[Verdict]],
) -> dict[str, Any]:
    """A result: its text, and a line of data a level."""
    text = "\n".join([table(headings(levels), rows), "", *notes, *SIMULATED])
    measured = {one.level: asdict(one) for one in quiet}
    data = [
        {**measured.get(level, {}), "level": level, "incidents": [plain(one) for one in by_level.get(level, [])]}
        for level in levels
    ]
    return {"text": text, "data": data}


def plain(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data."""
    return {**asdict(verdict), "start": str(verdict.start), "struck": str(verdict.struck) if verdict.struck else None}


def result_file() -> Path:
    """Where the last result is kept."""
    return home() / "season" / "last.json"


def keep(result: dict[str, Any]) -> dict[str, Any]:
    """Keep a result as the last one."""
    write_atomically(result_file(), json.dumps(result).encode())
    return result


def last() -> dict[str, Any]:
    """The last result. Raises UsageError if nothing was played."""
    if not result_file().exists():
        raise UsageError("Nothing was played yet.", fix="`mlops compare --demo` takes minutes, `--play` longer.")
    return dict(json.loads(result_file().read_bytes()))


def listing() -> str:
    """The incidents that can be drilled."""
    rows = [[kind.name, kind.door or "none", f"{kind.days} days", kind.what] for kind in INCIDENTS]
    return table(["drill", "door", "window", "what happens"], rows)

"""Decisions in words: `mlops explain`, `mlops releases` and a tick's own answer. Reads the ledger, changes nothing."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from level3_cicd.ledger import Row
from level4_monitoring.config import LoopConfig
from level4_monitoring.decide import decide, read_seen
from level4_monitoring.kept import Kept, incident_began, read_kept
from level4_monitoring.past import HEALTH, OUTCOME, Past
from shared.errors import UsageError

ID_LENGTH = 8


def id_of(row: Row) -> str:
    """The ID of a decision: the beginning of its row's hash."""
    return row.hash[:ID_LENGTH]


def find(past: Past, wanted: str) -> Row:
    """The decision that is meant: by ID, or an evening's by its day; the last evening's if nothing is named.

    Raises UsageError.
    """
    decisions = [*past.ticks, *past.health]
    if not decisions:
        raise UsageError("The loop has decided nothing yet.", fix="Run `mlops monitor model`.")
    if not wanted:
        return (past.ticks or past.health)[-1]
    found = [row for row in past.ticks if row.as_of.isoformat() == wanted]
    found = found or [row for row in decisions if row.hash.startswith(wanted)]
    if len(found) != 1:
        known = ", ".join(f"{id_of(row)} ({row.as_of})" for row in decisions[-3:])
        raise UsageError(f"No decision, or more than one, is called {wanted!r}.", fix=f"The last ones are {known}.")
    return found[0]


def explain(past: Past, wanted: str = "") -> str:
    """A decision with its numbers, and whether it comes out the same when it is asked again."""
    row = find(past, wanted)
    outcome, numbers = past.outcome_of(row), row.numbers
    again = decide(read_seen(numbers["seen"]), LoopConfig.model_validate(numbers["limits"]))
    # A look that holds says what it saw; what is due in the evening is not its business.
    only_saw = row.step == HEALTH and row.verdict == "hold"
    same = again.action == row.verdict and (only_saw or again.reason == row.reason)
    lines = [
        f"{id_of(row)}  {row.as_of}: {row.verdict}{f' {row.release}' if row.release else ''}",
        f"  why:      {row.reason}",
        f"  outcome:  {f'{outcome.verdict}, {outcome.reason}' if outcome else 'none yet; the next tick finishes it'}",
        *(f"  alarm:    {alarm['kind']} {alarm['about']} {alarm['what']}" for alarm in numbers["kept"]["alarms"]),
        *(f"  can see:  {told}" for told in numbers["told"]),
        "  seen:",
        *lines_of(numbers["seen"]),
        "  measured:",
        *lines_of(numbers["kept"]["values"]),
        f"  asked again with this, it decides {'the same' if same else f'{again.action}: {again.reason}'}",
    ]
    return "\n".join(lines)


def lines_of(values: dict[str, Any]) -> list[str]:
    """Values by name, one a line; those of a part are indented."""
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += [f"    {name}:", *(f"  {line}" for line in lines_of(value))]
        elif value not in (None, "", [], 0):
            lines.append(f"    {name + ':':<22} {tell_value(value)}")
    return lines


def tell_value(value: Any) -> str:
    """A value in words.

    >>> tell_value(0.123456), tell_value(12.0), tell_value(["a", "b"])
    ('0.1235', '12', 'a, b')
    """
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.4f}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def describe_tick(row: Row, outcome: Row | None, level: Path) -> str:
    """A tick's answer."""
    kept = read_kept(row.numbers["kept"])
    done = f"  Outcome: {outcome.verdict}, {outcome.reason}\n" if outcome else ""
    told = "".join(f"  Alarm:   {alarm.incident}: {alarm.what}\n" for alarm in kept.alarms)
    where = f"  Where:   {level / 'reports' / f'{row.as_of}.html'}\n  Next:    mlops explain {id_of(row)}"
    return (
        f"{row.as_of}: {row.verdict}. {row.reason}\n{done}  Served:  {tell_served(kept)}; {tell_drift(kept)}\n{told}"
        + (where if id_of(row) else "  Nothing was written (--dry-run).")
    )


def tell_served(kept: Kept) -> str:
    """How good the served lists were, in words."""
    ndcg, precision = kept.values.get("ndcg"), kept.values.get("precision")
    if ndcg is None or precision is None:
        return "nobody who bought"
    return f"NDCG@10 {ndcg:.4f}, precision@10 {precision:.4f} for {kept.values['scored']:.0f} customers who bought"


def tell_drift(kept: Kept) -> str:
    """Which columns have drifted, in words."""
    verdicts = {
        name.removeprefix("drifted "): found for name, found in kept.values.items() if name.startswith("drifted ")
    }
    drifted = ", ".join(name for name, found in verdicts.items() if found)
    return f"drift in {drifted}" if drifted else ("no drift" if verdicts else "drift not judged")


def releases(past: Past) -> list[dict[str, Any]]:
    """Every release that was judged: number, day, NDCG@10 then, verdict, and when it was live."""
    judged = [row for row in past.rows if row.step == "gate"]
    return [
        {
            "release": row.release,
            "trained": row.as_of.isoformat(),
            "ndcg_at_10": row.numbers.get("metrics", {}).get("ndcg_at_10"),
            "verdict": "closed" if past.is_closed(row.release) else row.verdict,
            "live": live_when(past.lives, row.release),
        }
        for row in judged
    ]


def live_when(lives: Sequence[Row], release: str) -> list[str]:
    """The times in which customers were answered by a release, in words."""
    ends: list[date | None] = [row.as_of for row in lives[1:]] + [None]
    return [
        f"{row.as_of + timedelta(days=1)} to {end or 'now'}"
        for row, end in zip(lives, ends, strict=True)
        if row.release == release
    ]


def tell_releases(found: list[dict[str, Any]]) -> str:
    """The releases as a table."""
    rows = [("release", "trained", "NDCG@10", "verdict", "live")]
    for one in found:
        scored = f"{one['ndcg_at_10']:.4f}" if one["ndcg_at_10"] is not None else "-"
        rows.append((one["release"], one["trained"], scored, one["verdict"], "; ".join(one["live"]) or "never"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join([*(f"{row[at]:<{widths[at]}}" for at in range(4)), row[4]]) for row in rows)


def status(past: Past, day: date, limits: LoopConfig) -> str:
    """What the loop is doing, on one screen."""
    alarms = f"alarms:     {', '.join(open_incidents(past.with_outcomes, limits)) or 'none open'}"
    if not past.ticks:
        return f"No tick was made yet. Next: mlops monitor model, or mlops loop start\n{alarms}"
    last, live = past.ticks[-1], past.live
    seen = read_seen(last.numbers["seen"])
    trained = f", trained through {live.numbers.get('trained_through', 'an unknown day')}" if live else ""
    compared = seen.comparison
    waiting = [row for row in past.rows if row.step == OUTCOME][-1:]
    lines = [
        f"live:       {f'{live.release} since {live.as_of + timedelta(days=1)}{trained}' if live else 'nothing'}",
        f"last tick:  {last.as_of}, {(day - last.as_of).days} days behind the shop's {day}: {last.verdict}",
        f"  because:  {last.reason}",
        f"  outcome:  {waiting[0].verdict if waiting else 'none yet'}",
        f"frozen:     {past.frozen or 'no'}",
        f"compared:   {f'{compared.release} with {compared.live}, day {compared.days}' if compared else 'nothing'}",
        f"trained:    last on {seen.last_training or 'no day'}",
        alarms,
        *(f"can see:    {told}" for told in last.numbers["told"]),
    ]
    return "\n".join(lines)


def open_incidents(history: Sequence[Kept], limits: LoopConfig) -> list[str]:
    """The incidents that go on, each with its first day."""
    ends = limits.alarms.incident_ends_after_days
    names = sorted({alarm.incident for kept in history[-ends - 1 :] for alarm in kept.alarms})
    began = {name: incident_began(history, name, ends) for name in names}
    return [f"{name} since {day}" for name, day in began.items() if day]

"""Which of the days that were kept call for a new release: a part of what the loop sees. Pure."""

from collections.abc import Sequence
from datetime import date

from level4_monitoring.config import LoopConfig
from level4_monitoring.detect import drifting_days
from level4_monitoring.kept import Kept


def trigger_days(history: Sequence[Kept], config: LoopConfig) -> list[date]:
    """The first day of each incident that calls for a new release; an incident ends after 14 days without."""
    began: list[date] = []
    last: date | None = None
    for number, kept in enumerate(history):
        if calls_for_training(history[: number + 1], config):
            if last is None or (kept.day - last).days > config.alarms.incident_ends_after_days:
                began.append(kept.day)
            last = kept.day
    return began


def calls_for_training(history: Sequence[Kept], config: LoopConfig) -> bool:
    """A quality alarm; or a warning on quality with new products, or with a column that drifts for days."""
    kept = history[-1]
    if kept.raised("quality"):
        return True
    return kept.raised("quality", "warning") and (new_products_lately(history, config) or drifts(history, config))


def new_products_lately(history: Sequence[Kept], config: LoopConfig) -> bool:
    """Whether an assortment alarm was raised in the days that count as one incident."""
    ends = config.alarms.incident_ends_after_days
    return any(kept.raised("assortment") for kept in history if (history[-1].day - kept.day).days <= ends)


def drifts(history: Sequence[Kept], config: LoopConfig) -> bool:
    """Whether a column has drifted for days in a row."""
    columns = [name.removeprefix("drifted ") for name in history[-1].values if name.startswith("drifted ")]
    return any(drifting_days(history, column) >= config.drift.days_in_a_row for column in columns)

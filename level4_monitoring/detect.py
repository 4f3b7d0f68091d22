"""Alarms from kept daily values. Pure, and without memory of its own: the loop asks it every evening.

The quality detector is the Shiryaev-Roberts e-detector (Shin, Ramdas and Rinaldo, 2022, "E-detectors") for
1-sub-Gaussian deviations around a reference that is never restarted by a deployment.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

import numpy as np

from level3_cicd.assortment import FIRST_JUDGED_DAY, REFERENCE_WEEKS, Assortment
from level3_cicd.assortment import judge as judge_assortment
from level4_monitoring.config import LoopConfig, Quality, Service
from level4_monitoring.kept import Alarm, Kept
from shared.text import count

BETS = np.array([0.5, 1.0, 2.0, 4.0])
FURTHEST_BELOW = -4.0
FALL_WITHIN_DAYS = 5
# Shares of a day's answers that must stay small, and how an alarm calls them.
SHARES = {"error_share": "errors", "empty_share": "empty-answers", "fallback_share": "fallbacks"}
SHARES_IN_WORDS = {
    "errors": "of the questions were answered with an error",
    "empty-answers": "of the answers held no product",
    "fallbacks": "of the answers came from another release than the one that is to be live",
}


@dataclass(frozen=True)
class State:
    """The quality detector after a day. evidence: against "nothing has changed"; it alarms at 1,000.

    reference: days in the reference; mean, deviation: of them, NaN before it is armed. z: the day, in deviations.
    """

    evidence: float = 0.0
    reference: int = 0
    mean: float = math.nan
    deviation: float = math.nan
    z: float = math.nan


def quality_states(history: Sequence[Kept], config: Quality, value: str = "precision") -> list[State]:
    """The detector's state after each kept day."""
    days = np.array([kept.day.toordinal() for kept in history])
    values = np.array([math.nan if (known := kept.value(value)) is None else known for kept in history], dtype=float)
    bets, states = np.zeros(len(BETS)), []
    for day, found in zip(days, values, strict=True):
        ended = day - config.reference_ended_days_ago
        chosen = values[(days > ended - config.reference_days) & (days <= ended) & ~np.isnan(values)]
        state, bets = after_day(bets, found, chosen, config)
        states.append(state)
    return states


def after_day(bets: np.ndarray, found: float, reference: np.ndarray, config: Quality) -> tuple[State, np.ndarray]:
    """One step: (the state after a day with the value `found`, the bets to go on with).

    A day without a value, or before the detector is armed, leaves the bets as they are; an alarm ends them.
    """
    armed = len(reference) >= config.armed_from_days and reference.std(ddof=1) > 0
    if not armed:
        return State(reference=len(reference)), bets
    mean, deviation = float(reference.mean()), float(reference.std(ddof=1))
    if math.isnan(found):
        return State(float(bets.mean()), len(reference), mean, deviation), bets
    z = (found - mean) / deviation
    grown = (bets + 1) * np.exp(BETS * -max(z, FURTHEST_BELOW) - BETS**2 / 2)
    evidence = float(grown.mean())
    left = np.zeros(len(BETS)) if evidence >= config.alarm else grown
    return State(evidence, len(reference), mean, deviation, z), left


def smallest_fall(config: Quality, days: int = FALL_WITHIN_DAYS) -> float:
    """The smallest lasting fall, in deviations of a day, that is an alarm within `days` if chance adds nothing."""
    low, high = 0.0, -FURTHEST_BELOW
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if grows_to(middle, days) >= config.alarm else (middle, high)
    return high


def grows_to(fall: float, days: int) -> float:
    """The evidence after `days` days that are `fall` deviations below the reference."""
    bets = np.zeros(len(BETS))
    for _ in range(days):
        bets = (bets + 1) * np.exp(BETS * fall - BETS**2 / 2)
    return float(bets.mean())


def tell_armed(state: State, config: Quality) -> str:
    """What the quality detector can see by now, in words."""
    if math.isnan(state.mean):
        return f"quality alarm not armed, {state.reference} of {config.armed_from_days} days known"
    fall = smallest_fall(config) * state.deviation
    share = f" ({fall / state.mean:.0%})" if state.mean > 0 else ""
    return f"quality alarm armed: it finds a fall of {fall:.3f}{share} in {FALL_WITHIN_DAYS} days"


def quality_alarms(history: Sequence[Kept], config: Quality) -> list[Alarm]:
    """The quality alarm or warning of the last kept day."""
    state = quality_states(history, config)[-1]
    if math.isnan(state.z) or state.evidence < config.warning:
        return []
    told = (
        f"precision@10 {history[-1].values['precision']:.4f} is {state.z:+.1f} deviations from its usual "
        f"{state.mean:.4f}; evidence {state.evidence:,.0f}"
    )
    if state.evidence >= config.alarm:
        return [Alarm("quality", f"{told}, alarm from {config.alarm:,.0f}")]
    return [Alarm("quality", f"{told}, warning from {config.warning:,.0f}", "warning")]


def assortment(history: Sequence[Kept]) -> Assortment:
    """The verdict on the last day's share of new products, beside the same weekdays of the weeks before."""
    last = history[-1].day
    same = {last - timedelta(weeks=week) for week in range(1, REFERENCE_WEEKS + 1)}
    before = [kept.value("new_products") for kept in history if kept.day in same]
    return judge_assortment(history[-1].value("new_products"), before)


def assortment_alarms(history: Sequence[Kept], days_known: int) -> list[Alarm]:
    """An alarm if far more products than usual are new. days_known: of the shop, from its first day on."""
    found = assortment(history)
    if days_known < FIRST_JUDGED_DAY or found.verdict != "new assortment":
        return []
    return [Alarm("assortment", str(found))]


def tell_assortment(history: Sequence[Kept], days_known: int) -> str:
    """What the assortment alarm can see by now, in words."""
    found = assortment(history)
    if days_known < FIRST_JUDGED_DAY:
        return f"assortment alarm not armed, day {days_known} of {FIRST_JUDGED_DAY}"
    if found.usual is None:
        return "assortment alarm not armed: the loop has seen too few days to know what is usual"
    if found.verdict == "blind":
        return f"assortment alarm blind: usually {found.usual:.0%} of the rows name a product that is new or rare"
    return "assortment alarm armed"


def drift_alarms(history: Sequence[Kept]) -> list[Alarm]:
    """An alarm for each column that drifts on the last day."""
    drifted = [name for name, value in history[-1].values.items() if name.startswith("drifted ") and value]
    return [drift_alarm(name.removeprefix("drifted "), history[-1]) for name in drifted]


def drift_alarm(column: str, kept: Kept) -> Alarm:
    """One column's alarm."""
    psi = kept.values.get(f"drift {column}")
    return Alarm("drift", f"{column} has drifted" + (f", PSI {psi:.2f}" if psi is not None else ""), about=column)


def drifting_days(history: Sequence[Kept], column: str) -> int:
    """On how many days in a row, through the last one, a column has drifted."""
    runs = groupby(reversed(history), key=lambda kept: bool(kept.values.get(f"drifted {column}")))
    drifting, days = next(runs)
    return len(list(days)) if drifting else 0


def service_alarms(history: Sequence[Kept], config: Service) -> list[Alarm]:
    """Alarms on the last day's answers, on skew, and on the age of the customers' histories."""
    values = history[-1].values
    answers = values.get("answers") or 0
    alarms = []
    for name, kind in SHARES.items():
        share = values.get(name)
        if answers >= config.least_answers and share is not None and share > config.most_share:
            alarms.append(Alarm(kind, f"{share:.1%} {SHARES_IN_WORDS[kind]}, limit {config.most_share:.0%}"))
    equal = values.get("equal_offline")
    if equal is not None and equal < config.least_equal:
        told = f"only {equal:.1%} of the lists that were served come out the same offline"
        alarms.append(Alarm("skew", f"{told}, limit {config.least_equal:.0%}"))
    age = values.get("histories_age")
    if age is not None and age > config.histories_old_after_days:
        alarms.append(
            Alarm("stale-histories", f"customers were answered from histories that are {count(int(age), 'day')} old")
        )
    return alarms


def watcher_alarms(history: Sequence[Kept], config: LoopConfig) -> list[Alarm]:
    """Alarms on what should have been measured and was not: a missing value is never a pass."""
    last, before = history[-1], history[:-1]
    alarms = []
    if before and (last.day - before[-1].day).days > 1:
        missed = (last.day - before[-1].day).days - 1
        alarms.append(Alarm("missed-tick", f"{count(missed, 'day')} before {last.day} had no tick"))
    if last.counts and last.values.get("bought") and last.values.get("precision") is None:
        alarms.append(Alarm("missing-value", "customers bought, but no list that they were served could be scored"))
    columns = {name for kept in before[-7:] if kept.counts for name in kept.values if name.startswith("drift ")}
    for name in sorted(columns if last.counts else ()):
        column = name.removeprefix("drift ")
        few = f"too few {column}" in last.values
        if not few and last.values.get(name) is None and any(kept.values.get(name) is not None for kept in before[-7:]):
            alarms.append(Alarm("silent-column", f"no drift could be computed for {column}", about=column))
    return alarms


def data_alarms(history: Sequence[Kept], config: Service) -> list[Alarm]:
    """An alarm if the shop has sold nothing for days in a row."""
    rows = [kept.values.get("rows") for kept in history[-config.empty_days :]]
    if len(rows) == config.empty_days and all(number == 0 for number in rows):
        return [Alarm("empty-days", f"{count(config.empty_days, 'day')} in a row without any sale")]
    return []


def detect(history: Sequence[Kept], config: LoopConfig, days_known: int) -> list[Alarm]:
    """All alarms of the last kept day."""
    return [
        *quality_alarms(history, config.quality),
        *assortment_alarms(history, days_known),
        *drift_alarms(history),
        *service_alarms(history, config.service),
        *watcher_alarms(history, config),
        *data_alarms(history, config.service),
    ]


def days_without_quality(history: Sequence[Kept]) -> int:
    """On how many days in a row, through the last one, customers bought and nothing could be scored."""
    judged = [kept for kept in history if kept.counts and kept.values.get("bought")]
    missing = 0
    for kept in reversed(judged):
        if kept.values.get("precision") is not None:
            break
        missing += 1
    return missing

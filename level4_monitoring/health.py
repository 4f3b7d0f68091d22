"""The minute's look: whether the service answers well. The evening's tick judges quality; this watches health.

A loop that is served looks each minute; `mlops loop health` looks once. What it finds is an alarm like the tick's, and
within a week of a deployment bad health rolls back, by the tick's own decision and in a row of the same form.
"""

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from level3_cicd.ledger import Row, all_rows, append
from level4_monitoring.act import ACTOR, outcome_row
from level4_monitoring.alarms import new_messages, tell
from level4_monitoring.config import CONFIG, LoopConfig, Service
from level4_monitoring.decide import Decision, Seen, decide
from level4_monitoring.detect import SHARES_IN_WORDS
from level4_monitoring.figures import Figures, Sample, figures, keep_samples, read_samples, samples_file, scrape
from level4_monitoring.kept import Alarm, Kept
from level4_monitoring.loop import decision_row, require_sound_ledger, still_untold, turn
from level4_monitoring.past import HEALTH, Past
from level4_monitoring.promote import roll_back
from level4_monitoring.seeing import ILL, Looked
from level4_monitoring.shadow import rivals
from level4_monitoring.verdicts import Comparison
from shared.config import read_config
from shared.dataset.clock import known_through
from shared.errors import DependencyDown, Locked, MlopsError
from shared.places import shop_folder
from shared.service.process import read_record
from shared.text import count

SECONDS_BETWEEN_LOOKS = 60.0
# A release of which less than that is known is looked at so many times as often.
TIMES_AS_OFTEN = 4
# So many looks in a row without figures are an alarm: one may fall into a restart.
MISSING_LOOKS = 2
SECONDS_A_DAY = 86_400
# Bad health that going back may end; what cannot be seen is no reason to go back.
GOES_BACK_FOR = (*ILL, "slow")
log = logging.getLogger("level4.health")


@dataclass(frozen=True)
class Health:
    """A look. figures: None where there are none, which `missing` explains; told: what it did about it, in words."""

    figures: Figures | None
    alarms: Sequence[Alarm] = ()
    told: str = ""
    missing: str = ""

    def describe(self) -> str:
        """The look in words."""
        lines = [tell_figures(self.figures) if self.figures else f"No figures: {self.missing}."]
        lines += [f"  Alarm:   {alarm.incident}: {alarm.what}" for alarm in self.alarms]
        return "\n".join([*lines, *([f"  Did:     {self.told}"] if self.told else [])])


def tell_figures(found: Figures) -> str:
    """Figures in words."""
    within = tell_latency(found.latency) if found.latency is not None else "none answered"
    return (
        f"Health:    {count(int(found.questions), 'question')} in {count(round(found.seconds / 60), 'minute')}, "
        f"{count(int(found.errors), 'error')}, "
        f"{found.empty:.0f} empty and {found.fallbacks:.0f} fallback answers, {within}"
    )


def tell_latency(latency: float) -> str:
    """Within which time 95 % were answered, in words.

    >>> tell_latency(0.25), tell_latency(math.inf)
    ('95 % within 250 ms', '95 % in longer than is measured')
    """
    return f"95 % within {1000 * latency:g} ms" if math.isfinite(latency) else "95 % in longer than is measured"


def watch(level: Path, stopped: threading.Event, seconds: float = SECONDS_BETWEEN_LOOKS) -> None:
    """Look until stopped, at a new release more often; a look that fails is logged, and the next one looks again."""
    wait = seconds
    while not stopped.wait(wait):
        wait = seconds
        try:
            found = look(level).figures
            wait = seconds / TIMES_AS_OFTEN if found and found.seconds < seconds else seconds
        except Exception as error:  # noqa: BLE001  whatever it is, who watches goes on
            log.error("The service's health could not be looked at: %s", error)


def look(level: Path, now: float | None = None, config: LoopConfig | None = None) -> Health:
    """Look at the level's service once, tell what is new, and go back where a new release answers badly.

    now: seconds since 1970. Raises IntegrityError where the ledger is damaged.
    """
    service, limits = read_record(level), config or read_config(CONFIG, LoopConfig)
    if service is None:
        return Health(None, missing="no service is recorded as running, so there is nothing to look at")
    at = time.time() if now is None else now
    before = [one for one in read_samples(level) if one.at < at]
    seconds = limits.service.looked_back_minutes * 60
    samples = [*before, scrape(service, at)]
    began = max((number for number, one in enumerate(samples) if one.at <= at - seconds), default=0)
    keep_samples(level, samples[began:])
    found = None if samples[-1].missing else figures(samples, seconds)
    alarms = judge(samples, found, limits.service)
    if not alarms:
        return Health(found, missing=samples[-1].missing)
    with turn(level):
        require_sound_ledger(level)
        told = answer(level, Past(all_rows(level)), known_through(shop_folder()), alarms, limits)
    return Health(found, alarms, told, samples[-1].missing)


def judge(samples: Sequence[Sample], found: Figures | None, limits: Service) -> list[Alarm]:
    """What is wrong by the last samples. Pure."""
    if found is None:
        last = samples[-MISSING_LOOKS:]
        if len(last) < MISSING_LOOKS or not all(one.missing for one in last):
            return []
        told = f"{last[-1].missing}; {count(MISSING_LOOKS, 'look')} in a row"
        return [Alarm("missing-figures", told) if last[-1].answered else Alarm("service-down", told)]
    shares = {
        "errors": (found.errors, found.questions),
        "empty-answers": (found.empty, found.answers),
        "fallbacks": (found.fallbacks, found.answers),
    }
    lately = f"in {count(max(1, round(found.seconds / 60)), 'minute')}"
    alarms = [
        Alarm(kind, f"{part / of:.1%} {SHARES_IN_WORDS[kind]}, of {of:.0f} {lately}")
        for kind, (part, of) in shares.items()
        if of >= limits.least_answers and part / of > limits.most_share
    ]
    limit = limits.most_milliseconds / 1000
    if found.latency is not None and found.questions >= limits.least_answers and found.latency > limit:
        told = f"{tell_latency(found.latency)} of {found.questions:.0f} questions, {lately}"
        alarms.append(Alarm("slow", f"{told}; the limit is {limits.most_milliseconds} ms"))
    age = samples[-1].histories_age
    if age is not None and age > limits.histories_old_after_days * SECONDS_A_DAY:
        told = f"customers are answered from histories that are {count(int(age // SECONDS_A_DAY), 'day')} old"
        alarms.append(Alarm("stale-histories", told))
    return alarms


def answer(level: Path, past: Past, known: date, alarms: Sequence[Alarm], limits: LoopConfig) -> str:
    """Write down what is new, tell it, and go back if that is decided; returns what was done in words.

    known: the last day that the shop has reached. A row is written for what no row of that day says yet.
    """
    decision = decide_on(past, known, alarms, limits)
    history = past.with_outcomes
    same_day = {alarm.incident for kept in history if kept.day == known for alarm in kept.alarms}
    fresh = tuple(alarm for alarm in alarms if alarm.incident not in same_day)
    acts = decision.action == "roll back" or (decision.action == "freeze" and not past.frozen)
    if not fresh and not acts:
        return ""
    kept = Kept(known, alarms=fresh)
    seen = what_is_seen(past, known, alarms, limits)
    row = append(level, replace(decision_row(decision, Looked(kept, seen, []), limits), step=HEALTH))
    verdict, reason = carry_out(level, decision, row, known) if acts else ("done", "nothing to do")
    before = [one for one in history if one.day < known]
    did = f"{decision.action}: {decision.reason}" if acts else "nothing at once"
    late = [Alarm("unavailable", f"{decision.action}: {reason}")] if verdict == "unavailable" else []
    today = replace(kept, alarms=(*fresh, *late))
    messages = new_messages([*before, today], limits.alarms.incident_ends_after_days, did)
    untold = tell(level, [*still_untold(past), *messages])
    numbers = {"alarms": [asdict(alarm) for alarm in late], "untold": [one.as_data() for one in untold]}
    append(level, outcome_row(row, known, verdict, reason, numbers))
    if acts:
        return f"{did}; {reason}"
    return f"told {', '.join(one.incident for one in messages)}" if messages else ""


def decide_on(past: Past, known: date, alarms: Sequence[Alarm], limits: LoopConfig) -> Decision:
    """What is decided by health alone: to go back, to freeze, or nothing."""
    if not any(alarm.kind in GOES_BACK_FOR for alarm in alarms):
        return Decision("hold", "; ".join(alarm.what for alarm in alarms))
    decision = decide(what_is_seen(past, known, alarms, limits), limits)
    held = Decision("hold", "; ".join(alarm.what for alarm in alarms))
    return decision if decision.action in ("roll back", "freeze") or decision.would else held


def what_is_seen(past: Past, known: date, alarms: Sequence[Alarm], limits: LoopConfig) -> Seen:
    """What decides in the middle of a day, the one after `known`: no training and no quality, which are the tick's."""
    day = known + timedelta(days=1)
    between = rivals(past, day, limits)
    compared = None
    if between and between.kind == "retired":
        compared = Comparison("retired", between.other, between.live, between.began, (day - between.began).days)
    return Seen(
        day=day,
        live=past.live.release if past.live else "",
        frozen=past.frozen,
        comparison=compared,
        ill="; ".join(alarm.what for alarm in alarms if alarm.kind in GOES_BACK_FOR),
        last_training=day,
        rollbacks=past.rollbacks(day, limits.freeze.rollbacks_within_days),
    )


def carry_out(level: Path, decision: Decision, row: Row, known: date) -> tuple[str, str]:
    """(done, refused or unavailable; why): as the tick does, of the two things that a look may do."""
    if decision.action == "freeze":
        append(level, Row(known, "freeze", "frozen", decision.reason, actor=ACTOR))
        return "done", "frozen; a person thaws it"
    try:
        did = roll_back(level, decision.release, row.numbers["seen"]["live"], known, ACTOR, decision.reason)
    except (Locked, DependencyDown, OSError) as error:
        return "unavailable", error.what if isinstance(error, MlopsError) else str(error)
    except MlopsError as error:
        return "refused", error.what
    samples_file(level).unlink(missing_ok=True)  # they were of the release that is live no more
    return "done", did

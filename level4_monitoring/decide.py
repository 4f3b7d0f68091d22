"""The evening's decision. Pure: what was seen goes in, one decision with its reason comes out.

`loop.tick` asks once a day; whoever doubts a decision asks again with what its row in the ledger holds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter

from level4_monitoring.config import LoopConfig
from level4_monitoring.verdicts import Comparison, Interval, bounds, enough, is_undecided
from shared.text import count

Action = Literal["hold", "retrain", "promote", "close", "roll back", "freeze"]
# What a frozen loop leaves to a person.
ACTING = ("retrain", "promote", "roll back")


@dataclass(frozen=True)
class Seen:
    """All that the loop knows in the evening of `day`.

    live: the champion; empty before the first release. frozen: why, if a person or the loop froze it.
    comparison: the one that is under way. ill: why the live release's service is in bad health, if it is.
    last_training, failures: of challengers; those refused or closed in a row. trigger: the first day of an incident
    that no training has answered. triggered: how many trainings answered one lately. rollbacks: how many lately.
    without_quality: days in a row on which customers bought and nothing could be scored. quarantined: days lately.
    """

    day: date
    live: str
    frozen: str = ""
    comparison: Comparison | None = None
    ill: str = ""
    last_training: date | None = None
    failures: int = 0
    trigger: date | None = None
    triggered: int = 0
    rollbacks: int = 0
    without_quality: int = 0
    quarantined: tuple[date, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Plain data for a row of the ledger."""
        plain: dict[str, Any] = TypeAdapter(Seen).dump_python(self, mode="json")
        return plain


def read_seen(data: dict[str, Any]) -> Seen:
    """What was seen, from a row of the ledger."""
    return TypeAdapter(Seen).validate_python(data)


@dataclass(frozen=True)
class Decision:
    """One of the actions, and why. release: the one to be promoted, closed or gone back to.

    would: what a frozen loop leaves undone.
    """

    action: Action
    reason: str
    release: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)
    would: str = ""


def decide(seen: Seen, config: LoopConfig) -> Decision:
    """The first that applies: frozen, roll back, promote, close, retrain, hold."""
    if seen.frozen:
        return leave_to_a_person(seen, config)
    rules: tuple[Callable[[Seen, LoopConfig], Decision | None], ...] = (freeze, roll_back, promote, close, retrain)
    found = (rule(seen, config) for rule in rules)
    return next((decision for decision in found if decision), hold(seen, config))


def leave_to_a_person(seen: Seen, config: LoopConfig) -> Decision:
    """What a frozen loop decides: as ever, but that it does not act."""
    wanted = decide(replace(seen, frozen="", rollbacks=0, without_quality=0, triggered=0), config)
    if wanted.action not in ACTING:
        return replace(wanted, reason=f"frozen ({seen.frozen}); {wanted.reason}")
    reason = f"frozen ({seen.frozen}); would {wanted.action}: {wanted.reason}"
    return Decision("hold", reason, wanted.release, wanted.numbers, would=wanted.action)


def freeze(seen: Seen, config: LoopConfig) -> Decision | None:
    """Stop acting and call a person, where going on would be guessing."""
    limits, schedule = config.freeze, config.schedule
    reasons = []
    if seen.rollbacks >= limits.rollbacks:
        reasons.append(f"{count(seen.rollbacks, 'rollback')} in {limits.rollbacks_within_days} days")
    if seen.without_quality >= limits.days_without_quality:
        reasons.append(f"{count(seen.without_quality, 'day')} without a quality value though customers bought")
    if answers_trigger(seen, config) and seen.triggered >= schedule.triggered_at_most:
        times = f"{seen.triggered} times in {schedule.triggered_within_days} days"
        reasons.append(f"an alarm asks for a training once more, after {times}")
    return Decision("freeze", "; ".join(reasons)) if reasons else None


def roll_back(seen: Seen, config: LoopConfig) -> Decision | None:
    """Go back to the retired release, if it is surely better, or if the new one's service is in bad health."""
    compared = seen.comparison
    if compared is None or compared.kind != "retired" or compared.days > config.retired.most_days:
        return None
    if seen.ill:
        return Decision("roll back", f"day {compared.days} of {compared.live}: {seen.ill}", compared.release)
    found = bounds(compared, config)
    if compared.damage or not ripe(compared, config) or found.low <= 0:
        return None
    return Decision("roll back", tell(compared, found), compared.release, as_numbers(compared, found))


def promote(seen: Seen, config: LoopConfig) -> Decision | None:
    """Make a challenger live that is surely better."""
    compared = seen.comparison
    if compared is None or compared.kind != "challenger" or compared.damage or not ripe(compared, config):
        return None
    found = bounds(compared, config)
    if found.low <= 0:
        return None
    return Decision("promote", tell(compared, found), compared.release, as_numbers(compared, found))


def close(seen: Seen, config: LoopConfig) -> Decision | None:
    """End a challenger's comparison that leads to nothing."""
    compared = seen.comparison
    if compared is None or compared.kind != "challenger":
        return None
    found = bounds(compared, config)
    reason = why_close(seen, compared, found, config)
    numbers = as_numbers(compared, found)
    return Decision("close", reason, compared.release, numbers) if reason else None


def why_close(seen: Seen, compared: Comparison, found: Interval, config: LoopConfig) -> str:
    """The reason why a challenger's comparison ends; empty if it goes on."""
    if compared.damage:
        return f"{compared.release} cannot be used: {compared.damage}"
    if seen.trigger and compared.began <= seen.trigger:
        return f"{compared.release} was trained before the alarm of {seen.trigger} and knows nothing of what changed"
    if ripe(compared, config) and found.high < config.challenger.least_gain * compared.mean:
        return f"{tell(compared, found)}; it cannot be better by {config.challenger.least_gain:.1%}"
    if is_undecided(compared, config):
        return f"{tell(compared, found)}; undecided after {count(compared.days, 'day')}"
    return ""


def retrain(seen: Seen, config: LoopConfig) -> Decision | None:
    """Train a challenger, if nothing is compared and one is due."""
    if not may_train(seen, config):
        return None
    if seen.trigger:
        if not answers_trigger(seen, config):
            return None
        days = config.schedule.known_new_world_days
        reason = f"{count(days, 'day')} after the alarm of {seen.trigger}: a training can know the new world"
        return Decision("retrain", reason, numbers={"trigger": seen.trigger.isoformat()})
    due = challenger_due(seen, config)
    if due is None or seen.day < due:
        return None
    ago = count((seen.day - seen.last_training).days, "day") if seen.last_training else "nothing known"
    after = f", after {count(seen.failures, 'failure')} in a row" if is_slowed(seen, config) else ""
    return Decision("retrain", f"{ago} since the last training: a challenger is due{after}")


def hold(seen: Seen, config: LoopConfig) -> Decision:
    """Do nothing today, and say what the loop waits for."""
    compared = seen.comparison
    if not seen.live:
        return Decision("hold", "nothing is live: a person deploys the first release")
    if compared and not is_over(compared, config):
        found = bounds(compared, config)
        reason = f"{tell(compared, found)}; {waits_for(compared, config)}"
        return Decision("hold", reason, numbers=as_numbers(compared, found))
    if seen.quarantined:
        return Decision("hold", f"no training while in quarantine: {', '.join(map(str, seen.quarantined))}")
    if seen.trigger:
        due = seen.trigger + timedelta(days=config.schedule.known_new_world_days)
        return Decision("hold", f"the alarm of {seen.trigger} is answered on {due}: no training knows more before")
    return Decision("hold", f"nothing is compared; a challenger is due on {challenger_due(seen, config)}")


def may_train(seen: Seen, config: LoopConfig) -> bool:
    """Whether nothing is in the way of a training."""
    free = seen.comparison is None or is_over(seen.comparison, config)
    return bool(seen.live) and free and not seen.quarantined


def answers_trigger(seen: Seen, config: LoopConfig) -> bool:
    """Whether a training today would be the answer to an alarm."""
    if not seen.trigger or not may_train(seen, config):
        return False
    return (seen.day - seen.trigger).days >= config.schedule.known_new_world_days


def challenger_due(seen: Seen, config: LoopConfig) -> date | None:
    """The day from which a challenger is due without an alarm; None if nothing is live."""
    if not seen.live:
        return None
    schedule = config.schedule
    days = schedule.challenger_after_failures_days if is_slowed(seen, config) else schedule.challenger_every_days
    return seen.last_training + timedelta(days=days) if seen.last_training else seen.day


def is_slowed(seen: Seen, config: LoopConfig) -> bool:
    """Whether the last challengers came to nothing, so that the next one waits longer."""
    return seen.failures >= config.schedule.failures_in_a_row


def ripe(compared: Comparison, config: LoopConfig) -> bool:
    """Whether a comparison may be decided: enough days, pairs and customers."""
    first = config.retired.from_day if compared.kind == "retired" else config.challenger.from_day
    return compared.days >= first and enough(compared.pairs, compared.customers, config)


def is_over(compared: Comparison, config: LoopConfig) -> bool:
    """Whether a retired release has been watched long enough: it is in nobody's way any more."""
    return compared.kind == "retired" and compared.days >= config.retired.most_days


def waits_for(compared: Comparison, config: LoopConfig) -> str:
    """What a comparison waits for, in words."""
    if compared.kind == "retired":
        return f"day {compared.days} of {config.retired.most_days} beside the new release"
    if compared.days < config.challenger.from_day:
        return f"day {compared.days}, judged from day {config.challenger.from_day} on"
    if not enough(compared.pairs, compared.customers, config):
        return f"too few yet, at least {config.pairs.least} pairs of {config.pairs.least_customers} customers"
    return "not yet sure"


def tell(compared: Comparison, found: Interval) -> str:
    """A comparison in words."""
    role = "challenger" if compared.kind == "challenger" else "retired release"
    gain = f" ({compared.difference / compared.mean:+.1%})" if compared.pairs and compared.mean else ""
    return (
        f"{role} {compared.release} beside {compared.live}: NDCG@10 {compared.difference:+.4f}{gain} "
        f"[{found.low:+.4f}, {found.high:+.4f}] over {count(compared.pairs, 'pair')} of "
        f"{count(compared.customers, 'customer')}"
        if compared.pairs
        else f"{role} {compared.release} beside {compared.live}: no pair yet"
    )


def as_numbers(compared: Comparison, found: Interval) -> dict[str, Any]:
    """The interval for the ledger; what is infinite is no number there."""
    if not compared.pairs or found.high == float("inf"):
        return {}
    return {"low": found.low, "high": found.high, "pairs": compared.pairs, "days": compared.days}

"""What to do today? Pure: what was seen goes in, a decision with its reason comes out."""

from dataclasses import dataclass, field
from typing import Any, Literal

from level4_monitoring.confidence import radius
from level4_monitoring.config import LoopConfig
from level4_monitoring.shadow import Evidence
from shared.text import count

Action = Literal["hold", "retrain", "promote", "reject"]


@dataclass(frozen=True)
class Seen:
    """What the loop knows in the evening.

    challenger: the shadow's evidence, if one is being watched. damage: why the challenger cannot be used, if so.
    """

    days_since_training: int
    challenger: Evidence | None = None
    damage: str = ""


@dataclass(frozen=True)
class Decision:
    """What to do, and why."""

    action: Action
    reason: str
    release: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)


def decide(seen: Seen, config: LoopConfig) -> Decision:
    """Judge the challenger if there is one; otherwise retrain when a new challenger is due."""
    if seen.damage:
        return Decision("retrain", f"the challenger cannot be used: {seen.damage}")
    if seen.challenger:
        return judge(seen.challenger, config)
    days = seen.days_since_training
    if days >= config.challenger_every_days:
        reason = (
            f"{count(days, 'day')} since the last training, a challenger is due every {config.challenger_every_days}"
        )
        return Decision("retrain", reason)
    return Decision("hold", f"{count(days, 'day')} since the last training, no challenger is due")


def judge(challenger: Evidence, config: LoopConfig) -> Decision:
    """Promote a challenger that is as good as the champion within the margin, for sure; reject one that is not."""
    half = radius(challenger.pairs, challenger.deviation, config.shadow_error)
    low, high = challenger.difference - half, challenger.difference + half
    limit = -config.shadow_margin * challenger.champion
    numbers = {"low": low, "high": high, "limit": limit, "pairs": challenger.pairs, "days": challenger.days}
    interval = f"{challenger.difference:+.4f} [{low:+.4f}, {high:+.4f}] over {challenger.pairs} paired household-days"
    found = f"shadow of {challenger.release}: {interval}, limit {limit:+.4f}"
    if challenger.days < config.shadow_least_days:
        return Decision(
            "hold", f"{found}; day {challenger.days} of at least {config.shadow_least_days}", numbers=numbers
        )
    if low >= limit:
        return Decision("promote", found, challenger.release, numbers)
    if high < limit or challenger.days >= config.shadow_most_days:
        return Decision("reject", found, challenger.release, numbers)
    return Decision("hold", f"{found}; not yet sure", numbers=numbers)

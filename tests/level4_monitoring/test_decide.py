"""The evening's decision."""

from dataclasses import replace

import pytest

from level4_monitoring.decide import Seen, decide, read_seen
from level4_monitoring.verdicts import Comparison, days_until_decided
from tests.level4_monitoring.fakes import LIMITS, compared, day, seen

BETTER, WORSE = {"difference": 0.01}, {"difference": -0.01}
SMALL = {"pairs": 499, "early_pairs": 499}
CASES: dict[str, tuple[Seen, str]] = {
    "nothing is live": (seen(live="", last_training=None), "hold"),
    "a challenger is not due": (seen(), "hold"),
    "a challenger is due": (seen(last_training=day(3)), "retrain"),
    "nothing was ever trained by anybody": (seen(last_training=None), "retrain"),
    "two came to nothing": (seen(last_training=day(3), failures=2), "hold"),
    "two came to nothing, four weeks ago": (seen(day=day(31), last_training=day(3), failures=2), "retrain"),
    "a day is in quarantine": (seen(last_training=day(3), quarantined=(day(9),)), "hold"),
    "the challenger is better": (seen(comparison=compared(**BETTER)), "promote"),
    "the challenger is better, too early": (seen(comparison=compared(days=6, **BETTER)), "hold"),
    "the challenger is better, too few pairs": (seen(comparison=compared(pairs=499, **BETTER)), "hold"),
    "the challenger is better, too few customers": (seen(comparison=compared(customers=99, **BETTER)), "hold"),
    "the challenger is not worse": (seen(comparison=compared()), "hold"),
    "the challenger is worse": (seen(comparison=compared(**WORSE)), "close"),
    "the challenger can't be better": (seen(comparison=compared(pairs=9000, deviation=0.01)), "close"),
    "the challenger is undecided": (seen(comparison=compared(days=28)), "close"),
    "the challenger is undecided one day earlier": (seen(comparison=compared(days=27)), "hold"),
    "the shop is small": (seen(comparison=compared(days=28, **SMALL)), "hold"),
    "the shop was small": (seen(comparison=compared(days=40, early_pairs=499)), "hold"),
    "the shop is small, after 90 days": (seen(comparison=compared(days=90, **SMALL)), "close"),
    "the challenger does not open": (seen(comparison=compared(damage="truncated", days=1, **BETTER)), "close"),
    "an alarm ends an older challenger": (seen(comparison=compared(days=3), trigger=day(3)), "close"),
    "a challenger that was trained for the alarm": (seen(comparison=compared(began=day(4)), trigger=day(3)), "hold"),
    "no pair yet": (seen(comparison=Comparison("challenger", "1.1", "1.0", day(10), 0)), "hold"),
    "nothing is known of the challenger": (seen(comparison=compared(pairs=1, deviation=float("nan"))), "hold"),
    "an alarm was raised": (seen(day=day(23), trigger=day(3), last_training=day(0)), "hold"),
    "an alarm was raised three weeks ago": (seen(day=day(24), trigger=day(3), last_training=day(23)), "retrain"),
    "an alarm, and a day in quarantine": (seen(day=day(24), trigger=day(3), quarantined=(day(20),)), "hold"),
    "a fifth alarm": (seen(day=day(24), trigger=day(3), triggered=4), "freeze"),
    "a fifth alarm whose training is not due": (seen(day=day(23), trigger=day(3), triggered=4), "hold"),
    "a second rollback": (seen(rollbacks=2), "freeze"),
    "one rollback": (seen(rollbacks=1), "hold"),
    "nothing was measured for three days": (seen(without_quality=3), "freeze"),
    "nothing was measured for two days": (seen(without_quality=2), "hold"),
    "the retired release is better": (seen(comparison=compared("retired", days=2, **BETTER)), "roll back"),
    "the retired release is better, too early": (seen(comparison=compared("retired", days=1, **BETTER)), "hold"),
    "the retired release is better, too late": (seen(comparison=compared("retired", days=8, **BETTER)), "hold"),
    "the retired release is worse": (seen(comparison=compared("retired", days=2, **WORSE)), "hold"),
    "the retired release does not open": (
        seen(comparison=compared("retired", days=2, damage="gone", **BETTER)),
        "hold",
    ),
    "the new release's service is ill": (seen(comparison=compared("retired", days=1), ill="errors"), "roll back"),
    "an old release's service is ill": (seen(ill="errors"), "hold"),
    "the new release was watched long enough": (
        seen(comparison=compared("retired", days=7), last_training=day(3)),
        "retrain",
    ),
    "the new release is being watched": (seen(comparison=compared("retired", days=6), last_training=day(3)), "hold"),
    "rolling back comes before an alarm's training": (
        seen(day=day(24), trigger=day(3), comparison=compared("retired", days=7, **BETTER)),
        "roll back",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_seen_decides(case: str) -> None:
    evening, action = CASES[case]
    decision = decide(evening, LIMITS)
    assert decision.action == action, decision.reason
    assert decision.reason


@pytest.mark.parametrize("case", CASES)
def test_asked_again_with_what_is_in_the_ledger_it_decides_the_same(case: str) -> None:
    evening, _ = CASES[case]
    again = read_seen(evening.as_data())
    assert repr(again) == repr(evening)
    assert decide(again, LIMITS) == decide(evening, LIMITS)


@pytest.mark.parametrize("case", CASES)
def test_a_frozen_loop_does_not_act_and_says_what_it_would_have_done(case: str) -> None:
    evening, action = CASES[case]
    decision = decide(replace(evening, frozen="a person said so"), LIMITS)
    assert decision.action in ("hold", "close")
    if action in ("retrain", "promote", "roll back"):
        assert decision.would == action
        assert f"would {action}" in decision.reason
    assert "frozen (a person said so)" in decision.reason


def test_identical_lists_are_no_certainty() -> None:
    """A handful of lists that differ gives a deviation near nothing: it counts as 0.005."""
    barely = seen(comparison=compared(difference=0.0002, deviation=1e-6, pairs=600))
    assert decide(barely, LIMITS).action != "promote"
    no_floor = LIMITS.model_copy(update={"pairs": LIMITS.pairs.model_copy(update={"least_deviation": 0.0})})
    assert decide(barely, no_floor).action == "promote"


def test_an_alarm_answered_is_named_in_the_decision() -> None:
    decision = decide(seen(day=day(24), trigger=day(3)), LIMITS)
    assert decision.numbers == {"trigger": day(3).isoformat()}


def test_how_long_a_shop_needs_to_see_a_gain() -> None:
    assert days_until_decided(350, 0.02 * 0.2, 0.05, LIMITS) == 7
    assert days_until_decided(350, 0.01 * 0.2, 0.05, LIMITS) == 21
    assert days_until_decided(350, 0.001 * 0.2, 0.05, LIMITS) is None
    assert (days_until_decided(15, 0.05 * 0.2, 0.05, LIMITS) or 0) > 28

"""Alarms from kept daily values."""

import math

import numpy as np
import pytest

from level4_monitoring import detect
from level4_monitoring.kept import Alarm, Kept, incident_began, read_kept
from level4_monitoring.triggers import trigger_days
from tests.level4_monitoring.fakes import LIMITS, alarmed, day, days_with


def usual(days: int, seed: int = 1, mean: float = 0.2, deviation: float = 0.01) -> list[float]:
    return (mean + deviation * np.random.default_rng(seed).standard_normal(days)).tolist()


def evidence(values: list[float | None]) -> list[float]:
    return [state.evidence for state in detect.quality_states(days_with("precision", values), LIMITS.quality)]


def test_the_detector_is_armed_when_the_reference_has_28_days_that_ended_a_week_ago() -> None:
    states = detect.quality_states(days_with("precision", usual(40)), LIMITS.quality)
    assert [math.isnan(state.mean) for state in states] == [True] * 34 + [False] * 6
    assert states[34].reference == 28
    assert "not armed, 27 of 28" in detect.tell_armed(states[33], LIMITS.quality)
    assert "finds a fall of 0.0" in detect.tell_armed(states[34], LIMITS.quality)


def test_the_evidence_is_the_papers() -> None:
    """One step by hand: z = -2 gives each bet exp(L * 2 - L * L / 2)."""
    reference = np.array([0.19, 0.21] * 20)
    found = reference.mean() - 2 * reference.std(ddof=1)
    state, bets = detect.after_day(np.zeros(4), found, reference, LIMITS.quality)
    by_hand = [math.exp(bet * 2 - bet * bet / 2) for bet in (0.5, 1.0, 2.0, 4.0)]
    assert bets == pytest.approx(by_hand)
    assert state.evidence == pytest.approx(sum(by_hand) / 4)
    state, bets = detect.after_day(bets, found, reference, LIMITS.quality)
    assert bets == pytest.approx([(before + 1) * before for before in by_hand])


def test_a_fall_of_four_deviations_counts_as_four_at_most() -> None:
    reference = np.array([0.19, 0.21] * 20)
    ten, _ = detect.after_day(np.zeros(4), reference.mean() - 10 * reference.std(ddof=1), reference, LIMITS.quality)
    four, _ = detect.after_day(np.zeros(4), reference.mean() - 4 * reference.std(ddof=1), reference, LIMITS.quality)
    assert ten.evidence == pytest.approx(four.evidence)


def test_a_fall_of_a_fifth_is_an_alarm_within_days_and_an_equal_day_is_none() -> None:
    quiet, fallen = usual(80), usual(80)[:60] + [0.8 * value for value in usual(20, seed=2)]
    assert max(evidence(quiet)) < LIMITS.quality.warning
    days = [number for number, found in enumerate(evidence(fallen)) if found >= LIMITS.quality.alarm]
    assert 60 <= days[0] <= 62
    history = days_with("precision", fallen)[: days[0] + 1]
    alarm = detect.quality_alarms(history, LIMITS.quality)[0]
    assert (alarm.kind, alarm.severity) == ("quality", "alarm")
    assert detect.quality_alarms(history[:60], LIMITS.quality) == []


def test_a_smaller_fall_is_a_warning_first() -> None:
    slipping = usual(60) + [0.2 - 0.013] * 20
    states = detect.quality_states(days_with("precision", slipping), LIMITS.quality)
    first = next(number for number, state in enumerate(states) if state.evidence >= LIMITS.quality.warning)
    alarms = detect.quality_alarms(days_with("precision", slipping)[: first + 1], LIMITS.quality)
    assert [alarm.severity for alarm in alarms] == ["warning"]


def test_after_an_alarm_the_bets_begin_anew() -> None:
    found = evidence(usual(60) + [0.1] * 3)
    # One bet on four deviations, from nothing: a second day does not go on from the alarm.
    assert found[60] >= LIMITS.quality.alarm
    assert found[61] == pytest.approx(found[60], rel=0.3)


def test_a_day_without_a_value_leaves_the_evidence_as_it_is() -> None:
    values: list[float | None] = [*usual(60), 0.185, None]
    history = days_with("precision", values)
    states = detect.quality_states(history, LIMITS.quality)
    assert math.isnan(states[-1].z)
    assert detect.quality_alarms(history, LIMITS.quality) == []
    with_value = detect.quality_states(days_with("precision", [*values, 0.185]), LIMITS.quality)
    without = detect.quality_states(days_with("precision", [*usual(60), 0.185, 0.185]), LIMITS.quality)
    assert with_value[-1].evidence == pytest.approx(without[-1].evidence, rel=0.05)


def test_a_holiday_is_in_neither_value_nor_reference() -> None:
    quiet = days_with("precision", usual(70))
    feast = [Kept(kept.day, {"precision": 0.01}, counts=False) if number in (50, 65) else kept
             for number, kept in enumerate(quiet)]  # fmt: skip
    states = detect.quality_states(feast, LIMITS.quality)
    assert max(state.evidence for state in states) < LIMITS.quality.warning
    assert states[-1].mean == pytest.approx(0.2, abs=0.003)


def test_the_smallest_fall_that_is_found_in_five_days_is_about_two_deviations() -> None:
    fall = detect.smallest_fall(LIMITS.quality)
    assert fall == pytest.approx(2, abs=0.3)
    assert detect.grows_to(fall, 5) >= LIMITS.quality.alarm > detect.grows_to(fall - 0.01, 5)


def new_products(usual: float, last: float) -> list[Kept]:
    return days_with("new_products", [usual] * 28 + [last])


@pytest.mark.parametrize(
    ("usual", "last", "days_known", "raised"),
    [(0.05, 0.11, 84, True), (0.05, 0.09, 84, False), (0.05, 0.11, 83, False), (0.4, 0.9, 200, False)],
)
def test_many_new_products_are_an_alarm_where_the_shop_is_known(
    usual: float, last: float, days_known: int, raised: bool
) -> None:
    alarms = detect.assortment_alarms(new_products(usual, last), days_known)
    assert [alarm.kind for alarm in alarms] == ["assortment"] * raised


def test_new_products_are_compared_with_the_same_weekdays() -> None:
    sundays = days_with("new_products", [0.20 if number % 7 == 0 else 0.05 for number in range(29)])
    assert detect.assortment(sundays).usual == pytest.approx(0.2)
    assert detect.assortment_alarms(sundays, 200) == []
    assert detect.assortment(sundays[:8]).usual is None


def test_the_assortment_alarm_says_what_it_cannot_see() -> None:
    told = [detect.tell_assortment(new_products(share, share), 100) for share in (0.05, 0.4)]
    assert "armed" in told[0]
    assert "blind" in told[1]
    assert "not armed, day 50 of 84" in detect.tell_assortment(new_products(0.05, 0.05), 50)
    young = days_with("new_products", [0.05] * 8)
    assert detect.tell_assortment(young, 97).startswith("assortment alarm not armed: the loop has seen too few days")


def on(number: int = 0, **values: float | None) -> Kept:
    return Kept(day(number), {name.replace("__", " "): value for name, value in values.items()})


def kinds(alarms: list[Alarm]) -> list[str]:
    return [alarm.incident for alarm in alarms]


def test_each_column_that_drifts_is_an_alarm() -> None:
    drifting = on(drift__amount=0.3, drifted__amount=1.0, drift__hour=0.01, drifted__hour=0.0)
    assert kinds(detect.drift_alarms([drifting])) == ["drift amount"]
    history = [on(0, drifted__amount=1.0), on(1, drifted__amount=0.0), on(2, drifted__amount=1.0)]
    assert detect.drifting_days(history, "amount") == 1
    assert detect.drifting_days(history[:2], "amount") == 0


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ({"answers": 200.0, "error_share": 0.02}, ["errors"]),
        ({"answers": 99.0, "error_share": 0.5}, []),
        ({"answers": 200.0, "empty_share": 0.02, "fallback_share": 0.02}, ["empty-answers", "fallbacks"]),
        ({"answers": 200.0, "error_share": 0.01}, []),
        ({"equal_offline": 0.98}, ["skew"]),
        ({"equal_offline": 0.995}, []),
        ({"histories_age": 3.0}, ["stale-histories"]),
        ({"histories_age": 2.0}, []),
        ({}, []),
    ],
)
def test_a_service_in_bad_health_is_an_alarm(values: dict[str, float | None], raised: list[str]) -> None:
    assert kinds(detect.service_alarms([Kept(day(0), values)], LIMITS.service)) == raised


def test_what_was_not_measured_is_an_alarm_and_never_a_pass() -> None:
    before = on(0, precision=0.2, bought=300.0, drift__amount=0.01)
    unscored = on(1, precision=None, bought=300.0, drift__amount=None)
    assert kinds(detect.watcher_alarms([before, unscored], LIMITS)) == ["missing-value", "silent-column amount"]
    assert kinds(detect.watcher_alarms([before, on(3, precision=0.2, drift__amount=0.01)], LIMITS)) == ["missed-tick"]
    assert detect.watcher_alarms([before, on(1, bought=0.0, drift__amount=0.01)], LIMITS) == []
    holiday = Kept(day(1), {"bought": 300.0}, counts=False)
    assert detect.watcher_alarms([before, holiday], LIMITS) == []


def test_two_days_without_a_sale_are_an_alarm() -> None:
    assert detect.data_alarms([on(0, rows=0.0)], LIMITS.service) == []
    assert detect.data_alarms([on(0, rows=10.0), on(1, rows=0.0)], LIMITS.service) == []
    assert kinds(detect.data_alarms([on(0, rows=0.0), on(1, rows=0.0)], LIMITS.service)) == ["empty-days"]


def test_all_of_it_together() -> None:
    history = [on(0, rows=0.0), on(2, rows=0.0, drifted__amount=1.0)]
    assert kinds(detect.detect(history, LIMITS, 100)) == ["drift amount", "missed-tick", "empty-days"]


def test_days_without_quality_count_only_where_customers_bought() -> None:
    scored, unscored, empty = on(0, bought=9.0, precision=0.2), on(1, bought=9.0), on(2, bought=0.0)
    assert detect.days_without_quality([scored, unscored, empty, unscored]) == 2
    assert detect.days_without_quality([unscored, scored]) == 0


QUALITY, WARNING = Alarm("quality", ""), Alarm("quality", "", "warning")


def test_an_incident_calls_for_a_training_once_and_again_after_two_quiet_weeks() -> None:
    assert trigger_days(alarmed({3: (QUALITY,), 5: (QUALITY,), 19: (QUALITY,)}, 20), LIMITS) == [day(3)]
    assert trigger_days(alarmed({3: (QUALITY,), 18: (QUALITY,)}, 20), LIMITS) == [day(3), day(18)]


def test_a_warning_calls_for_a_training_only_with_new_products_or_lasting_drift() -> None:
    assert trigger_days(alarmed({3: (WARNING,)}, 5), LIMITS) == []
    assert trigger_days(alarmed({2: (Alarm("assortment", ""),), 3: (WARNING,)}, 5), LIMITS) == [day(3)]
    assert trigger_days(alarmed({2: (Alarm("assortment", ""),), 20: (WARNING,)}, 20), LIMITS) == []
    drifting = [Kept(day(number), {"drifted hour": 1.0}, (WARNING,) if number >= 1 else ()) for number in range(3)]
    assert trigger_days(drifting, LIMITS) == [day(2)]


def test_an_incident_has_a_beginning_and_ends() -> None:
    history = alarmed({3: (QUALITY,), 10: (QUALITY,), 25: (QUALITY,)}, 25)
    assert incident_began(history, "quality", 14) == day(25)
    assert incident_began(history[:25], "quality", 14) == day(3)
    assert incident_began(history[:5], "drift hour", 14) is None
    assert incident_began(alarmed({3: (QUALITY,)}, 18), "quality", 14) is None


def test_a_day_is_the_same_after_it_was_written_down() -> None:
    kept = Kept(day(1), {"precision": 0.2, "drift hour": None}, (Alarm("drift", "hour", about="hour"),), counts=False)
    assert read_kept(kept.as_data()) == kept

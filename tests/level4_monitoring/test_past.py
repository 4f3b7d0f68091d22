"""What the ledger remembers for the loop."""

from level4_monitoring.kept import Alarm
from level4_monitoring.past import Past, open_trigger
from tests.level4_monitoring.fakes import LIMITS, alarmed, day, decided, gate, live, outcome, row

QUALITY = Alarm("quality", "")
FIRST = [gate("1.0", 0), live("1.0", 0, 1)]


def test_before_anything_was_done() -> None:
    past = Past([])
    assert (past.live, past.challenger(), past.retired(day(3), 7), past.unfinished()) == (None, None, None, None)
    assert (past.frozen, past.last_training(), past.failures(), past.history) == ("", None, 0, [])


def test_what_passed_the_gate_since_the_last_deployment_is_the_challenger() -> None:
    assert Past(FIRST).challenger() is None
    challenger = gate("1.1", 7)
    assert Past([*FIRST, challenger]).challenger() == challenger
    assert Past([*FIRST, gate("1.1", 7, "refused")]).challenger() is None


def test_any_change_of_what_is_live_ends_a_challengers_comparison() -> None:
    assert Past([*FIRST, gate("1.1", 7), live("1.1", 8, 2)]).challenger() is None
    assert Past([*FIRST, gate("1.1", 7), live("0.9", 8, 2, "rollback")]).challenger() is None


def test_a_day_was_answered_by_what_was_live_before_it() -> None:
    past = Past([*FIRST, live("1.1", 7, 2)])
    answered = [past.live_on(day(number)) for number in (0, 7, 8)]
    assert [row.release for row in answered if row] == ["1.1", "1.0", "1.1"]  # before the first, what is live now
    assert Past([]).live_on(day(3)) is None


def test_a_closed_challenger_is_none() -> None:
    closing = decided("close", 14, release="1.1")
    assert Past([*FIRST, gate("1.1", 7), closing]).challenger() is None


def test_an_unavailable_deployment_does_not_close_a_challenger_and_a_refused_one_does() -> None:
    promotion = decided("promote", 14, release="1.1")
    rows = [*FIRST, gate("1.1", 7), promotion]
    unavailable = Past([*rows, outcome(promotion, "unavailable")])
    assert unavailable.challenger() is not None
    assert unavailable.unfinished() == promotion
    refused = Past([*rows, outcome(promotion, "refused")])
    assert refused.challenger() is None
    assert refused.unfinished() is None


def test_a_decision_without_an_outcome_is_unfinished() -> None:
    hold, retrain = decided("hold", 1), decided("retrain", 2)
    assert Past([hold, outcome(hold), retrain]).unfinished() == retrain
    assert Past([hold, outcome(hold), retrain, outcome(retrain)]).unfinished() is None
    assert Past([hold, outcome(hold)]).tick_of(day(1)) == hold
    assert Past([hold]).tick_of(day(2)) is None


def test_the_release_before_is_watched_for_a_week_after_a_deployment() -> None:
    past = Past([*FIRST, gate("1.1", 7), live("1.1", 8, 2)])
    assert [past.retired(day(number), 7) is not None for number in (8, 9, 15, 16)] == [False, True, True, False]
    watched = past.retired(day(9), 7)
    assert watched is not None
    assert watched.release == "1.0"


def test_a_rollback_is_not_watched_and_a_first_release_has_nothing_before_it() -> None:
    assert Past([*FIRST, live("1.1", 8, 2), live("1.0", 9, 3, "rollback")]).retired(day(10), 7) is None
    assert Past(FIRST).retired(day(1), 7) is None


def test_frozen_until_it_is_thawed() -> None:
    freeze, thaw = row("freeze", "frozen", 3, reason="a sale", actor="operator"), row("thaw", "thawed", 5)
    assert Past([freeze]).frozen == "a sale, by operator"
    assert Past([freeze, thaw]).frozen == ""


def test_what_was_before_a_thaw_is_settled() -> None:
    back = decided("roll back", 3, release="1.0")
    trained = decided("retrain", 4, decision={"trigger": day(0).isoformat()})
    before = [back, trained, decided("retrain", 5)]
    assert (Past(before).rollbacks(day(6), 28), Past(before).triggered(day(6), 90)) == (1, 1)
    assert (Past(before).rollbacks(day(40), 28), Past(before).triggered(day(100), 90)) == (0, 0)
    after = Past([*before, row("thaw", "thawed", 6)])
    assert (after.rollbacks(day(6), 28), after.triggered(day(6), 90)) == (0, 0)


def test_challengers_that_came_to_nothing_count_until_one_goes_live() -> None:
    refused, closed = gate("1.1", 7, "refused"), decided("close", 21, release="1.2")
    assert Past([*FIRST, refused, gate("1.2", 14), closed]).failures() == 2
    assert Past([*FIRST, refused, closed, gate("1.3", 28), live("1.3", 35, 2)]).failures() == 0
    assert Past([*FIRST, refused]).last_training() == day(7)
    assert Past([*FIRST, row("validate", "refused", 9)]).last_training() == day(9)


def test_an_alarm_is_answered_by_the_training_that_names_it() -> None:
    history = alarmed({3: (QUALITY,), 30: (QUALITY,)}, 30)
    assert open_trigger(history, {}, LIMITS) == day(3)
    answer = decided("retrain", 24, decision={"trigger": day(3).isoformat()})
    assert open_trigger(history, Past([answer]).answered(), LIMITS) == day(30)
    assert open_trigger(history[:20], Past([answer]).answered(), LIMITS) is None


def test_a_day_is_in_quarantine_until_it_is_replaced_or_accepted() -> None:
    bad = row("ingest", "quarantined", 3, data_digest="bad")
    assert Past([bad]).quarantined({day(3): "bad"}) == {day(3)}
    assert Past([bad]).quarantined({day(3): "another"}) == set()
    accepted = Past([bad, row("ingest", "accepted", 3, data_digest="bad")])
    assert accepted.quarantined({day(3): "bad"}) == set()
    assert accepted.taken() == {day(3): "bad"}
    assert Past([bad]).taken() == {}

"""Decisions carried out by level 3's words, each once."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from level3_cicd.ledger import all_rows
from level4_monitoring import act, promote
from level4_monitoring.past import Past
from shared.dataset.feed import Feed
from shared.errors import CheckFailed, DependencyDown, IntegrityError, Locked, RolledBack, UsageError
from tests.level4_monitoring.fakes import decided, gate, row

TODAY = date(2017, 3, 8)


@pytest.fixture
def evening(tmp_path: Path) -> act.Evening:
    return act.Evening(tmp_path, TODAY, Feed(tmp_path / "shop"), {TODAY: "digest"}, frozenset())


def test_a_training_is_asked_for_with_what_ingest_took(evening: act.Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple] = []

    def retrain(*given: object) -> SimpleNamespace:
        asked.append(given)
        return SimpleNamespace(release="1.2")

    monkeypatch.setattr(act, "retrain", retrain)
    decision = decided("retrain", 7)
    assert act.carry_out(decision, evening, Past([decision])) == (
        "done",
        "1.2 passed the gate; it is compared from tomorrow on",
    )
    assert asked == [(evening.level, evening.feed, TODAY, "loop", frozenset(), {TODAY: "digest"}, True)]


@pytest.mark.parametrize("verdict", ["passed", "refused"])
def test_a_training_that_an_interrupted_call_made_is_not_made_again(
    evening: act.Evening, monkeypatch: pytest.MonkeyPatch, verdict: str
) -> None:
    monkeypatch.setattr(act, "retrain", None)
    decision = decided("retrain", 7)
    past = Past([gate("1.1", 6, actor="loop"), decision, gate("1.2", 7, verdict, actor="loop")])
    done, why = act.carry_out(decision, evening, past)
    assert done == "done"
    assert "1.2 was trained before the interruption" in why
    assert verdict in why


def test_a_persons_training_after_a_decision_is_not_the_loops() -> None:
    decision = decided("retrain", 7)
    assert act.trained_since(Past([decision, gate("1.2", 7)]), decision) is None
    assert act.trained_since(Past([gate("1.2", 7, actor="loop")]), decision) is None


def test_a_promotion_deploys_and_a_rollback_goes_back(evening: act.Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple] = []
    monkeypatch.setattr(promote, "live_release", lambda level: "1.0")
    for name in ("deploy", "rollback"):
        monkeypatch.setattr(promote, name, lambda *given: told.append(given) or row("deploy", "live"))
    seen = {"live": "1.0"}
    for action, release in (("promote", "1.1"), ("roll back", "0.9")):
        decision = decided(action, 7, release=release)
        decision.numbers["seen"] = seen
        assert act.carry_out(decision, evening, Past([]))[0] == "done"
    assert told[0] == (evening.level, "1.1", TODAY, "loop")
    assert told[1] == (evening.level, TODAY, "loop", "because")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (Locked("busy"), "unavailable"),
        (DependencyDown("no server"), "unavailable"),
        (OSError("no space"), "unavailable"),
        (CheckFailed("the gate"), "refused"),
        (IntegrityError("damaged"), "refused"),
        (RolledBack("undone"), "refused"),
        (UsageError("not there"), "refused"),
    ],
)
def test_whatever_happens_an_outcome_comes_of_it(
    evening: act.Evening, monkeypatch: pytest.MonkeyPatch, error: Exception, verdict: str
) -> None:
    def fail(*given: object) -> None:
        raise error

    monkeypatch.setitem(act.ACTIONS, "retrain", fail)
    assert act.carry_out(decided("retrain", 7), evening, Past([])) == (verdict, str(error))


def test_freezing_is_written_down_once(evening: act.Evening) -> None:
    decision = decided("freeze", 7)
    act.carry_out(decision, evening, Past([]))
    act.carry_out(decision, evening, Past(all_rows(evening.level)))
    assert [made.step for made in all_rows(evening.level)] == ["freeze"]


def test_nothing_is_live_by_now(tmp_path: Path) -> None:
    assert promote.live_release(tmp_path) == ""
    with pytest.raises(UsageError, match="Nothing is live by now"):
        promote.promote(tmp_path, "1.1", "1.0", TODAY, "loop")

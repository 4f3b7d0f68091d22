"""What a person sees of the loop and does to it, and its schedule."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from level3_cicd.ledger import all_rows
from level3_cicd.tools import schedule as prefect_schedule
from level4_monitoring import alarms, explain, hands, loop, monitor, schedule
from level4_monitoring.kept import Alarm, Kept
from level4_monitoring.past import Past
from mlops import root as cli
from shared.errors import UsageError
from shared.model.frecency import Frecency
from tests.level4_monitoring.fakes import LIMITS, SmallShop, compared, day, decided, gate, live, outcome, row, seen


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallShop:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.delenv(alarms.VARIABLE, raising=False)
    monkeypatch.setattr(monitor, "show", lambda seen, found, page: None)
    monkeypatch.setattr(monitor, "drift_values", lambda day: {})
    made = SmallShop(tmp_path, days=25)
    made.train("1.0", 20, Frecency())
    made.deploy("1.0", 20)
    return made


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    """(exit code, everything printed) of a command at level 4."""
    monkeypatch.setattr("sys.argv", ["mlops", "--level", "4", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def test_an_evening_at_the_command_line(
    shop: SmallShop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(*words: str) -> str:
        code, printed = run(capsys, monkeypatch, *words)
        assert code == 0, printed
        return printed

    assert "No tick was made yet" in say("loop", "status")
    shop.serve(21, "1.0")
    assert "hold" in say("monitor", "model", "--as-of", str(shop.day(21)), "--dry-run")
    assert "No tick was made yet" in say("loop", "status")
    ticked = say("monitor", "model", "--as-of", str(shop.day(21)))
    assert "NDCG@10 1.0000" in ticked
    assert "mlops explain" in ticked
    status = say("loop", "status")
    assert "1.0 since 2017-01-22" in status
    assert "quality alarm not armed, 0 of 28" in status
    assert len(status.splitlines()) <= 24
    assert "asked again with this, it decides the same" in say("explain")
    assert say("explain", str(shop.day(21))) == say("explain", all_rows(shop.level)[3].hash[:8])
    assert "1.0" in say("releases")
    assert '"verdict": "passed"' in say("releases", "--json")
    assert "frozen" in say("loop", "freeze", "--why", "a sale")
    assert "a sale, by operator" in say("loop", "status")
    assert "acts again" in say("loop", "thaw")
    assert str(shop.day(24)) in say("loop", "start", "--once")


@pytest.mark.parametrize(
    "words",
    ["loop thaw", "loop accept 2017-01-05 --why x", "explain nothing-of-the-kind", "monitor model --as-of 2019-01-01"],
)
def test_what_cannot_be_done_is_said_in_words(
    shop: SmallShop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    code, printed = run(capsys, monkeypatch, *words.split())
    assert code == 2
    assert "To fix" in printed


def test_a_level_without_a_loop_says_so(
    shop: SmallShop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["mlops", "--level", "3", "loop", "status"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "Level 3 has no loop" in capsys.readouterr().err


def test_frozen_twice_is_once(shop: SmallShop) -> None:
    hands.freeze(shop.level, shop.day(21), "a sale", "operator")
    with pytest.raises(UsageError, match="frozen already"):
        hands.freeze(shop.level, shop.day(21), "a sale", "operator")


def test_the_schedule_makes_all_ticks_and_tells_once_what_is_overdue(shop: SmallShop) -> None:
    now = datetime.combine(shop.day(24) + timedelta(days=4), datetime.min.time())
    assert [made.as_of for made in schedule.tick_arrived(shop.level, now)] == [shop.day(24)]
    schedule.tick_arrived(shop.level, now)
    told = [line for line in alarms.alarm_file(shop.level).read_text().splitlines() if "overdue" in line]
    assert len(told) == 1
    assert [made.step for made in all_rows(shop.level)].count("overdue") == 1


def test_the_schedule_is_served_through_level_3s_tools(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple] = []
    monkeypatch.setattr(prefect_schedule, "serve_every", lambda *given: served.append(given))
    schedule.serve(shop.level, 7)
    assert served == [(shop.home, "loop", 7, "level4_monitoring.schedule:run")]
    monkeypatch.setattr(loop, "tick", lambda day, **how: None)
    schedule.run()


def told(verdict: str = "hold") -> list:
    """A ledger with one decision of the seventh day."""
    kept = Kept(day(7), {"ndcg": 0.2, "precision": 0.1, "scored": 20.0, "drifted hour": 1.0}, (Alarm("drift", "hour"),))
    numbers = {
        "kept": kept.as_data(),
        "seen": seen(comparison=compared()).as_data(),
        "limits": LIMITS.model_dump(mode="json"),
        "decision": {},
        "told": ["armed"],
    }
    return [gate("1.0", 0), live("1.0", 0, 1), gate("1.1", 0), row("decide", verdict, 7, numbers=numbers)]


def test_a_decision_that_comes_out_otherwise_says_so() -> None:
    text = explain.explain(Past(told("promote")))
    assert "asked again with this, it decides hold" in text
    assert "none yet; the next tick finishes it" in text
    assert "difference" not in text  # nothing is nothing to tell
    assert "pairs" in text


def test_a_decision_is_found_by_id_day_or_as_the_last() -> None:
    past = Past(told())
    assert explain.find(past, "") == explain.find(past, str(day(7))) == explain.find(past, past.ticks[0].hash[:8])
    with pytest.raises(UsageError, match="decided nothing yet"):
        explain.find(Past([]), "")


def test_releases_with_when_they_were_live() -> None:
    closing = decided("close", 8, release="1.1")
    rows = [*told(), closing, outcome(closing), gate("1.2", 9), live("1.2", 9, 2), live("1.0", 11, 3, "rollback")]
    found = {one["release"]: one for one in explain.releases(Past(rows))}
    assert found["1.0"]["live"] == ["2017-03-02 to 2017-03-10", "2017-03-13 to now"]
    assert found["1.1"]["verdict"] == "closed"
    table = explain.tell_releases(list(found.values()))
    assert "never" in table
    assert "2017-03-11 to 2017-03-12" in table


def test_the_status_is_one_screen_with_open_alarms() -> None:
    text = explain.status(Past(told()), day(9), LIMITS)
    assert "2 days behind" in text
    assert "1.1 with 1.0, day 7" in text
    assert "drift since 2017-03-08" in text
    no_live = explain.status(Past([told()[-1]]), day(9), LIMITS)
    assert "live:       nothing" in no_live


def test_a_day_in_words() -> None:
    assert explain.tell_drift(Kept(day(1))) == "drift not judged"
    assert explain.tell_drift(Kept(day(1), {"drifted hour": 0.0})) == "no drift"
    assert explain.tell_served(Kept(day(1))) == "nobody who bought"


def test_a_day_in_quarantine_is_accepted_as_it_is(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = shop.day(22)
    monkeypatch.setattr(hands.Past, "quarantined", lambda self, digests: {damaged: "repeated rows"})
    row = hands.accept(shop.level, damaged, "a sale", "me")
    assert (row.as_of, row.actor, row.reason) == (damaged, "me", "a sale")
    with pytest.raises(UsageError, match=f"In quarantine: {damaged}"):
        hands.accept(shop.level, shop.day(21), "a sale", "me")


def test_what_cannot_be_told_of_a_day_that_is_overdue_is_tried_again(
    shop: SmallShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "tell", lambda level, messages: messages)
    late = datetime.combine(shop.day(24) + timedelta(days=4), datetime.min.time())
    before = len(all_rows(shop.level))
    schedule.tell_overdue(shop.level, shop.day(24), late)
    assert len(all_rows(shop.level)) == before

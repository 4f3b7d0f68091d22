"""The minute's look: what is an alarm, when it is told, and when it goes back."""

import threading
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from level3_cicd.ledger import Row, all_rows, append
from level4_monitoring import health
from level4_monitoring.alarms import alarm_file
from level4_monitoring.explain import explain, find, id_of, status
from level4_monitoring.figures import Figures, Sample, figures, keep_samples, samples_file
from level4_monitoring.health import Health, judge, look
from level4_monitoring.kept import Kept
from level4_monitoring.past import HEALTH, Past
from shared.dataset.clock import known_through
from shared.errors import DependencyDown, IntegrityError, UsageError
from shared.service.process import Process, write_record
from tests.conftest import write_checkerboard
from tests.level4_monitoring.fakes import LIMITS, decided, sample


def judged(*samples: Sample) -> dict[str, str]:
    found = None if samples[-1].missing else figures(samples, 900)
    return {alarm.kind: alarm.what for alarm in judge(samples, found, LIMITS.service)}


def test_a_service_in_good_health_raises_nothing() -> None:
    assert judged(sample(0), sample(1, questions=1000, errors=10)) == {}
    assert judged(sample(0)) == {}


@pytest.mark.parametrize(("questions", "alarm"), [(99, False), (100, True)])
def test_more_errors_than_one_in_a_hundred_are_an_alarm_from_a_hundred_questions_on(
    questions: int, alarm: bool
) -> None:
    found = judged(sample(0), sample(1, questions=questions, errors=2))
    assert list(found) == (["errors"] if alarm else [])
    if alarm:
        assert found["errors"] == "2.0% of the questions were answered with an error, of 100 in 1 minute"


@pytest.mark.parametrize(("name", "kind"), [("empty", "empty-answers"), ("fallbacks", "fallbacks")])
def test_empty_and_fallback_answers_are_alarms(name: str, kind: str) -> None:
    before, after = sample(0), sample(1, questions=200)
    after.counts[name] = 3.0
    assert list(judged(before, after)) == [kind]
    after.counts[name] = 2.0
    assert judged(before, after) == {}


@pytest.mark.parametrize(("bound", "alarm"), [("0.5", False), ("1.0", True), ("+Inf", True)])
def test_answers_that_take_long_are_an_alarm(bound: str, alarm: bool) -> None:
    before, after = sample(0), sample(1, questions=100)
    before.within.update({"0.01": 0, bound: 0})
    after.within.update({"0.01": 94, bound: 96, "+Inf": 100})
    found = judged(before, after)
    assert list(found) == (["slow"] if alarm else [])
    assert not alarm or "the limit is 500 ms" in found["slow"]


def test_old_histories_are_an_alarm_after_two_days() -> None:
    for days, kinds in ((2.0, []), (2.1, ["stale-histories"])):
        last = sample(1)
        assert list(judged(sample(0), Sample(**{**last.__dict__, "histories_age": days * 86_400}))) == kinds


def test_missing_figures_are_an_alarm_at_the_second_look_and_say_whether_the_service_answers() -> None:
    down, odd = Sample(60, "no answer", answered=False), Sample(120, "no figures")
    assert judged(sample(0), down) == {}
    assert judged(sample(0), down, odd) == {"missing-figures": "no figures; 2 looks in a row"}
    assert list(judged(sample(0), odd, down)) == ["service-down"]


class Shop:
    """A home with the checkerboard, level 4's folder, a service that is recorded, and looks that are handed over."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.level = home / "level4"
        write_checkerboard(home / "shop")
        self.known = known_through(home / "shop")
        write_record(self.level, Process(2**22 - 7, 1))
        self.minute, self.went_back = 0, []
        self.failing: Exception | None = None
        monkeypatch.setattr(health, "roll_back", self.roll_back)
        self._patch = monkeypatch

    def roll_back(self, level: Path, release: str, live: str, known: date, actor: str, reason: str) -> str:
        if self.failing:
            raise self.failing
        self.went_back.append((release, live, known))
        append(level, Row(known, "rollback", "live", reason, release, f"digest of {release}", sequence=9))
        return f"{release} is live"

    def deploy(self, release: str, days_ago: int, sequence: int) -> None:
        digest = f"digest of {release}"
        append(
            self.level, Row(self.known - timedelta(days_ago), "deploy", "live", "", release, digest, sequence=sequence)
        )

    def look(self, errors: float = 0.0, questions: float = 200.0) -> Health:
        """A minute later, with so many errors more among so many questions."""
        self.minute += 1
        made = sample(self.minute, questions=questions * self.minute, errors=errors * self.minute)
        self._patch.setattr(health, "scrape", lambda service, at: made)
        return look(self.level, now=60.0 * self.minute, config=LIMITS)

    def rows(self) -> list[tuple[str, str]]:
        return [(one.step, one.verdict) for one in all_rows(self.level) if one.step in (HEALTH, "outcome", "freeze")]

    def told(self) -> list[str]:
        return alarm_file(self.level).read_text().splitlines() if alarm_file(self.level).exists() else []


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.delenv("MLOPS_ALARMS", raising=False)
    return Shop(tmp_path, monkeypatch)


def deployed(shop: Shop, days_ago: int) -> None:
    """1.0, and then 1.1 so many days before the last known day."""
    shop.deploy("1.0", 30, 1)
    shop.deploy("1.1", days_ago, 2)


def test_where_no_service_is_recorded_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert "nothing to look at" in look(tmp_path).describe()


def test_good_health_leaves_no_row_and_is_told_in_figures(shop: Shop) -> None:
    shop.look()
    found = shop.look()
    assert shop.rows() == []
    told = "200 questions in 1 minute, 0 errors, 0 empty and 0 fallback answers, 95 % within 10 ms"
    assert told in found.describe()


def test_an_incident_is_told_once_also_by_the_days_to_come(shop: Shop) -> None:
    shop.deploy("1.0", 30, 1)
    shop.look()
    assert "told errors" in shop.look(errors=10).told
    assert shop.look(errors=10).told == ""
    assert shop.rows() == [(HEALTH, "hold"), ("outcome", "done")]
    assert len(shop.told()) == 1
    assert "docs/how-to/alarms.md" not in shop.told()[0]
    append(shop.level, replace(decided("hold", 0), as_of=shop.known, numbers={"kept": Kept(shop.known).as_data()}))
    assert shop.look(errors=10).told == ""
    assert len(shop.told()) == 1
    assert [len(kept.alarms) for kept in Past(all_rows(shop.level)).with_outcomes] == [1]


def test_bad_health_within_a_week_of_a_deployment_goes_back_at_once(shop: Shop) -> None:
    deployed(shop, days_ago=0)
    shop.look()
    found = shop.look(errors=10)
    assert shop.went_back == [("1.0", "1.1", shop.known)]
    assert "roll back" in found.describe()
    assert shop.rows() == [(HEALTH, "roll back"), ("outcome", "done")]
    assert not samples_file(shop.level).exists()
    past = Past(all_rows(shop.level))
    assert past.rollbacks(shop.known, 28) == 1
    assert past.answered_first(shop.known + timedelta(days=1)) == {"1.1"}
    assert "asked again with this, it decides the same" in explain(past, id_of(past.health[0]))
    assert find(past, id_of(past.health[0])).verdict == "roll back"
    assert shop.look(errors=10).told == ""
    assert len(shop.went_back) == 1


@pytest.mark.parametrize(("days_ago", "goes_back"), [(6, True), (7, False)])
def test_later_than_a_week_after_a_deployment_bad_health_is_an_alarm_alone(
    shop: Shop, days_ago: int, goes_back: bool
) -> None:
    deployed(shop, days_ago)
    shop.look()
    shop.look(errors=10)
    assert bool(shop.went_back) == goes_back
    assert len(shop.told()) == 1


def test_what_cannot_be_seen_is_no_reason_to_go_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(shop, days_ago=1)
    keep_samples(shop.level, [Sample(0.0, "down", answered=False)])
    monkeypatch.setattr(health, "scrape", lambda service, at: Sample(at, "down", answered=False))
    assert [alarm.kind for alarm in look(shop.level, now=60.0, config=LIMITS).alarms] == ["service-down"]
    assert (shop.went_back, shop.rows()) == ([], [(HEALTH, "hold"), ("outcome", "done")])
    past = Past(all_rows(shop.level))
    assert "asked again with this, it decides the same" in explain(past)
    assert f"alarms:     service-down since {shop.known}" in status(past, shop.known, LIMITS)


def test_a_frozen_loop_says_what_it_would_do(shop: Shop) -> None:
    deployed(shop, days_ago=1)
    append(shop.level, Row(shop.known, "freeze", "frozen", "asked for"))
    shop.look()
    shop.look(errors=10)
    assert shop.went_back == []
    [found] = Past(all_rows(shop.level)).health
    assert (found.verdict, found.numbers["would"]) == ("hold", "roll back")


def test_after_two_rollbacks_it_freezes_instead_of_going_back_once_more(shop: Shop) -> None:
    for sequence in (2, 4):
        shop.deploy("1.0", 2, sequence - 1)
        shop.deploy("1.1", 1, sequence)
        shop.minute = 0
        samples_file(shop.level).unlink(missing_ok=True)
        shop.look()
        shop.look(errors=10)
    assert len(shop.went_back) == 2
    shop.deploy("1.1", 0, 11)
    shop.minute = 0
    shop.look()
    assert "freeze" in shop.look(errors=10).told
    assert len(shop.went_back) == 2
    assert ("freeze", "frozen") in shop.rows()


def test_a_rollback_that_could_not_be_made_is_tried_by_the_next_look(shop: Shop) -> None:
    deployed(shop, days_ago=1)
    shop.look()
    shop.failing = DependencyDown("somebody deploys")
    assert "somebody deploys" in shop.look(errors=10).told
    shop.failing = None
    shop.look(errors=10)
    assert len(shop.went_back) == 1
    assert [one for one in shop.rows() if one[0] == "outcome"] == [("outcome", "unavailable"), ("outcome", "done")]


def test_a_rollback_that_is_refused_is_an_outcome(shop: Shop) -> None:
    deployed(shop, days_ago=1)
    shop.look()
    shop.failing = UsageError("1.2 is live by now")
    shop.look(errors=10)
    assert shop.rows()[-1] == ("outcome", "refused")


def test_who_watches_goes_on_after_a_look_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped, looks = threading.Event(), []

    def fail(level: Path) -> None:
        looks.append(level)
        if len(looks) == 3:
            stopped.set()
        raise IntegrityError("the ledger is damaged")

    monkeypatch.setattr(health, "look", fail)
    health.watch(tmp_path, stopped, seconds=0.0)
    assert len(looks) == 3


def test_a_release_is_looked_at_four_times_as_often_until_a_minute_of_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, waited = iter([900.0, 0.0, 15.0, 45.0, 60.0, None]), []

    class Stopped(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            return len(waited) > 6

    def seen(level: Path) -> Health:
        seconds = next(known)
        return Health(None if seconds is None else Figures(seconds, 0, 0, 0, 0, 0, None))

    monkeypatch.setattr(health, "look", seen)
    health.watch(tmp_path, Stopped())
    assert waited == [60.0, 60.0, 15.0, 15.0, 15.0, 60.0, 60.0]


def test_figures_in_words_where_nobody_asked() -> None:
    assert "none answered" in health.tell_figures(Figures(60.0, 0, 0, 0, 0, 0, None))

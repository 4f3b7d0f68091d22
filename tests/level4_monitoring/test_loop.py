"""Ticks on a small shop: what is decided, written down, done, and finished after an interruption."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest

from level3_cicd.ledger import Row, all_rows, append, ledger_file
from level4_monitoring import act, alarms, loop, monitor
from level4_monitoring.config import LoopConfig
from level4_monitoring.decide import Seen, decide, read_seen
from level4_monitoring.kept import Alarm, Kept
from level4_monitoring.past import Past
from level4_monitoring.predictions import Writer
from level4_monitoring.verdicts import Comparison
from shared.columns import AMOUNT, PRODUCT
from shared.dataset.writing import write_day, write_record
from shared.errors import CheckFailed, DependencyDown, IntegrityError, Locked, UsageError
from shared.model.frecency import Frecency
from shared.model.popular import Popular
from shared.places import write_atomically
from shared.release.pointer import require_pointer
from tests.level4_monitoring.fakes import Actions, SmallShop, small_limits

LIMITS = small_limits()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> SmallShop:
    """A shop with a first release that is as good as popular products are, live from day 20 on; of 40 days, or more."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.delenv(alarms.VARIABLE, raising=False)
    monkeypatch.setattr(monitor, "show", lambda seen, found, page: None)
    monkeypatch.setattr(monitor, "drift_values", lambda day: {})
    monkeypatch.setattr(loop, "revision", lambda: "code")
    made = SmallShop(tmp_path, days=getattr(request, "param", 40))
    made.train("1.0", 20, Popular())
    made.deploy("1.0", 20)
    return made


@pytest.fixture
def actions(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> Actions:
    made = Actions(shop)
    monkeypatch.setitem(act.ACTIONS, "retrain", made.retrain)
    monkeypatch.setitem(act.ACTIONS, "promote", made.promote)
    return made


def evening(shop: SmallShop, number: int, limits: LoopConfig = LIMITS) -> Row:
    """A day of customers who ask in the morning, and its tick."""
    shop.serve(number, require_pointer(shop.level).release)
    return loop.tick(shop.day(number), limits)


def steps(shop: SmallShop) -> list[tuple[str, str]]:
    return [(row.step, row.verdict) for row in all_rows(shop.level)]


def test_a_quiet_tick_takes_the_day_in_decides_and_refreshes(shop: SmallShop, actions: Actions) -> None:
    decision = evening(shop, 21)
    assert decision.verdict == "hold"
    assert steps(shop)[2:] == [("ingest", "taken"), ("decide", "hold"), ("refresh", "done"), ("outcome", "done")]
    kept = decision.numbers["kept"]
    assert kept["values"]["scored"] == 20
    assert kept["values"]["equal_offline"] == 1
    assert 0 < kept["values"]["precision"] < 0.2
    assert require_pointer(shop.level).histories.startswith(f"histories/{shop.day(21)}")


def test_a_tick_that_is_done_is_answered_from_the_ledger(shop: SmallShop, actions: Actions) -> None:
    first = evening(shop, 21)
    before = (steps(shop), require_pointer(shop.level))
    assert loop.tick(shop.day(21), LIMITS) == first
    assert (steps(shop), require_pointer(shop.level)) == before


def test_days_go_forward_only(shop: SmallShop, actions: Actions) -> None:
    first, second = evening(shop, 21), evening(shop, 23)
    assert loop.tick(shop.day(21), LIMITS) == first
    assert second.numbers["kept"]["alarms"][0]["kind"] == "missed-tick"
    with pytest.raises(UsageError, match="days go forward only"):
        loop.tick(shop.day(22), LIMITS)


def play_to_promotion(shop: SmallShop, until: int = 28) -> list[Row]:
    rows = []
    for number in range(21, until):
        rows.append(evening(shop, number))
        if rows[-1].verdict == "promote":
            return rows
    return rows


def test_a_challenger_is_trained_compared_and_promoted(shop: SmallShop, actions: Actions) -> None:
    rows = play_to_promotion(shop)
    assert [row.verdict for row in rows] == ["hold", "hold", "retrain", "hold", "hold", "promote"]
    assert [action for action, _ in actions.done] == ["retrain", "promote"]
    assert require_pointer(shop.level).release == "1.1"
    compared = read_seen(rows[-1].numbers["seen"]).comparison
    assert compared is not None
    assert (compared.kind, compared.release, compared.live, compared.days) == ("challenger", "1.1", "1.0", 3)
    assert compared.pairs == 3 * 20


@pytest.mark.thorough
def test_each_rows_decision_comes_out_the_same_when_asked_again(shop: SmallShop, actions: Actions) -> None:
    for row in play_to_promotion(shop):
        again = decide(read_seen(row.numbers["seen"]), LoopConfig.model_validate(row.numbers["limits"]))
        assert (again.action, again.reason, again.release) == (row.verdict, row.reason, row.release)


def test_a_deployment_that_is_surely_worse_is_rolled_back(shop: SmallShop, actions: Actions) -> None:
    """A person deploys what is good, then what is worse; nobody else does anything."""
    shop.train("1.1", 21, Frecency())
    shop.deploy("1.1", 21)
    shop.train("1.2", 22, Popular())
    shop.deploy("1.2", 22)
    rows = [evening(shop, number) for number in range(23, 26)]
    assert [row.verdict for row in rows] == ["hold", "roll back", "retrain"]
    assert require_pointer(shop.level).release == "1.1"
    assert read_seen(rows[-1].numbers["seen"]).comparison is None  # a rollback is not watched, nor undone


@pytest.mark.thorough
def test_a_challenger_that_is_no_better_is_closed(shop: SmallShop, actions: Actions) -> None:
    actions.model = Popular
    rows = [evening(shop, number) for number in range(21, 27)]
    assert (rows[-1].verdict, rows[-1].release) == ("close", "1.1")
    assert loop.open_challenger(shop.level) is None
    assert require_pointer(shop.level).release == "1.0"


@pytest.mark.parametrize("failing", [Locked("a deployment is under way"), DependencyDown("no server"), OSError("disk")])
@pytest.mark.thorough
def test_what_was_unavailable_is_done_by_the_next_call(shop: SmallShop, actions: Actions, failing: Exception) -> None:
    [evening(shop, number) for number in range(21, 23)]
    actions.failing = failing
    decision = evening(shop, 23)
    assert decision.verdict == "retrain"
    assert steps(shop)[-1] == ("outcome", "unavailable")
    actions.failing = None
    assert loop.tick(shop.day(23), LIMITS) == decision
    assert actions.done == [("retrain", shop.day(23))]
    assert steps(shop)[-1] == ("outcome", "done")
    assert loop.open_challenger(shop.level) == "1.1"


def test_what_was_unavailable_is_done_on_a_later_day_and_that_day_decides_too(
    shop: SmallShop, actions: Actions
) -> None:
    [evening(shop, number) for number in range(21, 23)]
    actions.failing = DependencyDown("no server")
    evening(shop, 23)
    actions.failing = None
    later = evening(shop, 24)
    assert actions.done == [("retrain", shop.day(24))]
    assert later.verdict == "hold"
    assert read_seen(later.numbers["seen"]).comparison is not None


@pytest.mark.thorough
def test_a_refusal_is_an_outcome_and_the_loop_goes_on(shop: SmallShop, actions: Actions) -> None:
    [evening(shop, number) for number in range(21, 23)]
    actions.failing = CheckFailed("the gate said no")
    evening(shop, 23)
    assert steps(shop)[-1] == ("outcome", "refused")
    actions.failing = None
    evening(shop, 24)
    assert actions.done == [("retrain", shop.day(24))]  # refused without a gate's row: due still


class Killed(BaseException):
    """What a kill is to Python."""


@pytest.mark.parametrize("at", range(11))
@pytest.mark.thorough
def test_a_tick_that_is_killed_anywhere_comes_to_the_same_end(
    shop: SmallShop, actions: Actions, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Each write of a tick that promotes fails once; the tick is made again, and all is as without the kill."""
    [evening(shop, number) for number in range(21, 26)]
    writes = count_writes(monkeypatch, die_at=at)
    shop.serve(26, "1.0")
    for _ in range(3):
        try:
            decision = loop.tick(shop.day(26), LIMITS)
            break
        except Killed:
            continue
    assert decision.verdict == "promote"
    assert require_pointer(shop.level).release == "1.1"
    assert writes[0] > at
    told = [(row.step, row.verdict) for row in all_rows(shop.level) if row.as_of == shop.day(26)]
    assert [step for step in told if step[0] in ("ingest", "decide", "deploy")] == [
        ("ingest", "taken"),
        ("decide", "promote"),
        ("deploy", "live"),
    ]
    assert told[-1] == ("outcome", "done")
    assert [action for action, _ in actions.done].count("retrain") == 1
    assert require_pointer(shop.level).histories.startswith(f"histories/{shop.day(26)}")


def count_writes(monkeypatch: pytest.MonkeyPatch, die_at: int) -> list[int]:
    """Let the process die once, after a number of rows and files; returns the counter."""
    made = [0]

    def dying(write):
        def call(*given, **named):
            made[0] += 1
            if made[0] == die_at + 1:
                raise Killed
            return write(*given, **named)

        return call

    from level3_cicd.rollout import switch
    from level4_monitoring import refresh, shadow

    for module, name in (
        (loop, "append"), (loop, "tell"), (shadow, "keep_pairs"), (refresh, "store"), (refresh, "point_to"),
        (refresh, "remember_good"), (switch, "intend"), (switch, "write_pointer"), (switch, "append"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, dying(getattr(module, name)))
    return made


def test_a_training_that_was_made_before_a_kill_is_not_made_again(shop: SmallShop, actions: Actions) -> None:
    [evening(shop, number) for number in range(21, 23)]
    actions.failing = DependencyDown("no server")
    evening(shop, 23)
    shop.train("1.1", 23, Frecency(), actor="loop")  # it had got so far
    decision = Past(all_rows(shop.level)).tick_of(shop.day(23))
    assert decision is not None
    made = act.trained_since(Past(all_rows(shop.level)), decision)
    assert made is not None
    assert made.release == "1.1"


def test_a_dry_run_changes_nothing(shop: SmallShop, actions: Actions) -> None:
    shop.serve(21, "1.0")
    before = sorted(str(path) for path in shop.level.rglob("*") if path.is_file())
    decision = loop.tick(shop.day(21), LIMITS, dry_run=True)
    assert decision.verdict == "hold"
    assert len(all_rows(shop.level)) == 2
    after = sorted(str(path) for path in shop.level.rglob("*") if path.is_file())
    assert [path for path in after if path not in before and not path.endswith(".lock")] == []
    told = loop.monitor_model(shop.level, shop.day(21), dry_run=True).describe()
    assert "hold" in told
    assert told.endswith("Nothing was written (--dry-run).")


@pytest.mark.thorough
def test_a_frozen_loop_says_what_it_would_have_done(shop: SmallShop, actions: Actions) -> None:
    append(shop.level, Row(shop.day(20), "freeze", "frozen", "we begin", actor="operator"))
    rows = [evening(shop, number) for number in range(21, 24)]
    assert rows[-1].verdict == "hold"
    assert rows[-1].numbers["would"] == "retrain"
    assert actions.done == []
    append(shop.level, Row(shop.day(23), "thaw", "thawed", "go", actor="operator"))
    assert evening(shop, 24).verdict == "retrain"


@pytest.mark.thorough
def test_it_freezes_itself_where_nothing_can_be_measured(shop: SmallShop, actions: Actions) -> None:
    rows = [loop.tick(shop.day(number), LIMITS) for number in range(21, 25)]  # nobody asks
    assert [row.verdict for row in rows] == ["hold", "hold", "freeze", "hold"]
    assert "3 days without a quality value" in rows[2].reason
    assert ("freeze", "frozen") in steps(shop)
    told = alarms.alarm_file(shop.level).read_text()
    assert "missing-value" in told
    assert "frozen" in told


def test_a_damaged_comparison_is_closed_in_words(shop: SmallShop, actions: Actions, monkeypatch) -> None:
    [evening(shop, number) for number in range(21, 24)]
    file = shop.level / "bundles" / "1.1" / "parameters.npz"
    file.write_bytes(file.read_bytes()[:100])
    monkeypatch.setattr("level4_monitoring.seeing.fetcher", lambda level: lambda release: level / "bundles" / release)
    decision = evening(shop, 24)
    assert decision.verdict == "close"
    assert "cannot be used" in decision.reason


@pytest.mark.thorough
def test_pairs_that_are_damaged_or_gone_are_made_again(shop: SmallShop, actions: Actions) -> None:
    actions.model = Popular
    [evening(shop, number) for number in range(21, 26)]
    files = sorted((shop.level / "shadow" / "1.1-beside-1.0").glob("*.parquet"))
    kept = [pd.read_parquet(file) for file in files]
    files[0].write_bytes(b"damaged")
    files[1].unlink()
    decision = evening(shop, 26)
    compared = read_seen(decision.numbers["seen"]).comparison
    assert compared is not None
    assert compared.pairs == 3 * 20
    for file, before in zip(files, kept, strict=True):
        pd.testing.assert_frame_equal(pd.read_parquet(file), before)


def test_no_registry_makes_the_comparison_wait(shop: SmallShop, actions: Actions, monkeypatch) -> None:
    actions.model = Popular
    [evening(shop, number) for number in range(21, 25)]
    moved = shop.level / "bundles" / "1.1"
    moved.rename(shop.level / "elsewhere")

    def fetch(release: str) -> Path:
        raise DependencyDown("MLflow does not answer")

    monkeypatch.setattr("level4_monitoring.seeing.fetcher", lambda level: fetch)
    decision = evening(shop, 25)
    assert decision.verdict == "hold"
    assert [alarm["kind"] for alarm in decision.numbers["kept"]["alarms"]] == ["unavailable"]
    (shop.level / "elsewhere").rename(moved)
    compared = read_seen(evening(shop, 26).numbers["seen"]).comparison
    assert compared is not None
    assert compared.pairs == 3 * 20


@pytest.mark.thorough
@pytest.mark.parametrize("shop", [50], indirect=True)
def test_two_releases_of_one_configuration_and_day_with_lists_of_all_lengths(shop: SmallShop, actions: Actions) -> None:
    """Served lists play no part in a comparison: nobody wins by the length of a list."""
    shop.train("1.1", 20, Popular())
    actions.model = Popular
    for number in range(21, 49):
        for k, customers in ((3, ["c00", "c01"]), (5, ["c02"]), (10, ["c03"])):
            shop.serve(number, "1.0", customers, k)
        decision = loop.tick(shop.day(number), LIMITS)
        compared = read_seen(decision.numbers["seen"]).comparison
        if compared and compared.release == "1.1":
            assert compared.difference == 0.0
        assert decision.verdict != "promote"
    assert require_pointer(shop.level).release == "1.0"


@pytest.mark.thorough
def test_damage_is_quarantined_and_left_out_until_it_is_accepted(shop: SmallShop, actions: Actions) -> None:
    deliver(shop, 22, lambda rows: rows.assign(**{PRODUCT: "p\ufffd"}).drop_duplicates("customer_id"))
    rows = [evening(shop, number) for number in range(21, 24)]
    assert ("ingest", "quarantined") in steps(shop)
    assert rows[1].numbers["kept"]["counts"] is False
    assert rows[1].numbers["kept"]["values"]["rows"] == 0
    assert rows[2].verdict == "hold"
    assert "quarantine" in rows[2].reason
    from level4_monitoring.hands import accept

    accept(shop.level, shop.day(22), "it is right", "operator")
    assert evening(shop, 24).verdict == "retrain"


def deliver(shop: SmallShop, number: int, change) -> None:
    """Another version of a day."""
    day = shop.day(number)
    about = shop.feed.about
    rows = change(shop.feed.day(day))
    about["days"][day.isoformat()] = write_day(shop.feed.file(day), rows)
    write_record(shop.shop, about)


def test_a_late_version_of_a_day_is_used_from_then_on(shop: SmallShop, actions: Actions) -> None:
    first = evening(shop, 21)
    deliver(shop, 21, lambda rows: rows[rows["customer_id"] != "c00"])
    evening(shop, 22)
    late = [row for row in all_rows(shop.level) if row.step == "ingest" and row.as_of == shop.day(21)]
    assert [row.verdict for row in late] == ["taken", "taken"]
    assert "a new version, 1 day later" in late[-1].reason
    assert Past(all_rows(shop.level)).tick_of(shop.day(21)) == first


def test_a_day_without_rows_is_recorded(shop: SmallShop, actions: Actions) -> None:
    about = shop.feed.about
    del about["days"][shop.day(22).isoformat()]
    write_record(shop.shop, about)
    rows = [evening(shop, number) for number in (21, 22, 23)]
    assert ("ingest", "empty") in steps(shop)
    assert [row.numbers["kept"]["counts"] for row in rows] == [True, False, True]


def test_a_delivered_day_whose_file_is_damaged_stops_the_loop_in_words(shop: SmallShop, actions: Actions) -> None:
    file = shop.feed.file(shop.day(21))
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(CheckFailed):
        loop.tick(shop.day(21), LIMITS)
    assert len(all_rows(shop.level)) == 2


def test_a_delivered_day_with_other_rows_than_recorded_stops_the_loop(shop: SmallShop, actions: Actions) -> None:
    day = shop.day(21)
    write_day(shop.feed.file(day), shop.feed.day(day).assign(**{AMOUNT: 3.0}))
    with pytest.raises(CheckFailed, match="others than were recorded"):
        loop.tick(day, LIMITS)


def test_a_rewritten_ledger_stops_the_loop_in_words(shop: SmallShop, actions: Actions) -> None:
    import sqlite3

    evening(shop, 21)
    with sqlite3.connect(ledger_file(shop.level)) as database:
        database.execute("DROP TRIGGER no_change")
        database.execute("UPDATE ledger SET verdict = 'promote' WHERE step = 'decide'")
    database.close()
    with pytest.raises(IntegrityError, match="was changed after it was written"):
        loop.tick(shop.day(22), LIMITS)


def test_damaged_live_histories_are_made_anew(shop: SmallShop, actions: Actions) -> None:
    evening(shop, 21)
    folder = shop.level / require_pointer(shop.level).histories
    (folder / "days.npy").write_bytes(b"damaged")
    decision = evening_unserved(shop, 22)
    assert decision.verdict == "hold"
    evening(shop, 23)
    assert require_pointer(shop.level).histories.startswith(f"histories/{shop.day(23)}")


def evening_unserved(shop: SmallShop, number: int) -> Row:
    return loop.tick(shop.day(number), LIMITS)


def test_a_live_release_that_does_not_open_is_an_alarm(shop: SmallShop, actions: Actions) -> None:
    evening(shop, 21)
    file = shop.level / "bundles" / "1.0" / "parameters.npz"
    file.write_bytes(b"damaged")
    decision = evening_unserved(shop, 22)
    assert "fallbacks" in [alarm["kind"] for alarm in decision.numbers["kept"]["alarms"]]


def test_what_a_person_deployed_before_the_tick_did_not_answer_that_day_and_is_not_ill(
    shop: SmallShop, actions: Actions
) -> None:
    evening(shop, 21)
    shop.serve(22, "1.0")
    shop.train("1.1", 22, Frecency())
    shop.deploy("1.1", 22)
    decision = loop.tick(shop.day(22), LIMITS)
    assert decision.numbers["kept"]["values"]["fallback_share"] == 0
    assert read_seen(decision.numbers["seen"]).ill == ""
    shop.serve(23, "1.0")  # now it is one that is not to be live any more
    assert loop.tick(shop.day(23), LIMITS).numbers["kept"]["values"]["fallback_share"] == 1


def test_before_the_first_release_the_loop_watches_and_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.setattr(monitor, "show", lambda seen, found, page: None)
    monkeypatch.setattr(monitor, "drift_values", lambda day: {})
    shop = SmallShop(tmp_path)
    decision = loop.tick(shop.day(21), LIMITS)
    assert (decision.verdict, decision.reason) == ("hold", "nothing is live: a person deploys the first release")


def test_a_tick_for_each_day_that_has_arrived_the_oldest_first(shop: SmallShop, actions: Actions) -> None:
    assert [row.as_of for row in loop.tick_all(shop.day(21), config=LIMITS)] == [shop.day(21)]
    assert [row.as_of for row in loop.tick_all(shop.day(23), config=LIMITS)] == [
        shop.day(number) for number in (21, 22, 23)
    ]


def test_a_second_scheduler_is_answered_from_the_ledger(shop: SmallShop, actions: Actions) -> None:
    from concurrent.futures import ThreadPoolExecutor

    shop.serve(21, "1.0")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: loop.tick(shop.day(21), LIMITS), range(2))
    assert first.hash == second.hash
    assert [step for step, _ in steps(shop)].count("decide") == 1


@pytest.mark.thorough
def test_the_challenger_does_not_know_the_day_that_it_is_judged_on(shop: SmallShop, actions: Actions) -> None:
    """On the day on which everybody buys something for the first time, nobody can have it in a list."""
    [evening(shop, number) for number in range(21, 24)]
    deliver(shop, 24, lambda rows: rows.assign(**{PRODUCT: "p20"}).drop_duplicates("customer_id"))
    decision = evening(shop, 24)
    compared = read_seen(decision.numbers["seen"]).comparison
    assert compared is not None
    assert (compared.pairs, compared.mean, compared.difference) == (20, 0.0, 0.0)


def test_what_could_not_be_told_is_told_by_the_next_tick(
    shop: SmallShop, actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(alarms.VARIABLE, "json://localhost")
    sent: list[str] = []
    monkeypatch.setattr(alarms, "by_apprise", lambda title, body, to: False)
    loop.tick(shop.day(21), LIMITS)  # nobody asked: a missing value
    monkeypatch.setattr(alarms, "by_apprise", lambda title, body, to: not sent.append(title))
    evening(shop, 22)
    evening(shop, 23)
    assert sent == ["mlops: missing-value"]


def test_a_promotion_whose_rival_is_not_live_any_more_is_refused(shop: SmallShop) -> None:
    from level4_monitoring.promote import promote, roll_back

    with pytest.raises(UsageError, match=r"1\.0 is live by now, not 0\.9"):
        promote(shop.level, "1.1", "0.9", shop.day(21), "loop")
    with pytest.raises(UsageError, match=r"1\.0 is live by now, not 0\.9"):
        roll_back(shop.level, "0.8", "0.9", shop.day(21), "loop", "worse")
    assert "already" in promote(shop.level, "1.0", "0.9", shop.day(21), "loop")
    assert "already" in roll_back(shop.level, "1.0", "0.9", shop.day(21), "loop", "worse")


def test_decisions_are_pure(shop: SmallShop) -> None:
    seen = Seen(shop.day(1), "1.0", comparison=Comparison("retired", "0.9", "1.0", shop.day(0), 1))
    assert decide(seen, LIMITS) == decide(replace(seen), LIMITS)
    assert shop.day(1) - shop.day(0) == timedelta(days=1)
    write_atomically(shop.level / "unused", b"")


def looked(shop: SmallShop, number: int, verdict: str, live: str, *found: Alarm) -> None:
    """The row of a look at the service's health, after a day."""
    numbers = {"kept": Kept(shop.day(number), alarms=found).as_data(), "seen": {"live": live}}
    append(shop.level, Row(shop.day(number), "health", verdict, "because", numbers=numbers))


@pytest.mark.parametrize("went_back", [True, False])
def test_what_answered_until_a_look_went_back_is_no_fallback(
    shop: SmallShop, actions: Actions, went_back: bool
) -> None:
    evening(shop, 21)
    shop.train("1.1", 21, Frecency())
    shop.deploy("1.1", 22)
    shop.serve(23, "1.1")
    looked(shop, 22, "roll back" if went_back else "hold", "1.1")
    shop.deploy("1.0", 22)
    shop.serve(23, "1.0")
    share = loop.tick(shop.day(23), LIMITS).numbers["kept"]["values"]["fallback_share"]
    assert share == (0 if went_back else 0.5)


@pytest.mark.parametrize("told_before", [True, False])
def test_an_incident_that_a_look_has_told_is_not_told_again_in_the_evening(
    shop: SmallShop, actions: Actions, told_before: bool
) -> None:
    if told_before:
        looked(shop, 21, "hold", "1.0", Alarm("errors", "many"))
    writer = Writer(shop.level, lambda: datetime.combine(shop.day(21), time(9)), seconds=0.0)
    for _ in range(100):
        writer.note_error(500)
    assert "errors" in [alarm["kind"] for alarm in evening(shop, 21).numbers["kept"]["alarms"]]
    told = alarms.alarm_file(shop.level).read_text() if alarms.alarm_file(shop.level).exists() else ""
    assert ('"errors"' in told) != told_before

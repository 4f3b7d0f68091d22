"""Level 3's pure parts, its ledger, and deploying without a registry."""

import dataclasses
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from sqlalchemy.exc import IntegrityError

from level3_cicd.config import CONFIG, GateLimits, PipelineConfig
from level3_cicd.deploy import rollback
from level3_cicd.evaluate import LiveSide, measure, open_live, time_one
from level3_cicd.ledger import Row, append, live_on, read, refused_days, validated_through, verdicts_of_runs
from level3_cicd.ledger_table import opened
from level3_cicd.monitor import monitor
from level3_cicd.rollout.switch import locked
from level3_cicd.run import Run
from level3_cicd.slices import by_customer, by_department
from level3_cicd.tools.github_summary import tell, write_summary
from level3_cicd.train import fit
from level3_cicd.validate import days_to_validate, find_harm, refuse_bad_data
from shared.columns import CUSTOMER, DEPARTMENT, PRODUCT, TIME
from shared.config import read_config
from shared.dataset.clock import known_through
from shared.dataset.day_files import day_file, digest_rows
from shared.dataset.feed import Feed
from shared.dataset.read_once import read_once
from shared.errors import CheckFailed, DependencyDown, Locked, UsageError
from shared.model.frecency import Frecency
from shared.model.holdout import hold_out
from shared.model.popular import Popular
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to
from tests.conftest import make_products, make_transactions
from tests.level3_cicd.fakes import FakeEvidence

LIMITS = GateLimits(
    least_gain_over_popular=0.0,
    most_loss_to_live=0.03,
    most_loss_in_a_slice=0.05,
    least_coverage=0.5,
    most_milliseconds=50,
)


def test_a_live_model_that_has_seen_the_week_cannot_be_compared_with(tmp_path: Path) -> None:
    rows = make_transactions(days=60)
    digest = write_bundle(tmp_path / "it", Frecency().fit(rows), make_products(), Evidence("data", "code"))
    with pytest.raises(UsageError, match="it has seen the week after"):
        open_live(tmp_path, Pointer("1.0", "it", digest), hold_out(rows, date(2017, 3, 1)))


@pytest.mark.thorough
def test_a_report_on_a_week_that_the_release_has_seen_is_refused(home: Path) -> None:
    feed, through = Feed(home / "shop"), date(2017, 2, 5)
    level = home / "level3"
    model = Frecency().fit(feed.through(through), as_of=through)
    digest = write_bundle(level / "bundles" / "1.0", model, feed.products(), Evidence("data", "code"))
    point_to(level, Pointer("1.0", "bundles/1.0", digest))
    with pytest.raises(UsageError, match=r"has seen of the week.*\n.*from 2017-02-12 on"):
        monitor(level, feed, date(2017, 2, 11))


def test_a_row_of_the_ledger_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    append(tmp_path, Row(date(2017, 6, 4), "deploy", "live", "first", release="1.0", sequence=1))
    replaced = "INSERT OR REPLACE INTO ledger SELECT * FROM ledger"
    for statement in ("UPDATE ledger SET release = '6.6'", "DELETE FROM ledger", replaced):
        with pytest.raises(IntegrityError, match="append-only"), opened(tmp_path) as connection:
            connection.exec_driver_sql(statement)
    assert [row.release for row in read(tmp_path)] == ["1.0"]


def test_a_release_is_live_from_the_day_after_the_decision(tmp_path: Path) -> None:
    append(tmp_path, Row(date(2017, 6, 4), "deploy", "live", "", release="1.0", sequence=1))
    append(tmp_path, Row(date(2017, 6, 11), "gate", "passed", "", release="1.1"))
    append(tmp_path, Row(date(2017, 6, 11), "deploy", "live", "", release="1.1", sequence=2))
    live = {day: live_on(tmp_path, date(2017, 6, day)) for day in (4, 5, 11, 12)}
    assert {day: row and row.release for day, row in live.items()} == {4: None, 5: "1.0", 11: "1.0", 12: "1.1"}


def test_of_two_deployments_at_once_one_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(Locked, match="by process"), locked(tmp_path):
        pass


def test_without_a_release_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nothing is deployed"):
        rollback(tmp_path, date(2017, 6, 4))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("half_life", "halflife"), "halflife"),
        (('"frecency"', '"magic"'), "no model is called"),
        (("most_loss_to_live = 0.03", "most_loss_to_live = -1"), "gate.most_loss_to_live"),
        (("[gate]", "[gate"), "cannot be used"),
        (("major = 1", "major = 1\nretries = 3"), "retries"),
    ],
)
def test_a_mistake_in_the_config_is_named(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.read_text().replace(*change))
    with pytest.raises(UsageError, match=complaint):
        read_config(file, PipelineConfig)


def test_a_config_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b'model = "fr\xe9cency"')
    with pytest.raises(UsageError, match="cannot be used"):
        read_config(file, PipelineConfig)


def test_light_heavy_and_new_customers_are_told_apart() -> None:
    known = make_transactions(customers=4, days=60)
    light = (known[CUSTOMER] == "c00") & (known[PRODUCT] > "p04")
    late = (known[CUSTOMER] == "c03") & (known[TIME] < "2017-02-20")
    kinds = by_customer(known[~light & ~late], pd.Index(["c00", "c01", "c03", "c-nobody"]), date(2017, 3, 1))
    assert {kind: list(names) for kind, names in kinds.items()} == {
        "light": ["c00"],
        "heavy": ["c01"],
        "new": ["c03", "c-nobody"],
    }


def test_departments_are_those_with_most_purchases() -> None:
    bought = pd.DataFrame({CUSTOMER: list("aabb"), PRODUCT: ["p00", "p01", "p00", "p02"]})
    products = make_products().assign(**{DEPARTMENT: [f"D{number % 2}" for number in range(20)]})
    parts = by_department(bought, products)
    assert [(name, len(part)) for name, part in parts.items()] == [("D0", 3), ("D1", 1)]


@pytest.mark.parametrize("live", [None, Popular()])
def test_slices_are_measured_with_and_without_a_live_model_and_judged_with_one(live: Popular | None) -> None:
    rows = make_transactions(days=60)
    holdout = hold_out(rows, date(2017, 3, 1))
    candidate = Frecency().fit(holdout.known)
    side = LiveSide("1.0", "digest", live.fit(holdout.known)) if live else LiveSide()
    judged = measure(candidate, side, holdout, make_products())
    assert set(judged.slices) == {"light", "heavy", "new", "ALL"}
    assert judged.slices["ALL"]["customers"] == 20
    assert ("live" in judged.slices["ALL"]) == bool(live)
    assert set(judged.measured.slices) == (set(judged.slices) if live else set())
    if live:
        mine, other = judged.measured.slices["ALL"]
        assert mine.mean() == judged.slices["ALL"]["candidate"] > other.mean()


def test_a_model_without_histories_is_timed_too(tmp_path: Path) -> None:
    write_bundle(tmp_path / "it", Popular().fit(make_transactions()), make_products(), Evidence("data", "code"))
    assert 0 < time_one(tmp_path / "it") < 1000


def test_the_day_that_the_real_shop_has_reached_is_fit_to_train_on_and_the_one_after_is_not(home: Path) -> None:
    feed = Feed(home / "shop")
    reached = known_through(home / "shop")
    assert (reached, feed.last_day) == (date(2017, 12, 31), date(2018, 1, 1))
    assert find_harm(feed, days_to_validate(feed, reached, None, (), {})).empty
    with pytest.raises(CheckFailed, match="pass an --as-of before 2018-01-01"):
        refuse_bad_data(find_harm(feed, [feed.last_day]), feed)


@pytest.mark.parametrize(
    ("validated", "refused", "accepted", "looked_at"),
    [
        (None, [], [], range(12, 19)),
        (15, [], [], range(12, 19)),
        (4, [], [], range(5, 19)),
        (None, [5, 25], [], [5, *range(12, 19)]),
        (15, [5], [5, 13], [12, *range(14, 19)]),
    ],
)
def test_days_are_looked_at_until_they_have_passed_or_were_accepted(
    home: Path, validated: int | None, refused: list[int], accepted: list[int], looked_at: Iterable[int]
) -> None:
    def days(numbers: Iterable[int]) -> list[date]:
        return [date(2017, 6, number) for number in numbers]

    known = date(2017, 6, validated) if validated else None
    feed = Feed(home / "shop")
    digests = {day: digest_rows(feed.day(day))[:16] for day in days(accepted)}
    found = days_to_validate(Feed(home / "shop"), date(2017, 6, 18), known, days(refused), digests)
    assert found == days(looked_at)


def test_a_day_is_accepted_with_the_rows_that_somebody_looked_at_and_not_with_others(home: Path) -> None:
    feed, day = Feed(home / "shop"), date(2017, 6, 18)
    assert day not in days_to_validate(feed, day, None, (), {day: digest_rows(feed.day(day))[:16]})
    assert day in days_to_validate(feed, day, None, (), {day: digest_rows(feed.day(day).iloc[1:])[:16]})


@pytest.mark.thorough
def test_a_day_whose_rows_are_others_by_now_is_looked_at_however_old_it_is(home: Path) -> None:
    feed, old = Feed(home / "shop"), date(2017, 3, 1)
    rows = feed.day(old)
    day_file(feed.folder, old).unlink()  # other homes share it
    rows.to_parquet(day_file(feed.folder, old))
    passed = date(2017, 6, 17)
    assert days_to_validate(feed, date(2017, 6, 18), passed, (), {}) == [date(2017, 6, day) for day in range(12, 19)]
    rows.iloc[10:].to_parquet(day_file(feed.folder, old))
    found = find_harm(feed, days_to_validate(feed, date(2017, 6, 18), passed, (), {}))
    assert found[["day", "check"]].to_numpy().tolist() == [[old, "rows as delivered"]]


def test_days_have_passed_as_long_as_they_are_what_they_were(tmp_path: Path) -> None:
    for day, digest in ((4, "of the 4th"), (11, "of the 11th"), (25, "of the 25th")):
        append(tmp_path, Row(date(2017, 6, day), "gate", "refused", "", data_digest=digest))
    for step in ("validate", "judge"):
        append(tmp_path, Row(date(2017, 6, 18), step, "refused", "", data_digest="of the 18th"))

    def unchanged(day: date) -> str:
        return f"of the {day.day}th"

    assert validated_through(tmp_path, date(2017, 6, 20), unchanged) == date(2017, 6, 11)
    assert validated_through(tmp_path, date(2017, 6, 25), unchanged) == date(2017, 6, 25)
    assert validated_through(tmp_path, date(2017, 6, 20), lambda day: "mended") is None


def test_refused_days_are_remembered(tmp_path: Path) -> None:
    findings = [{"day": "2017-06-05", "check": "unit"}, {"day": "2017-06-09", "check": "unit"}]
    append(tmp_path, Row(date(2017, 6, 9), "validate", "refused", "", numbers={"findings": findings}))
    assert refused_days(tmp_path) == {date(2017, 6, 5), date(2017, 6, 9)}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "production is a service inside of the job"),
        ({"MLOPS_HOME": "/srv/mlops"}, "State is kept in `/srv/mlops`"),
        ({"MLOPS_MLFLOW_URI": "http://127.0.0.1:5000"}, "the one that MLOPS_MLFLOW_URI names"),
    ],
)
def test_the_summary_says_where_state_is_and_why_nothing_was_compared(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], told: str
) -> None:
    for name in ("MLOPS_HOME", "MLOPS_MLFLOW_URI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    rules = [{"name": "coverage", "detail": "0.1", "found": 0.1, "limit": 0.02, "passed": True}]
    numbers = {"rules": rules, "notes": ["nothing is live"]}
    row = Row(date(2017, 6, 4), "gate", "passed", "all kept", release="1.0", numbers=numbers)
    summary = tell(row)
    assert told in summary
    assert "- nothing is live\n" in summary
    assert "| coverage | 0.1 | 0.1 | 0.02 | yes |" in summary


@pytest.mark.thorough
@pytest.mark.parametrize("model", ["frecency", "ranker"])
def test_two_runs_on_the_same_inputs_make_the_same_bundle(home: Path, model: str) -> None:
    config = read_config(CONFIG, PipelineConfig).model_copy(update={"model": model, "parameters": {}})
    feed, as_of = Feed(home / "shop"), date(2017, 4, 2)
    holdout = hold_out(feed.through(as_of), as_of)
    digests = set()
    for run in ("one", "two"):
        trained = fit(config, holdout, feed.products())
        judged = measure(trained, LiveSide(), holdout, feed.products())
        evidence = Evidence(feed.digest(as_of), "code", judged.metrics)
        refreshed = trained.refresh(feed.through(as_of), as_of=as_of)
        digests.add(write_bundle(home / run, refreshed, feed.products(), evidence))
    assert len(digests) == 1


@pytest.mark.thorough
def test_a_result_is_kept_for_the_same_inputs_only(home: Path) -> None:
    feed, config = Feed(home / "shop"), read_config(CONFIG, PipelineConfig)
    as_of = date(2017, 1, 29)
    read = read_once(feed, as_of)
    one = Run(home, read, as_of, config, "me", "1.0", "commit", "lock", "code", home, FakeEvidence())
    again = dataclasses.replace(one, feed=read_once(feed, as_of), actor="you", release="1.1")
    judged_otherwise = dataclasses.replace(one, config=config.model_copy(update={"gate": LIMITS}))
    assert len({run.key_of_inputs("day") for run in (one, again, judged_otherwise)}) == 1
    file = day_file(feed.folder, date(2017, 1, 10))
    rows = feed.day(date(2017, 1, 10)).iloc[1:]
    file.unlink()  # other homes share it
    rows.to_parquet(file)
    others = [
        one,
        dataclasses.replace(one, as_of=date(2017, 1, 28)),
        dataclasses.replace(one, config=config.model_copy(update={"model": "popular"})),
        dataclasses.replace(one, code="other code"),
        dataclasses.replace(one, lock="other requirements"),
        dataclasses.replace(one, feed=read_once(feed, as_of)),
        dataclasses.replace(one, feed=dataclasses.replace(read, catalogue=read.products().iloc[1:])),
    ]
    assert len({run.key_of_inputs("day") for run in others} | {one.key_of_inputs("another day")}) == 8


@pytest.mark.thorough
def test_only_a_failure_that_may_pass_is_tried_again() -> None:
    from prefect.states import Failed

    from level3_cicd.tools import tasks

    wrapped = CheckFailed("a day cannot be read")
    wrapped.__cause__ = OSError("the share is away")
    errors = {wrapped: True, OSError("again"): True, CheckFailed("bad data"): False, ValueError("a bug"): False}
    assert {error: tasks.may_pass(None, None, Failed(data=error)) for error in errors} == errors


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cause", "told"), [(httpx.ConnectError("refused"), DependencyDown), (OSError(), RuntimeError)]
)
def test_a_prefect_server_that_goes_away_is_a_dependency_that_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: Exception, told: type[Exception]
) -> None:
    from level3_cicd import flow

    def unused(evidence: Any, work: Path) -> Run:
        raise AssertionError("no run begins")

    def fail(place: str) -> None:
        raise RuntimeError("Failed to reach API") from cause  # as Prefect words it in the middle of a run

    monkeypatch.setattr(flow, "close_crashed", fail)
    with pytest.raises(told, match="Failed to reach API"):
        flow.run_flow(tmp_path, [], unused, "a run", "1.0", date(2017, 6, 4), "test", "http://127.0.0.1:9/api")


def test_a_clock_that_was_set_back_during_a_run_hides_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(tmp_path / name))
    numbers: dict = {"rules": [], "notes": []}
    before = Row(date(2017, 6, 4), "gate", "passed", "", release="1.0", numbers=numbers)
    append(tmp_path, before)
    known = len(verdicts_of_runs(tmp_path))
    write_summary(tmp_path, known)
    assert not (tmp_path / "GITHUB_OUTPUT").exists()
    append(tmp_path, dataclasses.replace(before, release="1.1", recorded_at=before.recorded_at - timedelta(hours=1)))
    write_summary(tmp_path, known)
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == "release=1.1\n"

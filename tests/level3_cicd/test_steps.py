"""The pipeline's steps, played as plain functions: no Prefect, no MLflow; records and registry are fakes in memory."""

import dataclasses
import os
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from filelock import FileLock

from level3_cicd import ops, pipeline, register
from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.ledger import Row, all_rows, append, verdicts_of_gate
from level3_cicd.pending_verdict import pending_file, record_pending, recorded_after
from level3_cicd.pipeline import STEPS, Outcome, require_no_earlier_day
from level3_cicd.registered import Registered
from level3_cicd.run import Run
from level3_cicd.validate import refusal, refuse_bad_data
from shared.columns import AMOUNT
from shared.config import read_config
from shared.dataset.feed import Feed, open_feed
from shared.dataset.read_once import read_once
from shared.dataset.writing import write_feed
from shared.errors import CheckFailed, Locked, UsageError
from shared.release.manifest import digest_of, verify
from shared.steps import Results, Step, name_of, play
from tests.conftest import make_products, make_transactions, write_checkerboard
from tests.level3_cicd.fakes import FakeEvidence

AS_OF = date(2017, 3, 1)


class FakeRegistry:
    """A registry in memory."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.rows: dict[str, str] = {}

    def champion(self, level: Path) -> None:
        return None

    def register(self, level: Path, run_id: str, release: str, bundle: Path, verdict: str) -> Registered:
        self.versions[release] = verdict
        return Registered(release, "1", verdict, digest_of(bundle), "registry:/1")

    def page_of(self, level: Path, run_id: str) -> str:
        return f"page of {run_id}"

    def tag_with_row(self, level: Path, row: Row) -> None:
        self.rows[row.release] = row.hash


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    fake = FakeRegistry()
    monkeypatch.setattr(register, "registry", fake)
    monkeypatch.setattr("level3_cicd.tools.registry.champion", fake.champion)
    return fake


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_checkerboard(tmp_path / "shop", days=60)
    return make_run(tmp_path)


def make_run(home: Path, **settings: Any) -> Run:
    (home / "work").mkdir()
    config = read_config(CONFIG, PipelineConfig).model_copy(update=settings)
    feed = read_once(open_feed(home / "shop"), AS_OF)
    level = home / "level3"
    return Run(level, feed, AS_OF, config, "me", "1.0", "commit", "lock", "code", home / "work", FakeEvidence())


def without(steps: Iterable[Step], name: str) -> list[Step]:
    return [step for step in steps if name_of(step) != name]


def test_a_sound_candidate_is_registered_with_its_evidence_and_its_row(run: Run, registry: FakeRegistry) -> None:
    accepted = run.config.model_copy(update={"accepted_days": {AS_OF: "0123456789ab"}})
    results = play(STEPS, dataclasses.replace(run, config=accepted))
    entry = results["register"]
    assert (entry.release, registry.versions) == ("1.0", {"1.0": "passed"})
    row = verdicts_of_gate(run.level)[-1]
    assert (row.verdict, row.bundle_digest, row.actor) == ("passed", entry.bundle_digest, "me")
    assert row.numbers["compared_with"] is None
    assert registry.rows == {"1.0": row.hash}
    assert isinstance(run.evidence, FakeEvidence)
    kept = {"validation.json", "slices.json", "gate.json", "config.json", "data.json", "duration.json"}
    assert kept <= set(run.evidence.kept)
    assert run.evidence.shown["mlflow-run"] == "page of a run"
    assert verify(run.bundle).manifest["histories_through"] == AS_OF.isoformat()
    assert verify(run.bundle).manifest["trained_through"] == "2017-02-22"


def test_a_refused_candidate_is_registered_as_refused_and_ends_the_run(run: Run, registry: FakeRegistry) -> None:
    strict = run.config.gate.model_copy(update={"most_milliseconds": 1e-9})
    run = dataclasses.replace(run, config=run.config.model_copy(update={"gate": strict}))
    with pytest.raises(CheckFailed, match=r"The gate refused release 1\.0"):
        play(STEPS, run)
    assert registry.versions == {"1.0": "refused"}
    assert [row.verdict for row in all_rows(run.level)] == ["refused"]


def test_what_is_only_judged_gets_no_version(run: Run, registry: FakeRegistry) -> None:
    entry = play(STEPS, dataclasses.replace(run, judge_only=True))["register"]
    assert (entry.version, registry.versions) == ("", {})
    assert [row.step for row in all_rows(run.level)] == ["judge"]


def test_bad_data_stops_the_run_before_training_unless_a_team_leaves_validation_out(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    rows = make_transactions(customers=20, days=60)
    rows = pd.concat([rows, rows[rows["time"] >= "2017-03-01"]])
    write_feed(tmp_path / "shop", rows, make_products(), name="checkerboard")
    run = make_run(tmp_path)
    with pytest.raises(CheckFailed, match=r"repeated rows(.|\n)*\[accepted_days\](.|\n)*\"2017-03-01\" = "):
        play(STEPS, run)
    assert [(row.step, row.verdict) for row in all_rows(run.level)] == [("validate", "refused")]
    assert registry.versions == {}
    play(without(STEPS, "validate"), run)
    assert registry.versions == {"1.0": "passed"}


def test_without_a_gate_everything_passes(run: Run, registry: FakeRegistry) -> None:
    strict = run.config.gate.model_copy(update={"most_milliseconds": 1e-9})
    play(without(STEPS, "gate"), dataclasses.replace(run, config=run.config.model_copy(update={"gate": strict})))
    assert registry.versions == {"1.0": "passed"}


def test_steps_are_called_in_order_with_what_the_ones_before_made(run: Run, registry: FakeRegistry) -> None:
    seen: list[tuple[str, list[str]]] = []

    def call(step: Step, run: Run, given: Results) -> Any:
        seen.append((name_of(step), sorted(given)))
        return step(run, **given)

    play(STEPS, run, call)
    assert seen == [
        ("prepare", []),
        ("validate", []),
        ("train", ["prepare"]),
        ("evaluate", ["prepare", "train"]),
        ("gate", ["evaluate"]),
        ("register", ["evaluate", "gate"]),
    ]


def test_a_refusal_names_every_finding_and_nothing_is_refused_without_one(run: Run) -> None:
    findings = pd.DataFrame(
        [(AS_OF, "unit", AMOUNT, "100 x", "3 x")], columns=["day", "check", "column", "found", "limit"]
    )
    assert refusal(run, findings).reason == "1 finding in the data"
    with pytest.raises(CheckFailed, match=r"2017-03-01, amount: unit, 100 x \(limit 3 x\)"):
        refuse_bad_data(findings, run.feed)
    refuse_bad_data(findings.iloc[:0], run.feed)


def test_no_run_decides_for_a_day_before_the_last_decision(tmp_path: Path) -> None:
    require_no_earlier_day(tmp_path, AS_OF)
    append(tmp_path, Row(date(2017, 3, 8), "gate", "refused", ""))
    require_no_earlier_day(tmp_path, date(2017, 3, 8))
    with pytest.raises(UsageError, match="2017-03-08; 2017-03-01 is earlier"):
        require_no_earlier_day(tmp_path, AS_OF)


def test_the_next_number_is_above_all_that_were_ever_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(
        align_aliases=lambda level: None,
        registered=lambda level: {"1.1": Registered("1.1", "1", "passed", "digest", "")},
        stored=lambda level: ["1.3"],
        tag_with_row=lambda level, row: None,
    )
    monkeypatch.setattr(pipeline, "registry", fake)
    assert pipeline.number_of_next(tmp_path, 1) == "1.4"
    append(tmp_path, Row(AS_OF, "gate", "passed", "its version was deleted since", "1.7"))
    assert pipeline.number_of_next(tmp_path, 1) == "1.8"


@pytest.mark.parametrize(
    ("judged_only", "told"), [(False, "passed the gate and is registered"), (True, "would let it pass")]
)
def test_an_outcome_is_told_with_the_way_on(judged_only: bool, told: str) -> None:
    outcome = Outcome("1.2", "digest", "registry:/1", "better", judged_only)
    assert told in outcome.describe()
    assert outcome.next_command(None) == "deploy model --version 1.2"
    assert outcome.next_command(AS_OF) == "deploy model --version 1.2 --as-of 2017-03-01"


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What `pipeline.run` plays, in place of Prefect: the days it may see, the actor, the model."""
    seen: list[tuple] = []

    def play_it(level: Path, days: Feed, as_of: date, config: PipelineConfig, actor: str, *more: Any) -> Registered:
        append(level, Row(as_of, "gate", "passed", "all kept", "1.0", numbers={"rules": [], "notes": []}))
        seen.append((days.left_out, actor, config.model))
        return Registered("1.0", "1", "passed", "digest", "registry:/1")

    monkeypatch.setattr(pipeline, "play_at_prefect", play_it)
    return seen


def test_a_run_leaves_out_what_is_in_quarantine_and_refuses_days_that_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[tuple]
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    write_checkerboard(tmp_path / "shop", days=60)
    level = tmp_path / "level3"
    outcome = pipeline.run(level, AS_OF, actor="me", model="popular", left_out=[date(2017, 2, 1)])
    assert played == [({date(2017, 2, 1)}, "me", "popular")]
    assert (outcome.release, outcome.bundle_digest, outcome.judged_only) == ("1.0", "digest", False)
    with pytest.raises(UsageError, match="2017-02-28 is earlier"):
        pipeline.run(level, date(2017, 2, 28))
    assert pipeline.run(level, date(2017, 2, 28), judge_only=True).judged_only
    assert len(played) == 2
    assert pipeline.plan(AS_OF, "popular").startswith("Would train, judge and register popular")


def test_only_one_run_at_a_time_which_removes_what_killed_ones_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.setattr(pipeline, "RESULTS_KEPT", 1)
    results = tmp_path / "prefect" / "storage"
    results.mkdir(parents=True)
    for number, name in enumerate(("old", "new")):
        (results / name).write_text("")
        os.utime(results / name, (number, number))
    level = tmp_path / "level3"
    (level / ".train.killed").mkdir(parents=True)
    with pipeline.alone(level):
        assert not (level / ".train.killed").exists()
        assert [file.name for file in results.iterdir()] == ["new"]
        with pytest.raises(Locked, match="already running"), pipeline.alone(level):
            pass


def test_prefects_server_is_started_unless_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    write_checkerboard(tmp_path / "shop", days=60)
    seen: list[tuple[Run, str]] = []

    def run_flow(level: Path, steps: Any, make_run: Any, name: str, release: str, *more: Any) -> Registered:
        seen.append((make_run(FakeEvidence(), tmp_path / "work"), more[-1]))
        return Registered(release, "1", "passed", "digest", "registry:/1")

    modules = {"level3_cicd.flow": {"run_flow": run_flow}, "level3_cicd.tools.tasks": {"keep": lambda *given: None}}
    for name, content in modules.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(**content))
    monkeypatch.setattr(pipeline, "prepare_prefect", lambda home: None)
    monkeypatch.setattr(pipeline, "launch_for_runs", lambda home: "a server")
    monkeypatch.setattr(pipeline, "wait_for_runs", lambda home, server: f"{server}'s API")
    monkeypatch.setattr(pipeline, "number_of_next", lambda level, major: f"{major}.7")
    given = (
        tmp_path / "level3", open_feed(tmp_path / "shop"), AS_OF, read_config(CONFIG, PipelineConfig), "me", True, STEPS
    )  # fmt: skip
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert pipeline.play_at_prefect(*given).release.endswith(".7")
    monkeypatch.setenv("PREFECT_API_URL", "a named API")
    pipeline.play_at_prefect(*given)
    assert [api for _, api in seen] == ["a server's API", "a named API"]
    run = seen[0][0]
    assert (run.as_of, run.actor, run.judge_only, run.feed.last_day >= AS_OF) == (AS_OF, "me", True, True)


def test_a_verdict_is_written_down_after_its_release_is_registered_or_by_the_next_command(tmp_path: Path) -> None:
    row = Row(AS_OF, "gate", "passed", "all kept", "1.0", "digest")
    tagged: list[str] = []

    def tag(row: Row) -> None:
        tagged.append(row.hash)

    with recorded_after(tmp_path, row, tag):
        assert all_rows(tmp_path) == []
        note = pending_file(tmp_path).read_bytes()
    assert ([row.hash for row in all_rows(tmp_path)], pending_file(tmp_path).exists()) == (tagged, False)
    with pytest.raises(Locked), recorded_after(tmp_path, row, tag):
        raise Locked("another run has this number")
    assert not pending_file(tmp_path).exists()
    pending_file(tmp_path).write_bytes(note)  # a kill after the row, before the note went
    record_pending(tmp_path, {"1.0": "digest"}, tag)
    assert (len(all_rows(tmp_path)), tagged[0]) == (1, tagged[1])
    pending_file(tmp_path).write_bytes(note.replace(b"1.0", b"1.1").replace(b'"digest"', b'"of 1.1"'))
    record_pending(tmp_path, {"1.1": "of 1.1"}, tag)
    assert all_rows(tmp_path)[-1].reason == "all kept; written down by the next command, as the run was interrupted"
    pending_file(tmp_path).write_bytes(note.replace(b"1.0", b"1.2"))  # a kill before it was registered
    record_pending(tmp_path, {"1.1": "of 1.1"}, tag)
    assert (len(all_rows(tmp_path)), pending_file(tmp_path).exists()) == (2, False)


def test_servers_are_stopped_unless_another_levels_run_uses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SimpleNamespace(name="mlflow-level3", url="http://127.0.0.1:5003", is_running=lambda: True)
    prefect = SimpleNamespace(name="prefect", url="http://127.0.0.1:4200")
    monkeypatch.setattr(ops, "launch_prefect", lambda home: prefect)
    monkeypatch.setattr(ops, "launch_mlflow", lambda home, level: server)
    monkeypatch.setattr(ops, "wait_for", lambda home, name: prefect if name == "prefect" else server)
    monkeypatch.setattr(ops, "stop_server", lambda home, name: True)
    monkeypatch.setattr(ops, "recorded_server", lambda home, name: server)
    level = tmp_path / "level3"
    assert ops.start_servers(level)["  releases"] == "http://127.0.0.1:5003/#/models/recommender"
    assert ops.running_servers(level) == ["mlflow-level3"]
    assert ops.stop_servers(level) == ["prefect", "mlflow-level3"]
    (tmp_path / "level4").mkdir()
    with FileLock(tmp_path / "level4" / ".pipeline.lock"):
        assert ops.stop_servers(level) == ["mlflow-level3"]
    assert ops.stop_servers(level) == ["prefect", "mlflow-level3"]

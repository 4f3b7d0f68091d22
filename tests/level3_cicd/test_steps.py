"""The pipeline's steps, played as plain functions: no Prefect, no MLflow; records and registry are fakes in memory."""

import dataclasses
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from level3_cicd import pipeline, register
from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.ledger import Row, all_rows, append, verdicts_of_gate
from level3_cicd.pipeline import STEPS, Outcome, require_no_earlier_day
from level3_cicd.registered import Registered
from level3_cicd.run import Run
from level3_cicd.validate import refusal, refuse_bad_data
from shared.columns import AMOUNT
from shared.config import read_config
from shared.dataset.feed import open_feed
from shared.dataset.read_once import read_once
from shared.dataset.writing import write_feed
from shared.errors import CheckFailed, UsageError
from shared.release.manifest import digest_of, verify
from shared.steps import Results, Step, name_of, play
from tests.conftest import make_products, make_transactions
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
    return make_run(tmp_path, make_transactions(days=60))


def make_run(home: Path, rows: pd.DataFrame, **settings: Any) -> Run:
    write_feed(home / "shop", rows, make_products(), name="checkerboard")
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
    run = make_run(tmp_path, pd.concat([rows, rows[rows["time"] >= "2017-03-01"]]))
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

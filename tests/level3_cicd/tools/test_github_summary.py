"""What a run tells GitHub: its summary and outputs."""

import dataclasses
from datetime import date, timedelta
from pathlib import Path

import pytest

from level3_cicd.ledger import Row, append, verdicts_of_runs
from level3_cicd.tools.github_summary import tell, write_summary


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

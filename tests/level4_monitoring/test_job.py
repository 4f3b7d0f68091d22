"""The scheduled job: its summary, and that it fails while an alarm is open."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from level3_cicd.ledger import Row, append
from level4_monitoring import job
from level4_monitoring.job import run_job
from level4_monitoring.kept import Alarm, Kept
from shared.errors import CheckFailed
from tests.level4_monitoring.fakes import day, decided


@pytest.fixture
def level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger in which two days have been decided by the time that the ticks are over."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setattr(job, "tick_arrived", lambda level: [append(level, row) for row in ROWS])
    return tmp_path


ROWS = [decided("hold", 0, reason="no better | no worse"), decided("close", 1, release="1.1")]


def told(level: Path) -> str:
    return (level / "summary.md").read_text()


def test_the_summary_tells_days_decisions_and_reasons(level: Path) -> None:
    rows = run_job(level)
    assert [row.verdict for row in rows] == ["hold", "close"]
    assert f"| {day(0)} | hold | no better \\| no worse | none yet | {rows[0].hash[:8]} |" in told(level)
    assert f"| {day(1)} | close 1.1 | because | none yet |" in told(level)
    assert "No alarm is open." in told(level)


def test_an_open_alarm_fails_the_job_after_the_summary(level: Path) -> None:
    kept = Kept(day(2), alarms=(Alarm("errors", "many"),)).as_data()
    append(level, Row(day(2), "health", "hold", "many", numbers={"kept": kept}))
    with pytest.raises(CheckFailed, match=f"Open: errors since {day(2)}"):
        run_job(level)
    assert f"**Open: errors since {day(2)}.**" in told(level)


def test_where_no_ci_asks_nothing_is_written(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert len(run_job(level)) == 2
    assert not (level / "summary.md").exists()


def test_an_alarm_that_is_over_fails_no_job(level: Path) -> None:
    kept = Kept(day(0) - timedelta(days=30), alarms=(Alarm("errors", "many"),)).as_data()
    append(
        level, replace(decided("hold", 0), as_of=day(0) - timedelta(days=30), numbers={"kept": kept, "decision": {}})
    )
    assert len(run_job(level)) == 2

"""Level 2's one command on a small shop: whatever was trained is deployed, and bad data is only warned about."""

import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from level2_basic_automation import deploy, pipeline
from shared.dataset.writing import write_feed
from shared.errors import Locked, UsageError
from shared.release.pointer import require_pointer
from tests.conftest import FIRST_DAY, make_products, make_transactions

AS_OF = FIRST_DAY + timedelta(days=59)


@pytest.fixture
def level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A level whose shop sent its last day twice."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    rows = make_transactions(days=60)
    twice = pd.concat([rows, rows[rows["time"] >= pd.Timestamp(AS_OF)]])
    write_feed(tmp_path / "shop", twice, make_products(), name="checkerboard")
    return tmp_path / "level2"


def test_bad_data_is_warned_about_trained_on_and_live(level: Path) -> None:
    made = pipeline.run(level, AS_OF)
    assert made.warnings > 0
    assert require_pointer(level).release == made.release == "1.0"
    assert f"{AS_OF}: repeated rows" in (made.folder / "run.log").read_text()
    manifest = json.loads((made.folder / "bundle" / "manifest.json").read_text())
    assert (manifest["trained_through"], manifest["histories_through"]) == (str(AS_OF), str(AS_OF))
    assert json.loads((made.folder / "metrics.json").read_text()) == made.metrics
    assert made.metrics["ndcg_at_10"] > 0
    assert made.describe().startswith("Release 1.0 is trained and live: NDCG@10")
    assert made.next_command(None) == "ask c00"


def test_each_run_has_the_next_number_and_an_older_release_can_be_deployed_again(level: Path) -> None:
    assert [pipeline.run(level, AS_OF).release for _ in range(2)] == ["1.0", "1.1"]
    deploy.deploy(level, "1.0")
    assert require_pointer(level).release == "1.0"
    assert deploy.try_out(level, "1.1") == ""
    with pytest.raises(UsageError, match=r"have 1\.0, 1\.1"):
        deploy.try_out(level, "1.2")


def test_a_second_run_in_the_same_folder_is_told_to_wait(level: Path) -> None:
    level.mkdir()
    with FileLock(level / ".pipeline.lock"), pytest.raises(Locked, match="already running"):
        pipeline.run(level, AS_OF)


def test_a_plan_changes_nothing_and_another_model_is_refused(level: Path) -> None:
    assert pipeline.plan(AS_OF).startswith("Would train and deploy ")
    assert not level.exists()
    for refused in (lambda: pipeline.plan(AS_OF, "ranker"), lambda: pipeline.run(level, AS_OF, judge_only=True)):
        with pytest.raises(UsageError, match=r"what its config\.toml says"):
            refused()
    with pytest.raises(UsageError):
        pipeline.run(level, date(2019, 1, 1))

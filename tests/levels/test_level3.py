"""Level 3's story: commits are pushed, the workflow trains and deploys them, one command goes back."""

from datetime import date
from pathlib import Path

import pytest

from level3_cicd import deploy, ledger, story
from level3_cicd.registry import registered
from shared.errors import UsageError
from shared.live import require_pointer

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def level(new_home: story.Callable[[], Path]) -> Path:
    """Level 3 after its story, played once."""
    home = new_home()
    told: list[str] = []
    story.play(date(2017, 6, 4), "7", told.append)
    (home / "level3" / "told.txt").write_text("\n".join(told))
    return home / "level3"


def test_each_pushed_commit_became_the_live_release(level: Path) -> None:
    log = story.git(level / "scratch" / "origin.git", "log", "--format=%H", "-2", "main").splitlines()
    deployed = [row for row in ledger.read(level) if row.step == "deploy"]
    assert [row.revision for row in deployed] == [log[1], log[0]]
    assert [row.release for row in deployed] == ["1.0", "1.1"]


def test_the_pushed_change_is_what_was_trained(level: Path) -> None:
    from level3_cicd.tools import mlflow_client

    client = mlflow_client(level)
    versions = client.search_model_versions("name='recommender' and tags.release='1.0'")
    assert client.get_run(versions[0].run_id).data.params["half_life"] == "80.0"


def test_the_running_service_followed_each_switch_and_the_rollback(level: Path) -> None:
    told = (level / "told.txt").read_text().splitlines()
    assert [line[-4:-1] for line in told if line.startswith("Customer 7")] == ["1.0", "1.1", "1.0"]


def test_after_the_rollback_the_first_release_is_live(level: Path) -> None:
    assert require_pointer(level).release == "1.0"
    last = ledger.live_rows(level)[-1]
    assert (last.step, last.release, last.sequence) == ("rollback", "1.0", 3)


def test_the_gate_judged_each_release(level: Path) -> None:
    gates = [row for row in ledger.read(level) if row.step == "gate"]
    assert [(row.release, row.verdict) for row in gates] == [("1.0", "passed"), ("1.1", "passed")]
    assert "not worse than live" in gates[1].reason


def test_the_registry_knows_both_and_no_third(level: Path) -> None:
    assert list(registered(level)) == ["1.0", "1.1"]
    with pytest.raises(UsageError, match=r"1\.2 not found; have 1\.0, 1\.1"):
        deploy.deploy(level, "1.2", date(2017, 6, 11))

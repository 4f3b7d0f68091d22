"""Level 3's story: commits are pushed, the workflows test, train and deploy them, or refuse; one command goes back."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from level3_cicd import deploy, monitor
from level3_cicd.drift import COLUMNS
from level3_cicd.ledger import Row, live_on, read
from level3_cicd.tools import servers
from level3_cicd.tools.registry import registered
from shared.dataset.feed import open_feed
from shared.errors import UsageError
from shared.release.pointer import require_pointer
from shared.service.process import find, members_of
from stories import level3 as story
from stories.local_actions import WORKFLOWS, Scratch, git, push, run_workflow

pytestmark = pytest.mark.story
AS_OF = date(2017, 6, 4)
LAST_DAY = AS_OF + timedelta(days=14)


@pytest.fixture(scope="module")
def level(new_home: Callable[[], Path]) -> Path:
    """Level 3 after its story, played once."""
    home = new_home()
    told: list[str] = []
    story.play(AS_OF, "7", told.append)
    (home / "level3" / "told.txt").write_text("\n".join(told))
    return home / "level3"


@pytest.fixture(scope="module")
def rows(level: Path) -> list[Row]:
    return read(level)


def scratch(level: Path) -> Scratch:
    """The repositories that the story was played with."""
    return Scratch(*(level / "scratch" / name for name in ("origin.git", "work", "ci")))


def commits(level: Path) -> dict[str, str]:
    """The pushed commits by their message."""
    log = git(level / "scratch" / "origin.git", "log", "--format=%s|%H", "main")
    return dict(line.split("|") for line in log.splitlines())


def test_each_good_change_became_the_live_release(level: Path, rows: list[Row]) -> None:
    live = [row for row in rows if row.step == "deploy" and row.verdict == "live"]
    pushed = commits(level)
    assert [(row.release, row.revision) for row in live[:2]] == [
        ("1.0", pushed["Forget a little faster"]),
        ("1.1", pushed["Follow trends of three weeks"]),
    ]


def test_the_pushed_change_is_what_was_trained(level: Path) -> None:
    from level3_cicd.tools.mlflow_client import mlflow_client

    client = mlflow_client(level)
    versions = client.search_model_versions("name='recommender' and tags.release='1.0'")
    assert client.get_run(versions[0].run_id).data.params["half_life"] == "80.0"


def test_a_release_can_be_read_back_whole(level: Path, rows: list[Row]) -> None:
    from level3_cicd.tools.mlflow_client import mlflow_client

    client = mlflow_client(level)
    [version] = client.search_model_versions("name='recommender' and tags.release='1.1'")
    run = client.get_run(version.run_id)
    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    names = ("config", "data", "duration", "gate", "slices", "validation")
    kept = {name: json.loads((artifacts / f"{name}.json").read_text()) for name in names}
    [row] = [row for row in rows if (row.step, row.release) == ("gate", "1.1")]
    assert {"release", "data_digest", "revision", "trained_through", "lock", "bundle_digest"} <= set(version.tags)
    assert kept["data"] == {"first": "2017-01-01", "last": str(row.as_of), "digest": row.data_digest}
    assert kept["config"]["parameters"]["popular_days"] == 21
    assert (kept["validation"], kept["gate"]["passed"]) == ({"findings": []}, True)
    assert {"light", "heavy", "new", "GROCERY"} <= set(kept["slices"])
    assert set(kept["slices"]["heavy"]) == {"customers", "candidate", "live"}
    assert 0 < kept["duration"]["seconds"] < 600
    assert run.data.metrics["ndcg_at_10"] == row.numbers["metrics"]["ndcg_at_10"]
    assert "then brought up to date" in row.reason


def test_the_gate_refused_the_bad_change_and_kept_it_as_refused(level: Path, rows: list[Row]) -> None:
    [refused] = [row for row in rows if (row.step, row.verdict) == ("gate", "refused")]
    assert refused.revision == commits(level)["Recommend to all what is popular"]
    assert "not worse than live" in refused.reason
    assert registered(level)[refused.release].verdict == "refused"
    with pytest.raises(UsageError, match="The gate refused"):
        deploy.deploy(level, refused.release, AS_OF)


def test_staging_refused_the_release_that_answers_too_little(level: Path, rows: list[Row]) -> None:
    [refused] = [row for row in rows if (row.step, row.verdict) == ("deploy", "refused")]
    assert "fails its smoke test" in refused.reason
    assert "gets 3 products of 10" in refused.reason


def test_bad_data_stopped_the_run_before_training(rows: list[Row]) -> None:
    [refused] = [row for row in rows if row.step == "validate"]
    assert refused.release == ""
    assert any(finding["column"] == "amount" for finding in refused.numbers["findings"])


def test_a_switch_that_the_hanging_service_did_not_follow_was_undone(rows: list[Row]) -> None:
    [failed] = [row for row in rows if row.verdict == "failed"]
    after = rows[rows.index(failed) + 1]
    assert (failed.release, after.step, after.release, after.actor) == ("1.0", "rollback", "1.1", "operator")


def test_going_back_by_hand_is_the_last_chapter(level: Path, rows: list[Row]) -> None:
    assert require_pointer(level).release == "1.0"
    assert (rows[-1].step, rows[-1].release) == ("rollback", "1.0")


def test_customers_were_answered_by_what_was_live_in_each_chapter(level: Path) -> None:
    told = (level / "told.txt").read_text().splitlines()
    answered = [line.split("release ")[1][:3] for line in told if line.startswith("  live:")]
    assert answered == ["1.0", "1.1", "1.1", "1.1", "1.1", "1.1", "1.0"]


def test_one_query_says_what_was_live(level: Path) -> None:
    row = live_on(level, date(2017, 6, 12))
    assert row is not None
    assert row.release == "1.1"


def test_the_summary_is_a_table_to_decide_from(level: Path) -> None:
    logs = "".join(log.read_text() for log in (level / "ci").glob("*.log"))
    assert "## Release 1.1: passed by gate" in logs
    assert "| not worse than live 1.0 |" in logs


def test_the_champion_loads_with_mlflow_and_answers_as_the_service_does(level: Path) -> None:
    import mlflow
    import pandas as pd

    from level3_cicd.tools.mlflow_client import tracking_uri
    from level3_cicd.tools.registry import align_aliases
    from shared.service.follower import load

    align_aliases(level)
    mlflow.set_tracking_uri(tracking_uri(level))
    champion = mlflow.pyfunc.load_model("models:/recommender@champion")
    live = load(level, require_pointer(level)).bundle.model
    pd.testing.assert_frame_equal(
        champion.predict(pd.DataFrame({"customer_id": ["1", "7"]})), live.recommend(["1", "7"]), check_exact=True
    )


@pytest.fixture(scope="module")
def servers_up(level: Path) -> Iterator[dict[str, str]]:
    """The addresses that `mlops up` prints; afterwards `mlops down` must leave no process."""
    printed = mlops("up")
    started = [servers.recorded_server(level.parent, name) for name in ("prefect", "mlflow-level3")]
    service = find(level)
    yield {words[0]: words[1] for words in (line.split(":", 1) for line in printed.splitlines()) if len(words) == 2}
    assert mlops("down") == "Stopped: prefect, mlflow-level3, service.\n"
    assert service
    assert not service.is_running()
    for server in started:
        assert server
        assert not server.is_running()
        assert not members_of(server)


def mlops(*words: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "mlops", "--level", "3", *words]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_what_is_up_answers_at_the_addresses_that_are_printed(servers_up: dict[str, str]) -> None:
    paths = {"prefect": "/api/health", "mlflow-level3": "/version", "service": ""}
    for name, path in paths.items():
        with urllib.request.urlopen(servers_up[name].strip() + path, timeout=10) as answer:
            assert answer.status == 200


def test_prefect_shows_the_runs_by_the_names_that_mlflow_has_and_closes_what_a_kill_left_open(
    level: Path, servers_up: dict[str, str]
) -> None:
    from prefect import flow as make_flow
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings
    from prefect.states import Running

    from level3_cicd import flow
    from level3_cicd.tools.mlflow_client import identity_of, mlflow_client
    from level3_cicd.tools.registry import experiment_id

    api = f"{servers_up['prefect'].strip()}/api"
    with temporary_settings({PREFECT_API_URL: api}), get_client(sync_client=True) as client:
        left = client.create_flow_run(
            make_flow(lambda: None, name="recommender"), state=Running(), tags=[identity_of(level)]
        )
        flow.close_crashed(identity_of(level))
        runs = {run.name: run.state_name for run in client.read_flow_runs() if run.id != left.id}
        assert client.read_flow_run(left.id).state_name == "Crashed"
        artifacts = {artifact.key: str(artifact.data) for artifact in client.read_artifacts()}
    mlflow = mlflow_client(level)
    kept = mlflow.search_runs([experiment_id(mlflow)])
    assert {run.info.run_name for run in kept} == set(runs)
    assert runs["recommender 1.0 through 2017-06-04"] == "Completed"
    assert sorted(runs.values()) == ["Completed", "Completed", "Completed", "Failed", "Failed"]
    assert {"gate", "mlflow-run"} <= set(artifacts)
    assert "[Release 1." in artifacts["mlflow-run"]


def test_what_is_not_merged_is_judged_and_sees_nothing_of_production(level: Path, servers_up: dict[str, str]) -> None:
    before, rows = registered(level), read(level)
    payload = level / "pull_request.json"
    payload.write_text(json.dumps({"number": 7, "pull_request": {"head": {"ref": "idea"}, "base": {"ref": "main"}}}))
    words = ("pull_request", "--workflows", str(WORKFLOWS / "level3-pull-request.yml"), "--job", "judge")
    log = level / "ci" / "pull-request.log"
    assert run_workflow(scratch(level), LAST_DAY, log, (*words, "--eventpath", str(payload))) == 0
    assert "not compared with a live release" in log.read_text()
    assert "The gate would let it pass" in log.read_text()
    assert "passed by judge" in log.read_text()
    assert read(level) == rows
    assert registered(level) == before


def test_by_hand_the_workflow_deploys_the_version_that_was_typed(level: Path, servers_up: dict[str, str]) -> None:
    push(scratch(level), None, "Take both back")  # what would have failed in staging
    words = ("workflow_dispatch", "--workflows", str(WORKFLOWS / "level3-deploy.yml"), "--input", "version=1.1")
    log = level / "ci" / "by-hand.log"
    assert require_pointer(level).release == "1.0"
    assert run_workflow(scratch(level), LAST_DAY, log, words) == 0, log.read_text()[-2000:]
    assert require_pointer(level).release == "1.1"
    row = read(level)[-1]
    assert (row.step, row.verdict, row.release) == ("deploy", "live", "1.1")
    assert row.actor.startswith("level3-deploy, started by")
    assert "Level 3, release 1.1, recommends to customer 1" in log.read_text()


def test_the_report_shows_how_good_the_lists_were_beside_drift_and_quality(level: Path) -> None:
    seen = monitor.monitor(level, open_feed(level.parent / "shop"), AS_OF + timedelta(days=14))
    page = seen.report.read_text()
    assert {column.column: column.verdict for column in seen.drift} == dict.fromkeys(COLUMNS, "stable")
    assert 0.2 < seen.metrics["ndcg_at_10"] < 0.4
    for shown in (
        "NDCG@10",
        f"{seen.metrics['ndcg_at_10']:.3f}",
        "Drift by column",
        "Drift in column",
        "Dataset Summary",
    ):
        assert shown in page

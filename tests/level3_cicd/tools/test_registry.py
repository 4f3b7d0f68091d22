"""MLflow's registry: what is kept of a release, and what happens when it is tampered with, damaged or gone."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from comparison.incidents.cut_bundle import cut
from level3_cicd import deploy
from level3_cicd.evaluate import LiveSide, find_live
from level3_cicd.ledger import Row, append, read, verdicts_of_gate
from level3_cicd.pending_verdict import record_pending, recorded_after
from level3_cicd.rollout import store, switch
from level3_cicd.tools import registry, servers
from level3_cicd.tools.mlflow_client import identity_of, mlflow_client
from level3_cicd.tools.run_record import record_of_run
from shared.errors import DependencyDown, IntegrityError, Locked, UsageError
from shared.model.frecency import Frecency
from shared.model.holdout import hold_out
from shared.places import CHECKOUT
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import Verified, verify
from shared.release.pointer import Pointer, point_to, read_pointer, require_pointer
from shared.service.process import members_of
from shared.service.waiting import wait_until
from tests.conftest import make_products, make_transactions

pytestmark = pytest.mark.thorough
DAY = date(2017, 2, 9)


def train(level: Path, release: str, verdict: str = "passed") -> None:
    """Register a release as the pipeline does, without Prefect."""
    with record_of_run(level, f"recommender {release}", release, {"actor": "test"}) as evidence:
        folder = level / ".train.test" / "bundle"
        model = Frecency(half_life=80.0).fit(make_transactions())
        write_bundle(folder, model, make_products(), Evidence("data", "code", {"ndcg_at_10": 0.5}))
        evidence.keep_numbers(folder)
        registry.register(level, evidence.run_id, release, folder, verdict)
        shutil.rmtree(folder.parent)


def make_live(level: Path, release: str) -> Verified:
    folder, entry = registry.fetch(level, release)
    bundle = verify(folder, entry.bundle_digest)
    point_to(level, store.pointer_to(release, bundle))
    return bundle


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A level with two good releases, the first one live, and a refused one."""
    level = tmp_path_factory.mktemp("home") / "level3"
    for release, verdict in (("1.0", "passed"), ("1.1", "passed"), ("1.2", "refused")):
        train(level, release, verdict)
    make_live(level, "1.0")
    return level


def test_a_release_is_found_with_its_digest_verdict_and_settings(made: Path) -> None:
    releases = registry.registered(made)
    assert {release: entry.verdict for release, entry in releases.items()} == {
        "1.0": "passed",
        "1.1": "passed",
        "1.2": "refused",
    }
    client = mlflow_client(made)
    version = client.get_model_version(registry.NAME, releases["1.1"].version)
    run = client.get_run(version.run_id)
    assert version.tags["bundle_digest"] == releases["1.1"].bundle_digest
    assert {"data_digest", "revision", "trained_through", "lock"} <= set(version.tags)
    assert (run.data.params["half_life"], run.data.metrics["ndcg_at_10"]) == ("80.0", 0.5)


def test_the_candidate_is_what_passed_last_and_a_refused_release_cannot_be_deployed(made: Path) -> None:
    assert registry.candidate(made) == "1.1"
    with pytest.raises(UsageError, match=r"The gate refused release 1\.2"):
        deploy.deploy(made, "1.2", DAY)


def test_what_was_tried_out_in_staging_is_tried_again_only_by_other_code(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deploy.try_out(made, "1.1", DAY).startswith("in staging 21 golden customers answered")
    row, before = read(made)[-1], require_pointer(made)
    assert (before.release, deploy.tried_out(made, "1.1")) == ("1.0", row)
    tried: list[str] = []
    monkeypatch.setattr(deploy, "stage", lambda level, service, release, *_: tried.append(release) or read(level)[-1])
    try:
        assert deploy.deploy(made, "1.1", DAY).reason.startswith("verified; in staging 21 golden customers answered")
        assert tried == []
        champion = mlflow_client(made).get_model_version_by_alias(registry.NAME, "champion")
        assert champion.tags["release"] == "1.1"
        assert deploy.rollback(made, DAY).release == "1.0"
        append(made, Row(DAY, "deploy", "refused", "it failed since", release="1.1"))
        assert deploy.tried_out(made, "1.1") is None
        append(made, row)
        append(made, replace(row, bundle_digest="of a release that had this number before"))
        deploy.deploy(made, "1.1", DAY)
        assert tried == ["1.1"]
        append(made, row)
        monkeypatch.setattr(deploy, "this_code", lambda: {"code": "another"})
        assert deploy.tried_out(made, "1.1") is None
    finally:
        point_to(made, before)


@pytest.mark.parametrize("name", ["9.9", "../", "1.2/../../x", "1.2\0", "1" * 5000, "candidate "])
def test_no_other_name_reaches_the_disk(made: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"is not a release number|not found; have 1\.0, 1\.1"):
        deploy.deploy(made, name, DAY)


def test_an_empty_registry_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No release has passed the gate yet\.\n  To fix: Run `mlops pipeline run`"):
        registry.candidate(tmp_path / "level3")
    with pytest.raises(UsageError, match=r"Release 1\.2 not found; there is none yet"):
        deploy.deploy(tmp_path / "level3", "1.2", DAY)


def tamper(folder: Path) -> None:
    """Another model, with a manifest that matches it."""
    shutil.rmtree(folder)
    model = Frecency(popular_days=1).fit(make_transactions(days=30))
    write_bundle(folder, model, make_products(), Evidence("data", "code"))


def test_what_was_tampered_with_in_the_store_is_fetched_again(made: Path) -> None:
    folder, entry = registry.fetch(made, "1.1")
    tamper(folder)
    assert registry.fetch(made, "1.1") == (folder, entry)
    assert verify(folder).digest == entry.bundle_digest


def test_what_was_tampered_with_in_the_registry_is_never_deployed(made: Path) -> None:
    entry = registry.registered(made)["1.1"]
    artifacts = Path(entry.source.removeprefix("file://")) / registry.BUNDLE
    sound = artifacts.with_name("sound")
    shutil.copytree(artifacts, sound)
    shutil.rmtree(made / "bundles" / "1.1", ignore_errors=True)
    tamper(artifacts)
    before = read_pointer(made)
    try:
        with pytest.raises(IntegrityError, match="is not the bundle that was registered"):
            deploy.deploy(made, "1.1", DAY)
    finally:
        shutil.rmtree(artifacts)
        sound.rename(artifacts)
    assert read_pointer(made) == before
    row = read(made)[-1]
    assert (row.step, row.verdict, row.release) == ("deploy", "refused", "1.1")


def test_aliases_that_are_missing_or_behind_are_put_right(made: Path) -> None:
    client = mlflow_client(made)
    client.delete_registered_model_alias(registry.NAME, "champion")
    client.set_registered_model_alias(registry.NAME, "candidate", registry.registered(made)["1.2"].version)
    registry.align_aliases(made)
    found = {
        alias: client.get_model_version_by_alias(registry.NAME, alias).tags["release"]
        for alias in ("champion", "candidate")
    }
    assert found == {"champion": "1.0", "candidate": "1.1"}


def test_versions_of_others_are_left_alone(made: Path) -> None:
    client = mlflow_client(made)
    for tags in ({"release": "1.0"}, {"release": "experiment", "verdict": "passed", "bundle_digest": ""}, {}):
        client.create_model_version(registry.NAME, "file:///nowhere", tags=tags)
    assert [*registry.registered(made)] == ["1.0", "1.1", "1.2"]


def test_a_run_that_a_kill_left_open_is_closed_by_the_next_one(made: Path) -> None:
    client = mlflow_client(made)
    places = {"left here": identity_of(made), "of another folder": "elsewhere"}
    runs = {
        name: client.create_run(registry.experiment_id(client), tags={"place": place}).info.run_id
        for name, place in places.items()
    }
    with record_of_run(made, "next", "1.3", {}):
        pass
    status = {name: client.get_run(run).info.status for name, run in runs.items()}
    assert status == {"left here": "KILLED", "of another folder": "RUNNING"}
    assert client.get_run(runs["left here"]).data.tags["crashed"] == "true"


def test_of_two_runs_that_take_the_same_number_the_second_is_told(made: Path) -> None:
    before = registry.registered(made)
    with pytest.raises(Locked, match=r"Another run has registered release 1\.1 meanwhile"):
        train(made, "1.1")
    assert registry.registered(made) == before
    assert len(mlflow_client(made).search_model_versions("name='recommender' and tags.release='1.1'")) == 1
    shutil.rmtree(made / ".train.test", ignore_errors=True)


@pytest.mark.parametrize("killed", ["before it was registered", "before its row", "after its row"])
def test_a_verdict_whose_row_a_kill_prevented_is_written_down_once(made: Path, tmp_path: Path, killed: str) -> None:
    releases = {release: entry.bundle_digest for release, entry in registry.registered(made).items()}
    row = Row(DAY, "gate", "passed", "all kept", "1.1", releases["1.1"], numbers={"notes": ["seen"]})
    with pytest.raises(KeyboardInterrupt), recorded_after(tmp_path, row):
        raise KeyboardInterrupt
    if killed == "after its row":
        append(tmp_path, row)
    in_registry = {} if killed == "before it was registered" else releases
    for _ in range(2):
        record_pending(tmp_path, in_registry)
    written = read(tmp_path)
    assert [(row.release, row.numbers) for row in written] == [("1.1", {"notes": ["seen"]})] * len(in_registry and [1])
    assert all(("interrupted" in row.reason) == (killed == "before its row") for row in written)


def test_a_number_that_another_run_took_is_not_written_down(made: Path, tmp_path: Path) -> None:
    row = Row(DAY, "gate", "passed", "all kept", "1.1", registry.registered(made)["1.1"].bundle_digest)
    with pytest.raises(Locked), recorded_after(tmp_path, row):
        raise Locked("Another run has registered release 1.1 meanwhile.")
    record_pending(tmp_path, {"1.1": row.bundle_digest})
    assert read(tmp_path) == []


def test_where_no_folder_lasts_the_champion_is_what_is_live(made: Path, tmp_path: Path) -> None:
    registry.align_aliases(made)
    level = tmp_path / "level3"
    assert registry.champion(level) is None
    level.mkdir(exist_ok=True)
    shutil.copy(made / "mlflow.db", level / "mlflow.db")
    shutil.copytree(made / "artifacts", level / "artifacts")
    mlflow_client.cache_clear()
    pointer = registry.champion(level)
    assert pointer is not None
    assert pointer.release == require_pointer(made).release
    assert verify(level / pointer.bundle).digest == pointer.bundle_digest
    assert read_pointer(level) is None
    holdout = hold_out(make_transactions(days=60), date(2017, 3, 1))
    assert find_live(level, holdout).model is not None
    mlflow_client(level).delete_registered_model_alias(registry.NAME, "champion")
    assert find_live(level, holdout) == LiveSide()


def test_a_champion_whose_files_are_gone_cannot_be_compared_with_and_the_gate_is_told(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(level: Path) -> Pointer:
        raise DependencyDown("No such artifact")

    monkeypatch.setattr(registry, "champion", fail)
    holdout = hold_out(make_transactions(days=60), date(2017, 3, 1))
    assert find_live(tmp_path, holdout) == LiveSide("of unknown number", unreadable="No such artifact")
    (tmp_path / "live.json").write_text("{")
    registry.align_aliases(tmp_path)


@pytest.mark.parametrize("pointer", ["", "{"])
def test_a_live_release_that_is_damaged_is_fetched_again_to_be_compared_with(made: Path, pointer: str) -> None:
    sound = (made / "live.json").read_bytes()
    append(made, Row(DAY, "deploy", "live", "", "1.0", require_pointer(made).bundle_digest, sequence=1))
    cut(made / "bundles" / "1.0")
    try:
        (made / "live.json").write_text(pointer or sound.decode())
        side = find_live(made, hold_out(make_transactions(days=60), date(2017, 3, 1)))
    finally:
        (made / "live.json").write_bytes(sound)
    assert side.model is not None
    assert (side.release, side.unreadable) == ("1.0", "")
    verify(made / "bundles" / "1.0", require_pointer(made).bundle_digest)


def test_the_alias_of_what_is_live_is_not_given_to_another_release_of_that_number(made: Path) -> None:
    before = require_pointer(made)
    registry.align_aliases(made)
    try:
        point_to(made, replace(before, release="1.1", bundle_digest="another"))
        registry.align_aliases(made)
    finally:
        point_to(made, before)
    assert mlflow_client(made).get_model_version_by_alias(registry.NAME, "champion").tags["release"] == "1.0"


def test_of_many_bundles_the_live_one_and_the_one_before_are_kept(tmp_path: Path) -> None:
    for number in range(14):
        (tmp_path / "bundles" / f"1.{number}").mkdir(parents=True)
        os.utime(tmp_path / "bundles" / f"1.{number}", (number, number))
    for sequence, release in enumerate(["1.0", "1.1", "1.1"], start=1):
        append(tmp_path, Row(DAY, "deploy", "live", "", release, sequence=sequence))
    registry.forget_old_bundles(tmp_path)
    kept = {folder.name for folder in (tmp_path / "bundles").iterdir()}
    assert kept == {"1.0", "1.1", *(f"1.{number}" for number in range(4, 14))}


def test_what_is_to_be_deployed_may_not_know_of_later_days(made: Path) -> None:
    before, rows = require_pointer(made), read(made)
    for command in (deploy.deploy, deploy.try_out):
        with pytest.raises(UsageError, match=f"knows purchases through {DAY}"):
            command(made, "1.1", DAY - timedelta(days=1))
    assert (require_pointer(made), read(made)) == (before, rows)


def test_while_somebody_deploys_nobody_else_can(made: Path) -> None:
    with switch.locked(made), pytest.raises(Locked, match="A deployment is under way"):
        deploy.deploy(made, "1.1", DAY)


def test_a_deployment_writes_down_the_verdict_that_a_killed_run_did_not(made: Path) -> None:
    row = Row(DAY, "gate", "passed", "all kept", "1.1", registry.registered(made)["1.1"].bundle_digest)
    with pytest.raises(KeyboardInterrupt), recorded_after(made, row):
        raise KeyboardInterrupt
    with FileLock(made / ".pipeline.lock"):
        deploy.write_down_verdict(made)
    assert verdicts_of_gate(made) == [], "a run that is under way writes it down itself"
    deploy.write_down_verdict(made)
    assert [row.release for row in verdicts_of_gate(made)] == ["1.1"]


def test_a_run_that_fails_is_closed_as_failed(made: Path) -> None:
    with pytest.raises(ZeroDivisionError), record_of_run(made, "failing", "1.3", {}) as evidence:
        _ = 1 / 0
    assert mlflow_client(made).get_run(evidence.run_id).info.status == "FAILED"


def test_a_registry_that_is_down_or_damaged_is_a_dependency_that_is_down(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "mlflow.db").write_bytes(b"no database " * 1000)
    with pytest.raises(DependencyDown, match="does not answer"):
        registry.registered(tmp_path / "damaged")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLOPS_MLFLOW_URI", "http://127.0.0.1:9")
    elsewhere = tmp_path / "level3"
    shutil.copytree(made / "bundles", elsewhere / "bundles")
    point_to(elsewhere, store.pointer_to("1.0", verify(elsewhere / "bundles" / "1.0")))
    before = read_pointer(elsewhere)
    with pytest.raises(DependencyDown, match="does not answer"):
        deploy.deploy(elsewhere, "1.1", DAY)
    assert read_pointer(elsewhere) == before
    assert read(elsewhere)[-1].verdict == "unavailable"


def test_several_processes_may_be_the_first(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from level3_cicd.tools.registry import registered, experiment_id;"
        "from level3_cicd.tools.mlflow_client import mlflow_client;"
        "level = Path(sys.argv[1]); print(experiment_id(mlflow_client(level)), registered(level))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "level3")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    told = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told
    assert {out.strip() for out, _ in told} == {"1 {}"}


@pytest.fixture
def two_releases(made: Path, tmp_path: Path) -> Path:
    """A level whose store holds two releases, the older one live, and no registry."""
    level = tmp_path / "level3"
    for release in ("1.1", "1.0"):
        folder, entry = registry.fetch(made, release)
        shutil.copytree(folder, level / "bundles" / release)
        bundle = verify(level / "bundles" / release, entry.bundle_digest)
        switch.switch(level, bundle, store.pointer_to(release, bundle), DAY, "deploy", "test", "made")
    return level


# Like a full disk, but without filling one: no file may grow.
FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
"""
NO_TOOLS = """
import sys
for name in ("mlflow", "prefect", "evidently", "pandas", "sklearn"):
    sys.modules[name] = None
"""


def roll_back(level: Path, hindrance: str) -> subprocess.CompletedProcess[str]:
    """Type `mlops deploy rollback` in a process with a hindrance."""
    program = f"""{hindrance}
import sys
from mlops.root import main
sys.argv = ["mlops", "--level", "3", "deploy", "rollback", "--as-of", "{DAY}"]
main()
"""
    own = {"MLOPS_HOME": str(level.parent), "PATH": ""}
    return subprocess.run([sys.executable, "-c", program], env=own, capture_output=True, text=True, check=False)


def test_where_nothing_can_be_written_a_rollback_says_so_and_what_is_live_stays(two_releases: Path) -> None:
    before = require_pointer(two_releases)
    done = roll_back(two_releases, FULL_DISK)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert require_pointer(two_releases) == before


def test_going_back_is_possible_where_no_tool_can_be_imported(two_releases: Path) -> None:
    done = roll_back(two_releases, NO_TOOLS)
    assert (done.returncode, require_pointer(two_releases).release) == (0, "1.1"), done.stderr


def test_the_registered_model_answers_a_data_frame(made: Path) -> None:
    import mlflow

    from level3_cicd.tools.mlflow_client import tracking_uri

    mlflow.set_tracking_uri(tracking_uri(made))
    registry.align_aliases(made)
    champion = mlflow.pyfunc.load_model("models:/recommender@champion")
    lists = champion.predict(pd.DataFrame({"customer_id": ["c00", "c01"]}), params={"k": 3})
    assert lists.groupby("customer_id").size().to_dict() == {"c00": 3, "c01": 3}


@pytest.mark.parametrize(
    ("target", "release", "day"),
    [
        ("level3-stage", '1.2"; touch harm; "', ""),
        ("level3-stage", "$(touch harm) $(shell touch harm)", ""),
        ("level3-train", "", '2017-06-04"; touch harm; "'),
    ],
)
def test_whoever_starts_a_workflow_cannot_make_it_run_a_command(
    tmp_path: Path, target: str, release: str, day: str
) -> None:
    given = {"PATH": os.environ["PATH"], "MLOPS_HOME": str(tmp_path), "RELEASE": release, "ASKED_DAY": day}
    words = ["make", "--silent", "--assume-old=setup", f"VENV={sys.prefix}", target]
    done = subprocess.run(words, cwd=CHECKOUT, env=given, capture_output=True, text=True)
    assert "is not a release number" in done.stderr or "does not match the format" in done.stderr
    assert not (CHECKOUT / "harm").exists()


def test_a_server_is_stopped_with_all_its_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's server is a process that starts another one; that must not live on without it."""
    child = "[sys.executable, '-c', 'import time; time.sleep(60)', *sys.argv[1:]]"
    (tmp_path / "leader.py").write_text(f"import subprocess, sys; subprocess.run({child})")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = servers.launch(tmp_path, "test", 8125, "/", ["leader", "--port", "8125"], {"PYTHONPATH": str(tmp_path)})
    assert wait_until(lambda: len(members_of(server)) == 2, 10)
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: not server.is_running(), 5)
    assert len(members_of(server)) == 1
    assert not members_of(replace(server, port=8126)), "another one's group, by a number that was used again"
    assert servers.stop_server(tmp_path, "test")
    assert not members_of(server)

"""Switching, going back and repairing at level 3, with bundles that lie in the level's own store."""

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest

from comparison.incidents.cut_bundle import cut
from level3_cicd import deploy
from level3_cicd.ledger import Row, append, live_rows, read
from level3_cicd.rollout import repair, smoke, staging, store, switch, takeover
from shared.errors import CheckFailed, DependencyDown, IntegrityError, Locked, MlopsError, RolledBack, UsageError
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, open_bundle, write_bundle
from shared.release.pointer import Pointer, is_deliberately_empty, point_to, read_good, read_pointer, require_pointer
from shared.service import waiting
from shared.service.answers import Answers
from shared.service.process import Process, start, stop
from tests.conftest import make_products, make_transactions

DAY = date(2017, 2, 9)


def switch_to(level: Path, release: str) -> None:
    bundle = open_bundle(level / "bundles" / release)
    switch.switch(level, bundle, store.pointer_to(release, bundle), DAY, "deploy", "test", "tried")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch, "SECONDS_TO_GO_BACK", 0.01)
    monkeypatch.setattr(waiting, "SECONDS_BETWEEN_LOOKS", 0.01)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "bundle"
    write_bundle(folder, Frecency().fit(make_transactions()), make_products(), Evidence("data", "code"))
    return folder


@pytest.fixture
def level(tmp_path: Path, bundle: Path) -> Path:
    level = tmp_path / "level3"
    for release in ("1.0", "1.1"):
        shutil.copytree(bundle, level / "bundles" / release)
    switch_to(level, "1.0")
    return level


def test_going_back_returns_to_the_release_before(level: Path) -> None:
    switch_to(level, "1.1")
    assert deploy.rollback(level, DAY).release == "1.0"
    assert [row.step for row in live_rows(level)] == ["deploy", "deploy", "rollback"]


def test_a_second_rollback_goes_further_back_until_there_is_nothing(level: Path) -> None:
    shutil.copytree(level / "bundles" / "1.1", level / "bundles" / "1.2")
    for release in ("1.1", "1.2"):
        switch_to(level, release)
    assert [deploy.rollback(level, DAY).release for _ in range(2)] == ["1.1", "1.0"]
    with pytest.raises(UsageError, match=r"no release before 1\.0 to go back to"):
        deploy.rollback(level, DAY)
    switch_to(level, "1.2")
    assert deploy.rollback(level, DAY).release == "1.0"


def test_two_cannot_switch_at_once(level: Path) -> None:
    switch_to(level, "1.1")
    with switch.locked(level), pytest.raises(Locked, match="A deployment is under way"):
        deploy.rollback(level, DAY)
    assert require_pointer(level).release == "1.1"


def test_what_was_live_on_a_day_that_has_passed_cannot_be_changed(level: Path) -> None:
    switch_to(level, "1.1")
    with pytest.raises(UsageError, match=f"Pass --as-of {DAY} or a later day"):
        deploy.rollback(level, DAY - timedelta(days=1))
    assert require_pointer(level).release == "1.1"


def test_deploying_what_is_live_changes_nothing(level: Path) -> None:
    before = require_pointer(level)
    switch_to(level, "1.0")
    assert require_pointer(level) == before
    assert len(live_rows(level)) == 1


def test_a_damaged_release_is_never_gone_back_to(level: Path) -> None:
    switch_to(level, "1.1")
    cut(level / "bundles" / "1.0")
    with pytest.raises(IntegrityError, match=r"`mlops deploy model --version 1\.0` fetches it"):
        deploy.rollback(level, DAY)
    row = read(level)[-1]
    assert (row.step, row.verdict, row.release) == ("rollback", "refused", "1.0")
    assert require_pointer(level).release == "1.1"


def test_a_switch_whose_row_a_kill_prevented_is_written_down_by_the_next_command(level: Path) -> None:
    point_to(level, Pointer("1.1", "bundles/1.1", open_bundle(level / "bundles" / "1.1").digest))
    assert deploy.rollback(level, DAY).release == "1.0"
    assert [(row.release, row.actor) for row in live_rows(level)] == [
        ("1.0", "test"),
        ("1.1", "repair"),
        ("1.0", "operator"),
    ]


@pytest.fixture
def interrupted(level: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """1.1 was live; a rollback to 1.0 was killed when the pointer was replaced and nothing written down."""
    switch_to(level, "1.1")
    monkeypatch.setattr(switch, "append", kill)
    monkeypatch.setattr(switch, "undo", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        deploy.rollback(level, DAY, actor="who was killed")
    monkeypatch.undo()
    return level


def kill(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_rollback_that_is_typed_again_goes_back_once(interrupted: Path) -> None:
    assert deploy.rollback(interrupted, DAY + timedelta(days=30)).release == "1.0"
    assert require_pointer(interrupted).release == "1.0"
    row = live_rows(interrupted)[-1]
    assert (row.step, row.release, row.as_of, row.actor) == ("rollback", "1.0", DAY, "who was killed")
    assert (row.data_digest, row.revision) == ("data", "code")
    assert "interrupted" in row.reason
    assert not switch.intent_file(interrupted).exists()
    with pytest.raises(UsageError, match="no release before"):
        deploy.rollback(interrupted, DAY)


def test_a_rollback_that_was_killed_when_all_was_written_down_is_not_made_again(level: Path) -> None:
    switch_to(level, "1.1")
    deploy.rollback(level, DAY)
    row, pointer = live_rows(level)[-1], require_pointer(level)
    left = switch.Intent(
        pointer.release, pointer.bundle_digest, pointer.sequence, str(DAY), "rollback", "operator", "asked for"
    )
    switch.intend(level, left)
    assert deploy.rollback(level, DAY) == row
    assert require_pointer(level) == pointer


def test_what_was_switched_and_never_asked_is_asked_when_the_command_is_typed_again(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch, "running_service", lambda folder: Process(0, 1))
    monkeypatch.setattr(switch, "SECONDS_WITHOUT_PROGRESS", 0.01)
    for _ in range(3):
        with pytest.raises(CheckFailed, match=r"did not take over 1\.0"):
            deploy.rollback(interrupted, DAY)
        assert require_pointer(interrupted).release == "1.0"
    with pytest.raises(CheckFailed, match=r"did not take over 1\.0"):
        switch_to(interrupted, "1.0")


@pytest.mark.parametrize("damage", [lambda file: file.write_text("{"), lambda file: file.unlink()])
def test_a_pointer_that_is_damaged_or_gone_is_mended_from_the_ledger(
    level: Path, damage: Callable[[Path], object]
) -> None:
    switch_to(level, "1.1")
    before = require_pointer(level)
    damage(level / "live.json")
    repair.repair(level, DAY)
    assert require_pointer(level) == before
    damage(level / "live.json")
    assert deploy.rollback(level, DAY).release == "1.0"


def test_a_damaged_pointer_where_nothing_was_ever_live_is_removed(tmp_path: Path) -> None:
    (tmp_path / "live.json").write_text("{")
    repair.repair(tmp_path, DAY)
    assert read_pointer(tmp_path) is None


def test_a_try_out_counts_no_more_once_the_release_has_failed_on_the_live_service(
    level: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = Row(DAY, "stage", "passed", "in staging", release="1.1", numbers=deploy.this_code())
    append(level, passed)
    assert deploy.tried_out(level, "1.1") == passed
    monkeypatch.setattr(switch, "running_service", lambda folder: Process(0, 1))
    monkeypatch.setattr(switch, "SECONDS_WITHOUT_PROGRESS", 0.01)
    with pytest.raises(RolledBack):
        switch_to(level, "1.1")
    assert deploy.tried_out(level, "1.1") is None


def test_a_service_follows_only_if_it_answers_with_the_very_bundle() -> None:
    class Stale(Process):
        def get(self, path: str, seconds: float = 10) -> dict:
            return {"sequence": 1, "bundle_digest": "of a first release that failed"}

    assert not takeover.follows(Stale(0, 0), Pointer("1.1", "bundles/1.1", "another", sequence=1))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MlopsError("the disk is full"), IntegrityError("damaged")])
def test_whatever_goes_wrong_what_is_live_stays_live(
    level: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    before = require_pointer(level)
    monkeypatch.setattr(switch, "append", fail)
    with pytest.raises(type(error)):
        switch_to(level, "1.1")
    monkeypatch.undo()
    assert require_pointer(level).bundle_digest == before.bundle_digest
    repair.repair_ledger(level, DAY)
    assert [row.release for row in live_rows(level)] == ["1.0"]
    switch_to(level, "1.1")
    assert [row.release for row in live_rows(level)] == ["1.0", "1.1"]


def test_a_switch_is_undone_also_if_the_release_before_is_damaged_by_now(
    level: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(level / "bundles" / "1.0")
    monkeypatch.setattr(switch, "running_service", lambda folder: Process(0, 1))
    monkeypatch.setattr(switch, "SECONDS_WITHOUT_PROGRESS", 0.01)
    with pytest.raises(RolledBack, match=r"1\.0 is live again"):
        switch_to(level, "1.1")
    assert require_pointer(level).release == "1.0"
    assert [row.verdict for row in read(level)] == ["live", "failed", "live"]


def test_what_the_service_does_not_take_over_is_rolled_back(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(Process):
        def get(self, path: str, seconds: float = 10) -> dict:
            return {"sequence": 1}

    monkeypatch.setattr(switch, "running_service", lambda folder: Deaf(0, 0))
    monkeypatch.setattr(switch, "SECONDS_WITHOUT_PROGRESS", 0.3)
    with pytest.raises(RolledBack, match=r"did not take over 1\.1: .* 1\.0 is live again"):
        switch_to(level, "1.1")
    pointer = read_pointer(level)
    assert pointer is not None
    assert (pointer.release, live_rows(level)[-1].release) == ("1.0", "1.0")
    assert [row.verdict for row in read(level)] == ["live", "failed", "live"]


def test_going_back_does_not_wait_for_a_service_that_answers_nothing(
    level: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked_after: list[str] = []

    class Hung(Process):
        def get(self, path: str, seconds: float = 10) -> dict:
            if require_pointer(level).release == "1.0":
                asked_after.append(path)
            raise DependencyDown("no answer")

    monkeypatch.setattr(switch, "running_service", lambda folder: Hung(0, 0))
    monkeypatch.setattr(switch, "SECONDS_WITHOUT_PROGRESS", 0.05)
    with pytest.raises(RolledBack):
        switch_to(level, "1.1")
    assert asked_after == ["/healthz"]
    assert "once it does, it goes back to 1.0" in caplog.text


@dataclass(frozen=True, kw_only=True)
class Recorded(Process):
    """A service that answers what the test says."""

    histories_digest: str
    answers: ClassVar[Callable[[str, int], dict]]

    def get(self, path: str, seconds: float = 10) -> dict:
        return {"histories_digest": self.histories_digest}

    def recommend(self, customer: str, k: int = 5) -> dict:
        return type(self).answers(customer, k)


@pytest.mark.thorough
def test_a_release_that_answers_as_when_it_was_made_passes_in_staging(level: Path) -> None:
    bundle = open_bundle(level / "bundles" / "1.1")
    pointer = store.pointer_to("1.1", bundle)
    with staging.staging(level) as service:
        assert smoke.smoke_test(service.take(pointer), pointer, bundle).startswith("21 golden customers")
    assert not (level / "staging" / "service.json").exists()
    assert require_pointer(level).release == "1.0"


@pytest.mark.thorough
def test_a_release_that_does_not_come_up_in_staging_fails(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "SECONDS_WITHOUT_PROGRESS", 6.0)
    cut(level / "bundles" / "1.1")
    with staging.staging(level) as service, pytest.raises(CheckFailed, match=r"1\.1 does not come up in staging"):
        service.take(Pointer("1.1", "bundles/1.1", ""))


@pytest.mark.parametrize("fault", ["short", "repeated", "another release", "nameless", "other products", "slow"])
def test_what_breaks_the_contract_fails_the_smoke_test(
    level: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    bundle = open_bundle(level / "bundles" / "1.1")

    def answer(customer: str, k: int) -> dict:
        given = json.loads(Answers("1.1", bundle).one(customer, k).body)
        items = given["recommendations"]
        if fault == "short":
            del items[3:]
        if fault == "repeated":
            items[1] = items[0]
        if fault == "nameless":
            del items[0]["name"]
        if fault == "other products":
            items[0]["product"] = "p-other"
        return given | ({"release": "1.0"} if fault == "another release" else {})

    Recorded.answers = answer
    if fault == "slow":
        monkeypatch.setattr(smoke, "MOST_MILLISECONDS", 0.0)
    with pytest.raises(CheckFailed, match=r"1\.1 fails its smoke test"):
        smoke.smoke_test(
            Recorded(0, 0, histories_digest=bundle.histories_digest), store.pointer_to("1.1", bundle), bundle
        )


def test_a_live_service_that_follows_and_answers_wrongly_is_rolled_back(
    level: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Follows(Recorded):
        def get(self, path: str, seconds: float = 10) -> dict:
            now = require_pointer(level)
            return {"sequence": now.sequence, "release": now.release, "bundle_digest": now.bundle_digest}

    def answer(customer: str, k: int) -> dict:
        return {"customer": customer, "release": require_pointer(level).release, "recommendations": []}

    Follows.answers = answer
    monkeypatch.setattr(switch, "running_service", lambda folder: Follows(0, 0, histories_digest=""))
    with pytest.raises(RolledBack, match=r"gets 0 products of 10.*1\.0 is live again"):
        switch_to(level, "1.1")
    assert [good.release for good in read_good(level)] == ["1.0"], "what failed is no release to start from"


def test_a_note_of_another_switch_is_not_taken_for_this_one(level: Path) -> None:
    digest = open_bundle(level / "bundles" / "1.1").digest
    switch.intend(level, switch.Intent("1.0", digest, 2, str(DAY), "rollback", "who fled", "of another switch"))
    point_to(level, Pointer("1.1", "bundles/1.1", digest))
    repair.repair(level, DAY)
    row = live_rows(level)[-1]
    assert (row.release, row.step, row.actor) == ("1.1", "deploy", "repair")


def test_with_later_histories_only_the_number_of_products_can_be_compared(level: Path) -> None:
    bundle = open_bundle(level / "bundles" / "1.1")
    given = {customer: json.loads(Answers("1.1", bundle).one(customer, 10).body) for customer in bundle.golden}
    given["c00"]["recommendations"][0]["product"] = "bought since"
    Recorded.answers = lambda customer, k: given[customer]
    found = smoke.smoke_test(Recorded(0, 0, histories_digest="of a later day"), store.pointer_to("1.1", bundle), bundle)
    assert found.startswith("21 golden customers")


def test_a_first_release_that_fails_leaves_nothing_live(
    tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bundle(tmp_path / "bundles" / "1.0", Frecency().fit(transactions), products, Evidence("data", "code"))
    monkeypatch.setattr(switch, "running_service", lambda folder: Process(0, 1))
    monkeypatch.setattr(switch, "SECONDS_WITHOUT_PROGRESS", 0.01)
    with pytest.raises(RolledBack, match="nothing is live"):
        switch_to(tmp_path, "1.0")
    assert read_pointer(tmp_path) is None
    assert is_deliberately_empty(tmp_path), "or a running service would go on answering with it"
    assert read_good(tmp_path) == []
    repair.repair(tmp_path, DAY)
    assert is_deliberately_empty(tmp_path)
    monkeypatch.undo()
    switch_to(tmp_path, "1.0")
    assert require_pointer(tmp_path).sequence == 1


@pytest.mark.story
def test_twenty_switches_and_rollbacks_under_load_lose_no_request(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(level.parent))
    service = start(level, "level3_cicd.serve", 8003)
    stopped = threading.Event()
    failures, asked = [], []

    def keep_asking() -> None:
        while not stopped.is_set():
            try:
                asked.append(service.recommend("c00")["release"])
            except MlopsError as error:
                failures.append(str(error))

    client = threading.Thread(target=keep_asking)
    client.start()
    try:
        for _ in range(10):
            switch_to(level, "1.1")
            assert deploy.rollback(level, DAY).release == "1.0"
    finally:
        stopped.set()
        client.join()
        stop(level)
    assert failures == []
    assert {"1.0", "1.1"} == set(asked)


def test_a_service_that_loads_for_long_is_waited_for_and_one_that_stands_still_is_not(
    level: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Process):
        looks: ClassVar[int] = 0

        def get(self, path: str, seconds: float = 10) -> dict:
            now = require_pointer(level)
            loaded = type(self).looks >= 8
            if path == "/healthz":
                type(self).looks += 1
                return {"loading": "" if loaded else now.release, "step": "opening", "worked": type(self).looks}
            if loaded or now.release == "1.0":
                return {"sequence": now.sequence, "release": now.release, "bundle_digest": now.bundle_digest}
            return {"sequence": 0, "release": "1.0", "bundle_digest": ""}

    monkeypatch.setattr(switch, "running_service", lambda folder: Slow(0, 0))
    monkeypatch.setattr(switch, "smoke_test", lambda *_: "")
    monkeypatch.setattr(switch, "SECONDS_WITHOUT_PROGRESS", 0.25)
    switch_to(level, "1.1")
    assert require_pointer(level).release == "1.1"
    assert Slow.looks >= 8, "it was asked for longer than it may stand still"


def test_a_switch_that_failed_says_what_the_service_says(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refuses(Process):
        def get(self, path: str, seconds: float = 10) -> dict:
            return {"error": "histories.npz is damaged", "loading": ""} if path == "/healthz" else {"sequence": 1}

    monkeypatch.setattr(switch, "running_service", lambda folder: Refuses(0, 0))
    monkeypatch.setattr(switch, "SECONDS_WITHOUT_PROGRESS", 0.3)
    with pytest.raises(RolledBack, match=r"It says: histories\.npz is damaged"):
        switch_to(level, "1.1")

"""Switching, going back and repairing at level 3, with bundles that lie in the level's own store."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from comparison.incidents import truncate
from level3_cicd import deploy
from level3_cicd.ledger import live_rows, read
from shared.bundle import Evidence, open_bundle, write_bundle
from shared.errors import IntegrityError, RolledBack
from shared.live import Pointer, point_to, read_pointer, require_pointer
from shared.model import Frecency
from shared.running import Running

DAY = date(2017, 2, 9)


def switch_to(level: Path, release: str) -> None:
    bundle = open_bundle(level / "bundles" / release)
    deploy.switch(level, bundle, Pointer(release, f"bundles/{release}", bundle.digest), DAY, "deploy", "test")


@pytest.fixture
def level(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> Path:
    for release in ("1.0", "1.1"):
        folder = tmp_path / "bundles" / release
        write_bundle(folder, Frecency().fit(transactions), products, Evidence(release, "data", "code"))
    switch_to(tmp_path, "1.0")
    return tmp_path


def test_going_back_returns_to_the_release_before(level: Path) -> None:
    switch_to(level, "1.1")
    assert deploy.rollback(level, DAY).release == "1.0"
    assert deploy.rollback(level, DAY).release == "1.1"
    assert [row.step for row in live_rows(level)] == ["deploy", "deploy", "rollback", "rollback"]


def test_deploying_what_is_live_changes_nothing(level: Path) -> None:
    before = require_pointer(level)
    switch_to(level, "1.0")
    assert require_pointer(level) == before
    assert len(live_rows(level)) == 1


def test_a_damaged_release_is_never_gone_back_to(level: Path) -> None:
    switch_to(level, "1.1")
    truncate(level / "bundles" / "1.0")
    with pytest.raises(IntegrityError):
        deploy.rollback(level, DAY)
    assert require_pointer(level).release == "1.1"


def test_a_switch_whose_row_a_kill_prevented_is_written_down_by_the_next_command(level: Path) -> None:
    point_to(level, Pointer("1.1", "bundles/1.1", open_bundle(level / "bundles" / "1.1").digest))
    assert deploy.rollback(level, DAY).release == "1.0"
    assert [(row.release, row.actor) for row in live_rows(level)] == [
        ("1.0", "test"),
        ("1.1", "repair"),
        ("1.0", "operator"),
    ]


def test_what_the_service_does_not_take_over_is_rolled_back(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(Running):
        def get(self, path: str, seconds: float = 10) -> dict:
            return {"sequence": 1}

    monkeypatch.setattr(deploy, "find", lambda folder: Deaf(0, 0))
    monkeypatch.setattr(deploy, "SECONDS_TO_GO_LIVE", 0.3)
    with pytest.raises(RolledBack, match=r"did not take over 1\.1; 1\.0 is live"):
        switch_to(level, "1.1")
    pointer = read_pointer(level)
    assert pointer is not None
    assert (pointer.release, live_rows(level)[-1].release) == ("1.0", "1.0")
    assert [row.verdict for row in read(level)] == ["live", "failed", "live"]

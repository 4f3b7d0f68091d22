"""The season's services: each answer is by the release that is live at that moment, until the service is deaf."""

import os
import signal
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from comparison.teams import serving
from comparison.teams.serving import app_of
from level4_monitoring.predictions import read_log
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to
from tests.conftest import FIRST_DAY, make_products, make_transactions, write_checkerboard


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    write_checkerboard(tmp_path / "shop")
    before = signal.getsignal(serving.DEAF)
    yield tmp_path
    signal.signal(serving.DEAF, before)


def deploy(level: Path, release: str) -> None:
    model = Frecency().fit(make_transactions())
    digest = write_bundle(level / "bundles" / release, model, make_products(), Evidence("data", "code"))
    point_to(level, Pointer(release, f"bundles/{release}", digest))


@pytest.mark.parametrize("level", [2, 3, 4])
def test_each_answer_is_by_the_release_that_is_live_then_until_the_service_is_deaf(home: Path, level: int) -> None:
    folder = home / f"level{level}"
    with TestClient(app_of(level)) as client:
        assert client.get("/readyz").status_code == 503
        for release in ("1.0", "1.1"):
            deploy(folder, release)
            assert client.get("/version").json()["release"] == release
        os.kill(os.getpid(), serving.DEAF)
        deploy(folder, "1.2")
        assert client.get("/recommendations/c00").json()["release"] == "1.1"


def test_level_4s_clock_is_the_day_on_which_the_shop_is_open(home: Path) -> None:
    deploy(home / "level4", "1.0")
    with TestClient(app_of(4)) as client:
        client.get("/recommendations/c00")
    open_day: date = FIRST_DAY + timedelta(days=40)
    [served] = read_log(home / "level4", open_day).served
    assert served.at.time().isoformat() == "00:00:00"


def test_the_level_that_is_named_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(serving, "run_forever", lambda make, port: made.append(make().title))
    monkeypatch.setattr("sys.argv", ["serving", "--port", "1", "--level", "2"])
    serving.main()
    assert made == ["Recommender, level 2"]

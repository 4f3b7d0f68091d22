"""`/metrics`: what Prometheus' own parser reads of it, in the units that its conventions want."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from level3_cicd.ledger import append
from level4_monitoring.kept import Alarm
from level4_monitoring.serve import app, each
from shared.dataset.clock import open_day
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to, require_pointer
from shared.service.token import token_of
from tests.conftest import FIRST_DAY, make_products, make_transactions, write_checkerboard
from tests.level4_monitoring.fakes import decided

TRAINED = FIRST_DAY + timedelta(days=36)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    write_checkerboard(tmp_path / "shop")
    return tmp_path


def deploy(home: Path, release: str = "1.0") -> None:
    model = Frecency().fit(make_transactions(), as_of=TRAINED)
    digest = write_bundle(home / "level4" / release, model, make_products(), Evidence("data", "code"))
    point_to(home / "level4", Pointer(release, release, digest))


def scraped(client: TestClient) -> dict[tuple[str, ...], float]:
    """The samples, by name and values of labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.fixture
def client(home: Path) -> Any:
    with TestClient(app(lambda: open_day(home / "shop")), raise_server_exceptions=False) as made:
        yield made


def test_before_the_first_release_there_are_counts_and_no_ages(client: TestClient) -> None:
    assert client.get("/recommendations/c00").status_code == 503
    found = scraped(client)
    assert found["mlops_requests_total", "5xx"] == 1
    assert found["mlops_requests_total", "2xx"] == 0
    assert found["mlops_open_alarms",] == 0
    assert not any("age" in name[0] or "release" in name[0] for name in found)


def test_answers_and_ages_are_told_in_seconds(home: Path, client: TestClient) -> None:
    deploy(home)
    client.app.state.source.follow()  # type: ignore[attr-defined]
    client.post("/recommendations", json={"customers": ["c00", "c01"], "k": 3})
    client.get("/recommendations/c00", headers={"X-Asked-By": "operator"})
    found = scraped(client)
    assert found["mlops_answers_total",] == 2
    assert found["mlops_requests_total", "2xx"] == 2
    assert found["mlops_request_duration_seconds_count",] == 2
    assert found["mlops_release_info", "1.0"] == 1
    assert found["mlops_parameters_age_seconds",] == found["mlops_histories_age_seconds",] == 3 * 86_400
    assert (found["mlops_empty_answers_total",], found["mlops_fallback_answers_total",]) == (0, 0)


def test_answers_by_another_release_than_the_one_to_be_live_are_fallbacks(home: Path, client: TestClient) -> None:
    deploy(home)
    client.app.state.source.follow()  # type: ignore[attr-defined]
    deploy(home, "1.1")
    (home / "level4" / "1.1" / "parameters.npz").write_bytes(b"damaged")
    client.app.state.source.follow()  # type: ignore[attr-defined]
    client.get("/recommendations/c00")
    assert scraped(client)["mlops_fallback_answers_total",] == 1


def test_the_last_tick_and_its_open_alarms_are_told(home: Path, client: TestClient) -> None:
    append(home / "level4", decided("hold", -20, (Alarm("drift", "far"), Alarm("quality", "worse"))))
    found = scraped(client)
    assert found["mlops_open_alarms",] == 2
    assert found["mlops_last_tick_age_seconds",] == 0  # that tick's day is the one on which the shop is open


def test_purchases_are_counted(home: Path, client: TestClient) -> None:
    rows = [
        {"customer": "c00", "basket": "b", "product": "p00", "time": f"{open_day(home / 'shop')}T09:00:00"},
        {"customer": "c00"},
    ]
    client.post("/purchases", json={"rows": rows}, headers={"Authorization": f"Bearer {token_of(home / 'level4')}"})
    found = scraped(client)
    assert (found["mlops_purchase_rows_taken_total",], found["mlops_purchase_rows_refused_total",]) == (1, 1)
    assert found["mlops_hits_total",] == 0


def test_a_shop_that_cannot_be_read_leaves_its_metrics_out(home: Path, client: TestClient) -> None:
    (home / "shop" / "shop.json").write_text("{")
    assert ("mlops_answers_total",) in scraped(client)


def test_no_label_is_a_customer_or_a_product(home: Path, client: TestClient) -> None:
    deploy(home)
    client.app.state.source.follow()  # type: ignore[attr-defined]
    client.get("/recommendations/c07")
    text = client.get("/metrics").text
    assert "c07" not in text
    assert "p0" not in text


def test_each_listener_is_told_though_one_fails() -> None:
    told: list[str] = []

    def fails(*given: Any) -> None:
        told.append("fails")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        each(lambda *given: told.append("one"), fails, lambda *given: told.append("three"))(None, None, {})  # type: ignore[arg-type]
    assert told == ["one", "fails", "three"]


def test_a_scrape_while_a_release_is_switched_tells_one_release_and_its_ages(home: Path, client: TestClient) -> None:
    source, stopped = client.app.state.source, threading.Event()  # type: ignore[attr-defined]
    for release in ("1.0", "1.1"):
        deploy(home, release)
        source.follow()
    pointers = [Pointer(release, release, require_pointer(home / "level4").bundle_digest) for release in ("1.0", "1.1")]

    def switch() -> None:
        while not stopped.is_set():
            for pointer in pointers:
                point_to(home / "level4", pointer)
                source.follow()

    switching = threading.Thread(target=switch)
    switching.start()
    try:
        seen = [scraped(client) for _ in range(30)]
    finally:
        stopped.set()
        switching.join()
    told = [[name[1] for name in found if name[0] == "mlops_release_info"] for found in seen]
    assert all(len(releases) == 1 and releases[0] in ("1.0", "1.1") for releases in told)
    assert all(("mlops_histories_age_seconds",) in found for found in seen)

"""The service's answers, and what it refuses."""

from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import digest_of
from shared.release.pointer import Pointer, point_to
from shared.service.access import Access, router
from shared.service.app import create_app
from shared.service.follower import Follower, Live
from tests.conftest import make_products, make_transactions


@pytest.fixture(scope="module")
def level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("level")
    write_bundle(folder / "1.0", Frecency().fit(make_transactions()), make_products(), Evidence("data", "code"))
    point_to(folder, Pointer("1.0", "1.0", digest_of(folder / "1.0")))
    return folder


def test_a_customer_gets_named_products_with_reasons(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        answer = client.get("/recommendations/c00?k=3").json()
    assert (answer["customer"], answer["release"], len(answer["recommendations"])) == ("c00", "1.0", 3)
    first = answer["recommendations"][0]
    assert first["name"] == f"Product {first['product']}"
    assert first["reason"].startswith("bought ")


def test_many_customers_are_answered_in_their_order_once_each(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        answers = client.post("/recommendations", json={"customers": ["c05", "c01", "c05"], "k": 2}).json()
    assert [answer["customer"] for answer in answers] == ["c05", "c01"]


def test_every_answer_is_told(level: Path) -> None:
    told: list[tuple[str, dict[str, int]]] = []

    def note(live: Live, lists: dict[str, list[str]]) -> None:
        told.append((live.release, {customer: len(products) for customer, products in lists.items()}))

    with TestClient(create_app(4, Follower(level), on_answer=note)) as client:
        client.get("/recommendations/c00")
        client.post("/recommendations", json={"customers": ["c01", "nobody"], "k": 3})
    assert told == [("1.0", {"c00": 10}), ("1.0", {"c01": 3, "nobody": 3})]


def test_version_names_what_is_live(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        version = client.get("/version").json()
    assert (version["release"], version["bundle_digest"]) == ("1.0", digest_of(level / "1.0"))
    assert version["histories_through"] == "2017-02-09"


def test_what_keeps_a_newer_release_from_going_live_is_told(level: Path) -> None:
    source = Follower(level)
    with TestClient(create_app(3, source, poll_seconds=600)) as client:
        before = client.get("/version").json()
        source.error = "1.1 does not open"
        after = client.get("/version").json()
    assert (before["degraded"], before["error"]) == (False, "")
    assert after == before | {"degraded": True, "error": "1.1 does not open"}


def test_without_a_release_it_is_alive_and_not_ready(tmp_path: Path) -> None:
    with TestClient(create_app(3, Follower(tmp_path))) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        assert client.get("/recommendations/c00").status_code == 503


@pytest.mark.parametrize(
    "path",
    [
        "/recommendations/c00?k=0",
        "/recommendations/c00?k=101",
        "/recommendations/c00?k=ten",
        "/recommendations/" + "x" * 129,
        "/recommendations/",
        "/recommendations/c00%00",
        "/recommendations/%0a",
        "/recommendations/%C3%9B%0A%1A",
    ],
)
def test_nonsense_is_refused_with_a_reason(level: Path, path: str) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"customers": ["c00"], "k": NaN}', 422),
        (b'{"customers": ["c00"], "k": 1e999}', 422),
        (b'{"customers": [NaN]}', 422),
        (b'{"customers": ["\\ud800"]}', 422),
        (b'{"customers": []}', 422),
        (b'{"customers": ["c00"], "unknown": 1}', 422),
        (b'{"customers": ["c00"', 422),
        (b'\xff\xfe{"customers"', 422),
        (b"[" * 30_000, 400),
        (b'{"customers": ["' + b"x" * 70_000 + b'"]}', 413),
    ],
)
def test_a_bad_body_is_refused_with_a_reason(level: Path, body: bytes, status: int) -> None:
    with TestClient(create_app(3, Follower(level)), raise_server_exceptions=False) as client:
        answer = client.post("/recommendations", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)


def test_a_large_body_without_a_declared_length_is_refused(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        answer = client.post("/recommendations", content=iter([b"x" * 40_000] * 3))
    assert answer.status_code == 413


def test_a_ready_answer_is_the_one_that_is_made_on_demand(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        ready = client.get("/recommendations/c00").json()["recommendations"]
        made = client.get("/recommendations/c00?k=11").json()["recommendations"]
    assert made[:10] == ready


def test_a_customer_with_a_slash_is_a_customer(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        assert client.get("/recommendations/a%2Fb").json()["customer"] == "a/b"


def test_a_full_disk_under_the_log_keeps_nobody_from_an_answer(level: Path) -> None:
    def full(live: Live, lists: dict[str, list[str]]) -> None:
        raise OSError("no space left")

    with TestClient(create_app(4, Follower(level), on_answer=full)) as client:
        assert client.get("/recommendations/c00").status_code == 200


def test_a_route_without_an_access_policy_is_refused(level: Path) -> None:
    open_to_whom = APIRouter()
    open_to_whom.get("/secret")(lambda: {})
    with pytest.raises(ValueError, match=r"no access policy.*/secret"):
        create_app(3, Follower(level), routers=[open_to_whom])


def test_a_level_brings_its_own_routes_with_a_policy(level: Path) -> None:
    own = router(Access.ANYBODY)
    own.get("/own")(lambda: {"of": "the level"})
    with TestClient(create_app(3, Follower(level), routers=[own])) as client:
        assert client.get("/own").json() == {"of": "the level"}

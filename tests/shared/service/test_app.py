"""The service's answers, and what it refuses."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import digest_of
from shared.release.pointer import Pointer, point_to
from shared.service.access import Access, router
from shared.service.answers import Answers, PreparedAnswer
from shared.service.app import create_app
from shared.service.client import BY_AN_OPERATOR
from shared.service.follower import Follower, Live, Loading
from shared.service.recommendations import Asked
from shared.service.waiting import wait_until
from shared.service.workers import Workers
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
    told: list[tuple[str, Asked, dict[str, int]]] = []

    def note(live: Live, asked: Asked, lists: dict[str, list[str]]) -> None:
        told.append((live.release, asked, {customer: len(products) for customer, products in lists.items()}))

    with TestClient(create_app(4, Follower(level), on_answer=note)) as client:
        client.get("/recommendations/c00")
        client.post("/recommendations", json={"customers": ["c01", "nobody"], "k": 3})
        client.get("/recommendations/c02?k=1", headers=BY_AN_OPERATOR)
    assert told == [
        ("1.0", Asked("customer", 10), {"c00": 10}),
        ("1.0", Asked("customer", 3), {"c01": 3, "nobody": 3}),
        ("1.0", Asked("operator", 1), {"c02": 1}),
    ]


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
    def full(live: Live, asked: Asked, lists: dict[str, list[str]]) -> None:
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


def test_a_question_has_a_budget_of_customers_times_k(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        largest = client.post("/recommendations", json={"customers": [f"c{n}" for n in range(100)], "k": 100})
        larger = client.post("/recommendations", json={"customers": [f"c{n}" for n in range(101)], "k": 100})
    assert largest.status_code == 200
    assert (larger.status_code, "10100 entries; at most 10000" in larger.json()["detail"]) == (422, True)


@pytest.fixture
def slow(level: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Questions about many take until the test lets them go on."""
    go_on = threading.Event()
    real = Answers.many

    def many(answers: Answers, customers: list[str], k: int) -> dict[str, PreparedAnswer]:
        if len(customers) > 1:
            assert go_on.wait(20)
        return real(answers, customers, k)

    monkeypatch.setattr(Answers, "many", many)
    yield go_on.set
    go_on.set()


def ask_many(client: TestClient, times: int, statuses: list[int]) -> list[threading.Thread]:
    """Questions about many customers, all at once."""

    def ask() -> None:
        statuses.append(client.post("/recommendations", json={"customers": ["c00", "c01"]}).status_code)

    asking = [threading.Thread(target=ask) for _ in range(times)]
    for one in asking:
        one.start()
    return asking


def test_health_and_single_lists_are_answered_while_large_questions_are_worked_on(
    level: Path, slow: Callable[[], None]
) -> None:
    statuses: list[int] = []
    with TestClient(create_app(3, Follower(level))) as client:
        asking = ask_many(client, 3, statuses)
        answered = [client.get(path).status_code for path in ("/healthz", "/readyz", "/version", "/recommendations/1")]
        assert (answered, statuses) == ([200] * 4, [])
        slow()
        for one in asking:
            one.join()
    assert statuses == [200] * 3


def test_more_large_questions_than_can_wait_are_refused_at_once(level: Path, slow: Callable[[], None]) -> None:
    app = create_app(3, Follower(level))
    app.state.for_many = Workers(threads=1, most_waiting=2)
    statuses: list[int] = []
    with TestClient(app) as client:
        asking = ask_many(client, 5, statuses)
        wait_until(lambda: len(statuses) == 2, 10)
        refused = list(statuses)
        slow()  # also if too few were refused: or the test would hang
        for one in asking:
            one.join()
    assert (refused, sorted(statuses)) == ([503, 503], [200, 200, 200, 503, 503])


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_need_nothing_from_elsewhere(level: Path, path: str) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        page = client.get(path)
        links = re.findall(r"""(?:src|href)=["']?([^"' >]+)""", page.text)
        assert page.headers["content-type"].startswith("text/html")
        assert links
        assert "://" not in page.text
        assert "<script" not in page.text
        assert [link for link in links if client.get(link).status_code != 200] == []


def test_the_first_page_says_what_this_is_and_the_docs_name_every_route(level: Path, tmp_path: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        first, docs, schema = client.get("/").text, client.get("/docs").text, client.get("/openapi.json").json()
    assert "recommends products" in first
    assert "Release 1.0 answers" in first
    assert [path for path in schema["paths"] if path not in docs] == []
    for path in ("/recommendations/1", "/version", "/healthz", "/readyz", "/docs", "/openapi.json"):
        assert f'href="{path}"' in first
    with TestClient(create_app(3, Follower(tmp_path))) as client:
        assert "Nothing is deployed yet" in client.get("/").text


def test_head_is_answered_wherever_get_is_and_keeps_no_list(level: Path) -> None:
    told: list[str] = []
    app = create_app(4, Follower(level), on_answer=lambda live, asked, lists: told.extend(lists))
    with TestClient(app) as client:
        for path in ("/", "/docs", "/healthz", "/readyz", "/version", "/openapi.json", "/recommendations/c00"):
            head, got = client.head(path), client.get(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.content))
        assert client.head("/nowhere").status_code == 404
    assert told == ["c00"]


def test_health_says_what_is_being_loaded(level: Path) -> None:
    source = Follower(level)
    with TestClient(create_app(3, source, poll_seconds=600)) as client:
        before = client.get("/healthz").json()
        source.loading = Loading("1.1")
        source.loading.step = "opening the bundle"
        after = client.get("/healthz").json()
    assert (before["status"], before["loading"], before["error"]) == ("alive", "", "")
    assert (after["loading"], after["step"], after["worked"] >= 0) == ("1.1", "opening the bundle", True)


def test_a_service_waits_for_what_runs_beside_it_to_end(tmp_path: Path) -> None:
    ended: list[bool] = []

    def run(stopped: threading.Event) -> None:
        stopped.wait()
        time.sleep(0.2)  # as a last write takes
        ended.append(True)

    with TestClient(create_app(3, Follower(tmp_path), threads=[run])):
        assert ended == []
    assert ended == [True]

"""A list that is known is sent as the route would, to whoever the route would answer, and told of as much."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import digest_of
from shared.release.pointer import Pointer, point_to
from shared.service import recommendations
from shared.service.app import MOST_BYTES, create_app
from shared.service.client import BY_AN_OPERATOR
from shared.service.follower import Follower, Live
from shared.service.recommendations import Asked
from tests.conftest import make_products, make_transactions

FAR = ("203.0.113.7", 50_000)
PATH = "/recommendations/c00"


@pytest.fixture
def level(tmp_path: Path) -> Path:
    for release in ("1.0", "1.1"):
        write_bundle(tmp_path / release, Frecency().fit(make_transactions()), make_products(), Evidence("data", "code"))
    point(tmp_path, "1.0")
    return tmp_path


def point(level: Path, release: str) -> None:
    point_to(level, Pointer(release, release, digest_of(level / release)))


def close_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the route answers nobody."""
    monkeypatch.setattr(recommendations, "live_release", lambda request: 1 / 0)


@pytest.mark.parametrize("query", ["", "?k=3", "?k=100"])
def test_asked_again_a_list_is_the_same_to_the_byte_without_its_route(
    level: Path, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        first = client.get(PATH + query)
        close_route(monkeypatch)
        again = client.get(PATH + query)
    assert (first.status_code, first.content, dict(first.headers)) == (200, again.content, dict(again.headers))


@pytest.mark.parametrize(
    ("query", "status"),
    [("?k=0", 422), ("?k=101", 422), ("?k=ten", 422), ("?k=", 422), ("?k=1&k=0", 422), ("?x=1", 200)],
)
def test_what_is_asked_in_another_form_is_left_to_the_route(level: Path, query: str, status: int) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        client.get(PATH)
        assert client.get(PATH + query).status_code == status


def test_a_known_list_is_not_for_whoever_needs_a_token(level: Path) -> None:
    app = create_app(3, Follower(level), token=lambda: "secret")
    with TestClient(app) as client:
        client.get(PATH)
    with TestClient(app, client=FAR) as client:
        assert client.get(PATH).status_code == 401
        assert client.get(PATH, headers={"Authorization": "Bearer secret"}).status_code == 200


def test_a_known_list_is_told_of_with_who_asked_for_it(level: Path) -> None:
    told: list[tuple[Asked, dict[str, list[str]]]] = []

    def note(live: Live, asked: Asked, lists: dict[str, list[str]]) -> None:
        told.append((asked, lists))

    with TestClient(create_app(4, Follower(level), on_answer=note)) as client:
        for headers in ({}, {}, BY_AN_OPERATOR):
            client.get(PATH, headers=headers)
        client.head(PATH)  # which nobody sees
    assert [asked.by for asked, _ in told] == ["customer", "customer", "operator"]
    assert told[0] == told[1]


def test_head_is_answered_without_the_list(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        known = client.get(PATH)
        head = client.head(PATH)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(known.content)))


def test_after_a_switch_nothing_is_known_of_the_release_before(level: Path) -> None:
    source = Follower(level)
    with TestClient(create_app(3, source)) as client:
        assert client.get(PATH).json()["release"] == "1.0"
        point(level, "1.1")
        source.follow()
        assert client.get(PATH).json()["release"] == "1.1"


def test_a_known_list_is_sent_whatever_body_comes_with_the_question(level: Path) -> None:
    with TestClient(create_app(3, Follower(level))) as client:
        client.get(PATH)
        statuses = [client.request("GET", PATH, content=b"x" * size).status_code for size in (1, MOST_BYTES + 1)]
        assert (statuses, client.get(PATH).status_code) == ([200, 200], 200)

"""Customers ask a service at an address, or an app in this process, and what fails leaves them without a list."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from comparison import customers
from comparison.answers import serve_day
from comparison.customers import AT_ONCE, Address, Service, shop
from comparison.incidents.by_name import make
from comparison.world import World
from shared.dataset.feed import Feed, open_feed
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to
from shared.service.app import create_app
from shared.service.follower import Follower
from tests.conftest import FIRST_DAY, make_products, write_checkerboard

DAY = FIRST_DAY + timedelta(days=30)
MANY = AT_ONCE + 5


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    write_checkerboard(tmp_path / "shop", customers=MANY)
    return open_feed(tmp_path / "shop")


@pytest.fixture
def level(tmp_path: Path, feed: Feed) -> Path:
    model = Frecency().fit(feed.through(DAY - timedelta(days=1)))
    digest = write_bundle(tmp_path / "level3" / "bundle", model, make_products(), Evidence("data", "code"))
    point_to(tmp_path / "level3", Pointer("1.0", "bundle", digest))
    return tmp_path / "level3"


@pytest.fixture
def port(level: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port at which the level's service answers, without a socket."""
    with TestClient(create_app(3, Follower(level))) as service:

        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.port == 2:
                raise httpx.ConnectError("nobody listens")
            got = service.request(request.method, request.url.path, content=request.content, headers=request.headers)
            return httpx.Response(got.status_code, content=got.content)

        def client(**settings: Any) -> httpx.Client:
            return whole(base_url=settings["base_url"], transport=httpx.MockTransport(answer))

        whole = httpx.Client
        monkeypatch.setattr(customers.httpx, "Client", client)
        yield 1


def test_everybody_who_shops_is_answered_however_many_they_are(feed: Feed, port: int) -> None:
    served = serve_day(Address(port), World(feed, make("nothing", DAY, feed)), DAY, "digest")
    assert (served.shoppers, served.as_data()["failed"], served.as_data()["bad"]) == (MANY, 0, 0)
    assert served.as_data()["ndcg"] > 0
    assert served.version["release"] == "1.0"
    again = serve_day(Address(port), World(feed, make("nothing", DAY, feed)), DAY, "digest")
    assert again.as_data() == served.as_data()


@pytest.mark.parametrize("port_of", [None, 2])
def test_a_service_that_is_down_or_never_started_answers_nobody(feed: Feed, port: int, port_of: int | None) -> None:
    address = Address(port_of)
    assert not address.is_alive()
    assert not address.is_ready()
    served = serve_day(address, World(feed, make("nothing", DAY, feed)), DAY, "")
    assert served.as_data()["failed"] == MANY
    assert (served.as_data()["release"], served.as_data()["ndcg"]) == ("", 0.0)


def test_a_service_that_answers_is_alive_and_ready(port: int) -> None:
    address = Address(port)
    assert address.is_alive()
    assert address.is_ready()


def test_a_day_on_which_nobody_shops_has_no_answers(feed: Feed, port: int) -> None:
    served = serve_day(Address(port), World(feed, make("nothing", DAY, feed)), DAY + timedelta(days=99), "")
    assert served.as_data()["shoppers"] == 0
    assert served.complained_of() == {"no answer": 0, "an empty list": 0, "a product that is not sold": 0}


def test_an_app_in_this_process_is_asked_the_same(feed: Feed, level: Path) -> None:
    service = Service()
    assert service.version() == {}
    assert shop(service, feed, DAY).ndcg == 0.0
    service.app = create_app(3, Follower(level))
    day = shop(service, feed, DAY)
    assert (day.version["release"], day.shoppers) == ("1.0", MANY)
    assert day.ndcg > 0
    service.app = create_app(3, Follower(level / "nothing"))
    assert service.ask(["c00"]).empty

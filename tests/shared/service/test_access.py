"""Who is answered: by policy, by where the question comes from, and by the level's token."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from shared.errors import UsageError
from shared.service import main
from shared.service.access import Access, router
from shared.service.app import MOST_BYTES, create_app
from shared.service.follower import Follower
from shared.service.token import read_token, rotate, token_file, token_of

FAR, NEAR = "203.0.113.7", "127.0.0.1"


def app_of(level: Path, token: Callable[[], str]) -> FastAPI:
    changing = router(Access.KNOWN)
    changing.post("/change")(lambda: {"changed": True})
    return create_app(4, Follower(level), routers=[changing], token=token, larger_bodies={"/change": 2 * MOST_BYTES})


def asks(app: FastAPI, method: str, path: str, host: str, token: str = "", **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with TestClient(app, client=(host, 50_000)) as client:
        return client.request(method, path, headers=headers, **more)


def test_what_changes_something_needs_the_token_from_everywhere(tmp_path: Path) -> None:
    token = token_of(tmp_path)
    app = app_of(tmp_path, lambda: read_token(tmp_path))
    for host in (NEAR, FAR, "testclient"):
        missing, wrong = (asks(app, "POST", "/change", host, given) for given in ("", "x" * 43))
        assert (missing.status_code, wrong.status_code) == (401, 401)
        assert "mlops --level 4 token" in missing.json()["detail"]
        assert "not the token of level 4" in wrong.json()["detail"]
        assert missing.headers["WWW-Authenticate"] == "Bearer"
        assert asks(app, "POST", "/change", host, token).json() == {"changed": True}
        assert asks(app, "POST", "/change", host, f" {token}").status_code == 200


def test_from_another_machine_all_but_health_needs_the_token(tmp_path: Path) -> None:
    token = token_of(tmp_path)
    app = app_of(tmp_path, lambda: read_token(tmp_path))
    for path in ("/", "/docs", "/openapi.json", "/recommendations/1"):
        assert asks(app, "GET", path, FAR).status_code == 401
        assert asks(app, "GET", path, FAR, token).status_code in (200, 503)
        assert asks(app, "GET", path, NEAR).status_code in (200, 503)
    assert asks(app, "GET", "/healthz", FAR).status_code == 200
    assert asks(app, "GET", "/", "::1").status_code == 200


def test_a_new_token_counts_at_once_and_the_old_one_no_more(tmp_path: Path) -> None:
    old = token_of(tmp_path)
    app = app_of(tmp_path, lambda: read_token(tmp_path))
    new = rotate(tmp_path)
    assert (
        asks(app, "POST", "/change", NEAR, old).status_code,
        asks(app, "POST", "/change", NEAR, new).status_code,
    ) == (
        401,
        200,
    )


def test_another_levels_token_is_none(tmp_path: Path) -> None:
    other = token_of(tmp_path / "level3")
    app = app_of(tmp_path, lambda: token_of(tmp_path / "level4"))
    assert asks(app, "POST", "/change", NEAR, other).status_code == 401


def test_without_a_token_nobody_changes_anything_and_no_other_machine_is_listened_to(tmp_path: Path) -> None:
    app = app_of(tmp_path, str)
    assert asks(app, "POST", "/change", NEAR, "anything").status_code == 401
    for host in ("0.0.0.0", "::", "shop.example"):  # noqa: S104
        with pytest.raises(UsageError, match=f"no token, so it does not listen at {host}"):
            main.require_token_beyond_loopback(app, host)
    for host in ("127.0.0.1", "::1", "localhost"):
        main.require_token_beyond_loopback(app, host)
    main.require_token_beyond_loopback(app_of(tmp_path, lambda: "token"), "0.0.0.0")  # noqa: S104


def test_the_token_is_made_once_and_its_owner_alone_can_read_it(tmp_path: Path) -> None:
    token = token_of(tmp_path / "level4")
    assert token == token_of(tmp_path / "level4")
    assert len(token) > 40
    assert stat.S_IMODE(token_file(tmp_path / "level4").stat().st_mode) == 0o600


def test_a_service_that_starts_makes_its_levels_token(tmp_path: Path) -> None:
    with TestClient(app_of(tmp_path, lambda: token_of(tmp_path))):
        assert len(read_token(tmp_path)) > 40


def test_where_no_token_can_be_kept_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "level4").write_text("a file, no folder")
    assert token_of(tmp_path / "level4") == ""


def test_a_body_has_the_limit_of_its_path_which_the_refusal_names(tmp_path: Path) -> None:
    token = token_of(tmp_path)
    app = app_of(tmp_path, lambda: token)
    larger = b"x" * (MOST_BYTES + 1)
    assert asks(app, "POST", "/change", NEAR, token, content=larger).status_code == 200
    told = asks(app, "POST", "/recommendations", NEAR, content=larger)
    assert (told.status_code, str(MOST_BYTES) in told.json()["detail"]) == (413, True)
    too_large = asks(app, "POST", "/change", NEAR, token, content=larger + larger)
    assert (too_large.status_code, str(2 * MOST_BYTES) in too_large.json()["detail"]) == (413, True)

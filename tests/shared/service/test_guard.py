"""Limits of connections, asked over sockets: too many, too large a head, too slow."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from shared.service import guard
from shared.service.app import create_app
from shared.service.follower import Follower
from shared.service.main import settings
from shared.service.process import HOST, free_port
from shared.service.waiting import wait_until

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[uvicorn.Server]:
    """A service with small limits, in a thread."""
    monkeypatch.setattr(guard, "MOST_CONNECTIONS", 5)
    monkeypatch.setattr(guard, "SECONDS_TO_SEND", 1.0)
    running = uvicorn.Server(settings(create_app(3, Follower(tmp_path)), HOST, free_port(0)))
    thread = threading.Thread(target=running.run)
    thread.start()
    assert wait_until(lambda: running.started, 20)
    yield running
    running.should_exit = True
    thread.join()


def connect(server: uvicorn.Server, words: bytes = b"") -> socket.socket:
    """A connection over which something was sent."""
    one = socket.create_connection((HOST, server.config.port), timeout=10)
    one.sendall(words)
    return one


def answer(one: socket.socket) -> bytes:
    """The first line of the answer; empty if the connection was ended."""
    try:
        return one.recv(65536).split(b"\r\n")[0]
    except OSError:
        return b""


def test_a_request_within_the_limits_is_answered_also_in_pieces(server: uvicorn.Server) -> None:
    with connect(server) as one:
        for piece in (HEALTH[:9], HEALTH[9:-1], HEALTH[-1:] + b"\r", b"\n"):
            one.sendall(piece)
        assert answer(one) == b"HTTP/1.1 200 OK"
        one.sendall(HEALTH + b"\r\n")
        assert answer(one) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("end", [b"\r\n", b""], ids=["whole", "endless"])
def test_a_head_that_is_too_large_is_refused(server: uvicorn.Server, end: bytes) -> None:
    with connect(server, HEALTH + b"X-Large: " + b"x" * guard.MOST_HEAD_BYTES + b"\r\n" + end) as one:
        assert answer(one) == b"HTTP/1.1 431 Request Header Fields Too Large"


def test_a_large_body_is_no_large_head(server: uvicorn.Server) -> None:
    body = b'{"customers": ["' + b"x" * 60_000 + b'"]}'
    head = (
        b"POST /recommendations HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    with connect(server, head % len(body) + body) as one:
        assert answer(one).startswith(b"HTTP/1.1 422")


@pytest.mark.parametrize(
    "sent",
    [b"", HEALTH, b"POST /recommendations HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n[1"],
    ids=["nothing", "half a head", "half a body"],
)
def test_who_does_not_finish_a_request_is_cut_off(server: uvicorn.Server, sent: bytes) -> None:
    with connect(server, sent) as one:
        assert answer(one) in (b"HTTP/1.1 408 Request Timeout", b"")
        assert one.recv(1) == b""


@pytest.mark.parametrize("sent", [b"", HEALTH], ids=["silent", "half a head"])
def test_clients_that_finish_nothing_keep_nobody_out(server: uvicorn.Server, sent: bytes) -> None:
    hanging = [connect(server, sent) for _ in range(20)]
    try:
        with connect(server, HEALTH + b"\r\n") as one:
            assert answer(one) == b"HTTP/1.1 200 OK"
        assert len(server.server_state.connections) <= guard.MOST_CONNECTIONS
    finally:
        for left in hanging:
            left.close()


def test_a_body_that_comes_after_its_head_is_no_head(server: uvicorn.Server) -> None:
    head = b"POST /recommendations HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 60002\r\n\r\n"
    with connect(server, head) as one:
        for piece in (b'["' + b"x" * 30_000, b"x" * 29_998 + b'"]'):
            time.sleep(0.1)  # or both come at once
            one.sendall(piece)
        assert answer(one).startswith(b"HTTP/1.1 422")

"""The end of a service, and whose settings count. Each service is a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI

from shared.service.main import settings
from shared.service.process import HOST, free_port, record_file
from shared.service.waiting import wait_until

PROGRAM = """
import asyncio, sys, time
from pathlib import Path
from fastapi import FastAPI
from shared.service.main import ended_by_signals, serve_app
from shared.service.process import recorded_as_running
app = FastAPI()

@app.get("/healthz")
async def healthz() -> dict:
    return {}

@app.get("/slow")
def slow() -> str:
    Path(sys.argv[2], "asked").touch()
    time.sleep(1)
    return "answered"

@app.get("/forever")
async def forever() -> None:
    Path(sys.argv[2], "asked").touch()
    await asyncio.sleep(600)

with ended_by_signals(), recorded_as_running(Path(sys.argv[2]), int(sys.argv[1])):
    serve_app(app, "127.0.0.1", int(sys.argv[1]))
print("ended in order")
"""
OTHERS = {
    "WEB_CONCURRENCY": "4",
    "UVICORN_PORT": "1",
    "UVICORN_WORKERS": "4",
    "FORWARDED_ALLOW_IPS": "*",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
}


def test_neither_environment_nor_proxy_headers_change_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()
    before = vars(settings(app, HOST, 8003))
    for name, value in OTHERS.items():
        monkeypatch.setenv(name, value)
    after = vars(settings(app, HOST, 8003))
    assert {name for name in before if repr(before[name]) != repr(after[name])} == set()
    assert (after["workers"], after["proxy_headers"], after["port"]) == (1, False, 8003)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A service with other people's settings, in a process of its own."""
    port = free_port(0)
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port), str(tmp_path)],
        env={**os.environ, **OTHERS, "PYTHONPATH": str(Path.cwd())}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert wait_until(lambda: can_connect(port), 30)
        yield running, port
    finally:
        running.kill()
        running.communicate()


def can_connect(port: int) -> bool:
    """True if somebody listens."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_ends_whatever_its_clients_do_answers_what_it_began_and_leaves_no_record(
    service: tuple[subprocess.Popen[str], int], tmp_path: Path, number: signal.Signals
) -> None:
    running, port = service
    assert record_file(tmp_path).exists()
    unfinished = [b"", b"GET /healthz HTTP/1.1\r\nHost: h\r\n", b"POST /slow HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"]
    with ExitStack() as clients:
        for words in (*unfinished, b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"):
            one = clients.enter_context(socket.create_connection((HOST, port), timeout=20))
            one.sendall(words)
        assert wait_until((tmp_path / "asked").exists, 10)
        running.send_signal(number)
        began = time.monotonic()
        assert b"answered" in b"".join(iter(lambda: one.recv(65536), b""))
        told, _ = running.communicate(timeout=20)
        assert time.monotonic() - began < 10
    assert (running.returncode, told) == (0, "ended in order\n")
    assert not record_file(tmp_path).exists()


@pytest.mark.thorough
def test_an_answer_that_comes_to_no_end_is_not_waited_for(
    service: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    running, port = service
    with socket.create_connection((HOST, port), timeout=20) as one:
        one.sendall(b"GET /forever HTTP/1.1\r\nHost: h\r\n\r\n")
        assert wait_until((tmp_path / "asked").exists, 10)
        running.terminate()
        running.communicate(timeout=10)
    assert running.returncode == 0

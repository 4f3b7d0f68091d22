"""What a service refuses is a mistake in the question; what does not answer is down."""

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from shared.errors import DependencyDown, Refused
from shared.service.client import certificates, get_json, is_answering, reason_of, recommendations_of


@pytest.fixture
def url() -> Iterator[str]:
    """A service that answers with the status that its path names."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path[1:]))
            self.end_headers()
            self.wfile.write(b'{"detail": "no such customer can be"}')

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(("status", "code"), [(400, 2), (422, 2), (404, 5), (500, 5), (503, 5)])
def test_a_refusal_is_usage_and_anything_else_is_down(url: str, status: int, code: int) -> None:
    with pytest.raises(DependencyDown, match="no such customer can be") as told:
        get_json(f"{url}/{status}")
    assert told.value.exit_code == code
    assert isinstance(told.value, Refused) == (code == 2)


def test_a_success_is_answered_with_its_content_and_nobody_there_is_down(url: str) -> None:
    assert get_json(f"{url}/200") == {"detail": "no such customer can be"}
    assert is_answering(f"{url}/200")
    assert not is_answering(f"{url}/503")
    nobody = "http://127.0.0.1:9"
    assert not is_answering(nobody)
    with pytest.raises(DependencyDown, match="does not answer"):
        recommendations_of(nobody, "..")


def test_certificates_are_read_once_however_often_is_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read, reading = [], ssl.SSLContext.load_verify_locations
    monkeypatch.setattr(
        ssl.SSLContext, "load_verify_locations", lambda *given, **named: (read.append(1), reading(*given, **named))
    )
    certificates.cache_clear()
    for _ in range(3):
        get_json(f"{url}/200")
        is_answering(f"{url}/200")
    assert len(read) == 1


def test_a_refusal_without_a_reason_is_told_by_its_status(url: str) -> None:
    assert reason_of(httpx.Response(404)) == "Not Found"
    assert reason_of(httpx.Response(404, json=[])) == "Not Found"

"""What a service refuses is a mistake in the question; what does not answer is down."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from shared.errors import DependencyDown, Refused
from shared.service.client import get_json


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

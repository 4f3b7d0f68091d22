"""Every identifier reaches the service as it is."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote

import pytest

from shared.identifiers import LONGEST_ID, is_identifier
from shared.service.client import recommendations_of

ODD = [
    "7",
    "007",
    ".",
    "..",
    "...",
    "a/b",
    "../version",
    "?",
    "#",
    "%2F",
    "a%20b",
    "+",
    "é",
    "😀",
    "&k=1",
    ";",
    "-",
    " a b",
]


class Echo(BaseHTTPRequestHandler):
    """Answers with the customer of the path."""

    def do_GET(self) -> None:
        """One answer."""
        body = json.dumps({"customer": unquote(self.path.split("?")[0].removeprefix("/recommendations/"))}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the echo answers."""
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("customer", [*ODD, "😀" * LONGEST_ID])
def test_a_customer_is_asked_for_by_name(url: str, customer: str) -> None:
    assert is_identifier(customer)
    assert recommendations_of(url, customer)["customer"] == customer

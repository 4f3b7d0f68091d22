"""A HEAD is a GET without its body, on the wire: a client of its own would leave the body out in any case."""

import asyncio
from typing import Any

import pytest

from shared.service.head import HeadAsGet, asks_for_head

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}


@pytest.mark.parametrize(("method", "body", "asked"), [("HEAD", b"", True), ("GET", b"list", False)])
def test_the_body_alone_is_left_out(method: str, body: bytes, asked: bool) -> None:
    sent: list[dict[str, Any]] = []
    seen: list[tuple[str, bool]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["method"], asks_for_head(scope)))
        await send(START)
        await send({"type": "http.response.body", "body": b"list"})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(HeadAsGet(app)({"type": "http", "method": method}, None, send))  # type: ignore[arg-type]
    assert sent == [START, {"type": "http.response.body", "body": body}]
    assert seen == [("GET", asked)]

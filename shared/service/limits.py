"""Refuses large bodies before they are parsed: FastAPI's defaults accept 50 MB."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 * 1024


class BodyLimit:
    """Answers 413 to a body of more than `MOST_BYTES`, declared or counted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if its body is small enough."""
        if scope["type"] != "http" or scope["method"] == "GET":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > MOST_BYTES:
            await too_large(scope, receive, send)
            return
        body = await read(receive)
        if body is None:
            await too_large(scope, receive, send)
            return
        await self._app(scope, replay(body, receive), send)


async def read(receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is too large. A body without a declared length is counted."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return body


def replay(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, then whatever comes after it."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


async def too_large(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 413."""
    answer = JSONResponse({"detail": f"The body is larger than {MOST_BYTES} bytes."}, status_code=413)
    await answer(scope, receive, send)

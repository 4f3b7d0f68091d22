"""HEAD is answered wherever GET is, with the same head and no body. FastAPI's routes answer what they name alone."""

from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASKED_FOR_HEAD = "asked_for_head"


def asks_for_head(scope: MutableMapping[str, Any]) -> bool:
    """True if a request was a HEAD before it became a GET."""
    return bool(scope.get(ASKED_FOR_HEAD))


class HeadAsGet:
    """Lets the app answer a HEAD as a GET, and leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET", ASKED_FOR_HEAD: True}, receive, send_head)

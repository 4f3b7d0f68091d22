"""Level 4's own service, but that each twentieth question is answered with an error while release 1.1 is live."""

import itertools

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from level4_monitoring import serve
from shared.program import run_program
from shared.service.known import KnownAnswers
from shared.service.main import run_forever

ILL = "1.1"
EACH = 20


class Failing:
    """Fails each twentieth question of a customer."""

    def __init__(self, app: ASGIApp, made: FastAPI) -> None:
        self._app, self._made, self._number = app, made, itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or fail."""
        live = self._made.state.source.live
        asked = scope["type"] == "http" and serve.is_by_customer(scope)
        if asked and live and live.release == ILL and next(self._number) % EACH == 0:
            await PlainTextResponse("failed", status_code=500)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def app() -> FastAPI:
    """The service. What fails comes before all that answers, and after what counts failures."""
    made = serve.app()
    first = [layer.cls for layer in made.user_middleware].index(KnownAnswers)
    made.user_middleware.insert(first, Middleware(Failing, made=made))
    return made


if __name__ == "__main__":
    run_program(lambda: run_forever(app, 0))

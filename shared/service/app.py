"""The one service that every level runs. Levels differ by what they pass to `create_app`."""

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.service.access import require_policies
from shared.service.follower import Source
from shared.service.head import HeadAsGet
from shared.service.health import health
from shared.service.known import KnownAnswers
from shared.service.pages import pages
from shared.service.recommendations import OnAnswer, recommendations
from shared.service.workers import Workers

# FastAPI's defaults accept 50 MB.
MOST_BYTES = 64 * 1024
# For what runs beside the service, such as the last write of a log.
SECONDS_TO_END = 5.0


def create_app(
    level: int,
    source: Source,
    on_answer: OnAnswer | None = None,
    poll_seconds: float = 0.25,
    routers: Sequence[APIRouter] = (),
    token: Callable[[], str] = str,
    larger_bodies: Mapping[str, int] = MappingProxyType({}),
    threads: Sequence[Callable[[threading.Event], None]] = (),
    notes: Callable[[], dict[str, str]] = dict,
) -> FastAPI:
    """The service of a level.

    `source` brings the release and is asked for news every `poll_seconds`; `on_answer` is told of every answer
    given (level 4 keeps them); `routers` are a level's own groups of routes, each with its access policy. `token`: what
    the level's token is now; without one, nobody is answered who would need it. `larger_bodies`: by path, in bytes.
    `threads` run beside it until it stops; `notes` are what `/readyz` says beside that it is ready.
    """

    following = partial(keep_following, source, poll_seconds)
    # FastAPI's own pages take their scripts from elsewhere.
    app = FastAPI(
        title=f"Recommender, level {level}",
        lifespan=lambda app: running(source, token, [following, *threads]),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.level, app.state.source, app.state.on_answer, app.state.token = level, source, on_answer, token
    app.state.notes = notes
    app.state.for_one = Workers(threads=2, most_waiting=200)
    app.state.for_many = Workers(threads=1, most_waiting=20)
    app.add_middleware(BodyLimits, larger=larger_bodies)
    app.add_middleware(HeadAsGet)
    app.add_middleware(KnownAnswers, state=app.state)
    app.add_exception_handler(RequestValidationError, refuse)
    for group in (recommendations, health, pages, *routers):
        require_policies(group)
        app.include_router(group)
    return app


@contextlib.asynccontextmanager
async def running(
    source: Source, token: Callable[[], str], beside: Sequence[Callable[[threading.Event], None]]
) -> AsyncIterator[None]:
    """While the service runs: threads beside it, of which the first may be loading when it ends."""
    token()  # made now if there is none yet, so that whoever needs it finds it
    source.follow()
    stopped = threading.Event()
    # Daemons: one that is loading does not keep the process from ending.
    started = [threading.Thread(target=run, args=(stopped,), daemon=True) for run in beside]
    for thread in started:
        thread.start()
    yield
    stopped.set()
    for thread in started[1:]:
        thread.join(SECONDS_TO_END)


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """The reasons for a refusal, without the input: an input such as NaN could not be written as JSON."""
    reasons = error.errors() if isinstance(error, RequestValidationError) else []
    told = "; ".join(f"{'.'.join(map(str, reason['loc']))}: {reason['msg']}" for reason in reasons)
    return JSONResponse({"detail": told}, status_code=422)


class BodyLimits:
    """Limits a body by its path, and gives the refusal the documented form: Starlette's own is plain text."""

    def __init__(self, app: ASGIApp, larger: Mapping[str, int]) -> None:
        self._larger = larger
        sizes = {MOST_BYTES, *larger.values()}
        self._limited = {size: RequestBodyLimitMiddleware(app, max_body_size=size) for size in sizes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a 413 is answered as JSON."""
        most = self._larger.get(scope.get("path", ""), MOST_BYTES)
        refused = False

        async def send_as_json(message: Message) -> None:
            nonlocal refused
            refused = refused or message.get("status") == 413
            if not refused:
                await send(message)

        await self._limited[most](scope, receive, send_as_json)
        if refused:
            answer = JSONResponse({"detail": f"The body is larger than {most} bytes."}, status_code=413)
            await answer(scope, receive, send)


def keep_following(source: Source, seconds: float, stopped: threading.Event) -> None:
    """Look for a new release until the service stops, in a thread of its own."""
    while not stopped.wait(seconds):
        source.follow()

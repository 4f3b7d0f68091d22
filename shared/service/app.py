"""The one service that every level runs. Levels differ by what they pass to `create_app`."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.convertors import Convertor, register_url_convertor

from shared.errors import MlopsError
from shared.service.contract import MOST_K, Answer, Customer, Problem, Question, Version
from shared.service.follower import Live
from shared.service.limits import BodyLimit

# What was served to whom: each customer's products, best first.
OnAnswer = Callable[[Live, dict[str, list[str]]], None]
JSON = "application/json"
log = logging.getLogger("serving")
NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Problem, "description": "Nothing is live."}}
REFUSED: dict[int | str, dict[str, Any]] = {
    **NOT_READY,
    400: {"model": Problem, "description": "The body cannot be read."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {"model": Problem, "description": "The question is not of this form."},
}


class AnyText(Convertor[str]):
    """A part of a path that may hold anything, line breaks too, so that it is our contract which refuses them."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """Text stays text."""
        return value

    def to_string(self, value: str) -> str:
        """Text stays text."""
        return value


class Source(Protocol):
    """Where a service gets its release from, and how it learns of a new one."""

    live: Live | None
    error: str

    def follow(self) -> None:
        """Load what is live now, if it has changed."""


def create_app(level: int, source: Source, on_answer: OnAnswer | None = None, poll_seconds: float = 0.25) -> FastAPI:
    """The service of a level.

    `source` brings the release; `on_answer` is told of every answer given (level 4 keeps them);
    the source is asked for news every `poll_seconds`.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        source.follow()
        watcher = asyncio.create_task(keep_following(source, poll_seconds))
        yield
        watcher.cancel()

    register_url_convertor("any_text", AnyText())
    app = FastAPI(title=f"Recommender, level {level}", lifespan=lifespan)
    app.state.source = source
    app.add_middleware(BodyLimit)
    app.add_exception_handler(RequestValidationError, refuse)

    def live() -> Live:
        if source.live is None:
            raise HTTPException(503, detail=source.error or "Nothing is deployed yet.")
        return source.live

    def keep(now: Live, lists: dict[str, list[str]]) -> None:
        try:
            if on_answer:
                on_answer(now, lists)
        except (OSError, MlopsError) as error:  # a full disk must not keep a customer from an answer
            log.error("The answer is not kept: %s", error)

    @app.get("/recommendations/{customer:any_text}", response_model=Answer, responses=REFUSED)
    async def recommendations(
        customer: Annotated[Customer, PathParameter()], k: Annotated[int, Query(ge=1, le=MOST_K)] = 10
    ) -> Response:
        """The k best products for one customer."""
        now = live()
        answer = now.answers.one(customer, k)
        keep(now, {customer: answer.products})
        return Response(answer.body, media_type=JSON)

    @app.post("/recommendations", response_model=list[Answer], responses=REFUSED)
    def many_recommendations(question: Question) -> Response:
        """The k best products for each of many customers, each answered once, in their order."""
        now = live()
        answers = now.answers.many(question.customers, question.k)
        keep(now, {customer: answer.products for customer, answer in answers.items()})
        return Response(b"[" + b",".join(answer.body for answer in answers.values()) + b"]", media_type=JSON)

    @app.get("/version", responses=NOT_READY)
    def version() -> Version:
        """What is live."""
        return describe(level, live(), source.error)

    @app.get("/healthz")
    def healthz() -> dict[str, str | int]:
        """The process is alive."""
        return {"status": "alive", "pid": os.getpid()}

    @app.get("/readyz", responses=NOT_READY)
    def readyz() -> dict[str, str]:
        """The service can answer."""
        live()
        return {"status": "ready"}

    return app


def describe(level: int, live: Live, error: str) -> Version:
    """What is live, and whether something keeps a newer release from it."""
    return Version(
        level=level,
        release=live.release,
        bundle_digest=live.bundle.digest,
        histories_digest=live.histories_digest,
        trained_through=live.bundle.trained_through,
        histories_through=live.histories_through,
        sequence=live.sequence,
        degraded=bool(error),
        error=error,
    )


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """The reasons for a refusal, without the input: an input such as NaN could not be written as JSON."""
    reasons = error.errors() if isinstance(error, RequestValidationError) else []
    told = "; ".join(f"{'.'.join(map(str, reason['loc']))}: {reason['msg']}" for reason in reasons)
    return JSONResponse({"detail": told}, status_code=422)


async def keep_following(source: Source, seconds: float) -> None:
    """Look for a new release for as long as the service runs, without holding up an answer."""
    while True:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(source.follow)

"""The one service that every level runs. Levels differ by what they pass to `create_app`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Annotated, Protocol

import pandas as pd
from fastapi import FastAPI, HTTPException, Query
from fastapi import Path as PathParameter

from shared.columns import CUSTOMER, PRODUCT, RANK
from shared.contract import LONGEST_ID, Answer, Question, Recommendation, Version
from shared.live import Live

OnAnswer = Callable[[Live, pd.DataFrame], None]


class Source(Protocol):
    """Where a service gets its release from, and how it learns of a new one."""

    live: Live | None
    trouble: str

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

    app = FastAPI(title=f"Recommender, level {level}", lifespan=lifespan)
    app.state.source = source

    def live() -> Live:
        if source.live is None:
            raise HTTPException(503, detail=source.trouble or "Nothing is deployed yet.")
        return source.live

    def answer(customers: Iterable[str], k: int) -> list[Answer]:
        now = live()
        lists = now.bundle.model.recommend(customers, k)
        if on_answer:
            on_answer(now, lists)
        return answers(now, lists)

    @app.get("/recommendations/{customer}")
    def recommendations(
        customer: Annotated[str, PathParameter(max_length=LONGEST_ID)], k: Annotated[int, Query(ge=1, le=100)] = 10
    ) -> Answer:
        """The k best products for one customer."""
        return answer([customer], k)[0]

    @app.post("/recommendations")
    def many_recommendations(question: Question) -> list[Answer]:
        """The k best products for each of many customers."""
        return answer(list(dict.fromkeys(question.customers)), question.k)

    @app.get("/version")
    def version() -> Version:
        """What is live."""
        now = live()
        return Version(
            level=level,
            release=now.bundle.release,
            bundle_digest=now.bundle.digest,
            histories_digest=now.histories_digest,
            trained_through=now.bundle.trained_through,
            histories_through=now.histories_through,
            sequence=now.sequence,
            degraded=bool(source.trouble),
            trouble=source.trouble,
        )

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        """The service can answer."""
        live()
        return {"status": "ready"}

    return app


async def keep_following(source: Source, seconds: float) -> None:
    """Look for a new release for as long as the service runs, without holding up an answer."""
    while True:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(source.follow)


def answers(live: Live, lists: pd.DataFrame) -> list[Answer]:
    """A table of lists as answers, with product names and reasons."""
    bundle = live.bundle
    return [
        Answer(
            customer=str(customer),
            release=bundle.release,
            recommendations=[
                Recommendation(
                    rank=rank,
                    product=product,
                    name=bundle.names.get(product, product),
                    reason=bundle.model.explain(str(customer), product),
                )
                for product, rank in zip(rows[PRODUCT], rows[RANK], strict=True)
            ],
        )
        for customer, rows in lists.groupby(CUSTOMER, sort=False)
    ]

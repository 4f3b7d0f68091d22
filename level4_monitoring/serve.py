"""Answer customers as level 3 does, and keep every list that was served and every question that failed."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from level4_monitoring.days_posted import come_by_post
from level4_monitoring.dead_loop import Loop
from level4_monitoring.predictions import SECONDS_BETWEEN_WRITES, Writer
from level4_monitoring.purchases import MOST_BYTES as MOST_PURCHASE_BYTES
from level4_monitoring.purchases import PATH as PURCHASES
from level4_monitoring.purchases import Journal, LastLists, Taking, purchases
from level4_monitoring.telemetry import Counted, CountRequests, Scraped, metrics
from shared.dataset.clock import open_day
from shared.places import level_folder, shop_folder
from shared.program import run_program
from shared.service.app import create_app
from shared.service.follower import Follower, Live
from shared.service.main import run_forever
from shared.service.recommendations import CUSTOMER_ASKS, PATH, Asked, OnAnswer, asked_by
from shared.service.token import token_of

PORT = 8004
log = logging.getLogger("level4.serve")
FAILED = 500
SECONDS_A_DAY_IS_KNOWN = 1.0


def calendar() -> datetime:
    """The calendar's moment, which is the shop's where days come by post."""
    return datetime.now(UTC).astimezone().replace(tzinfo=None)


class ShopClock:
    """The moment on the day on which the shop is open, which is looked up once a second."""

    def __init__(self) -> None:
        self._day, self._until = date.min, 0.0

    def __call__(self) -> datetime:
        """The moment now."""
        if time.monotonic() >= self._until:
            self._day, self._until = open_day(shop_folder()), time.monotonic() + SECONDS_A_DAY_IS_KNOWN
        return datetime.combine(self._day, calendar().time())


def app(
    clock: Callable[[], date] | None = None, loop: Loop | None = None, log_seconds: float = SECONDS_BETWEEN_WRITES
) -> FastAPI:
    """The service of level 4. Without a `clock` it goes by the shop's day; one that tells days only counts as their
    beginning: customers ask, then buy.

    log_seconds: between two writes of the prediction log; 0 for at once.
    """
    level = level_folder(4)
    tell = clock or (calendar if come_by_post() else ShopClock())

    def moment() -> datetime:
        now = tell()
        return now if isinstance(now, datetime) else datetime.combine(now, datetime.min.time())

    source, shown = Follower(level, on_error=log.error, remember=True), LastLists(level, moment)
    counted, loop, writer = Counted(source), loop or Loop(level), Writer(level, moment, log_seconds)
    made = create_app(
        4,
        source,
        on_answer=each(writer.note, shown.note, counted.note),
        routers=[purchases, metrics],
        token=partial(token_of, level),
        larger_bodies={PURCHASES: MOST_PURCHASE_BYTES},
        threads=[loop.watch, writer.run],
        notes=loop.notes,
    )
    made.state.taking, made.state.counted = Taking(Journal(level), shown, moment), counted
    counted.registry.register(Scraped(level, source, made.state.taking, moment, loop))
    made.add_middleware(KeepErrors, writer=writer)
    made.add_middleware(CountRequests, counted=counted)
    return made


def each(*listeners: OnAnswer) -> OnAnswer:
    """Tell several of each answer, also where one of them cannot keep it; the first such failure is raised then."""

    def tell(live: Live, asked: Asked, lists: dict[str, list[str]]) -> None:
        with ExitStack() as all_of_them:
            for listener in reversed(listeners):
                all_of_them.callback(listener, live, asked, lists)

    return tell


def is_by_customer(scope: Scope) -> bool:
    """Whether a customer asks for a list."""
    return scope["type"] == "http" and scope["path"].startswith(PATH) and asked_by(scope) == CUSTOMER_ASKS


class KeepErrors:
    """Notes each question for a list that is answered with an error of ours."""

    def __init__(self, app: ASGIApp, writer: Writer) -> None:
        self._app, self._writer = app, writer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the status of its answer."""

        async def look(message: Message) -> None:
            if message.get("status", 0) >= FAILED and is_by_customer(scope):
                self._note(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, look)
        except Exception:
            if is_by_customer(scope):
                self._note(FAILED)
            raise

    def _note(self, status: int) -> None:
        try:
            self._writer.note_error(status)
        except Exception as error:  # noqa: BLE001  a full disk or a shop without a clock must not make it worse
            log.error("The error is not kept: %s", error)


if __name__ == "__main__":
    run_program(lambda: run_forever(app, PORT))

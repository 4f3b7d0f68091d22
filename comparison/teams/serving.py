"""A level's service in the season: the level's own app, which looks for a new release before each answer.

So no answer depends on when a poll happened to come. Sent SIGUSR1, it looks no more for new releases, as a service
whose watching thread has died; a restart ends that.
"""

import argparse
import importlib
import signal
import threading
from types import FrameType

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from comparison.teams.signals import DEAF
from shared.dataset.clock import open_day
from shared.places import shop_folder
from shared.service.follower import Source
from shared.service.main import run_forever

PACKAGES = {2: "level2_basic_automation", 3: "level3_cicd", 4: "level4_monitoring"}


class FollowFirst:
    """Looks for a new release before a request is answered; one look at a time."""

    def __init__(self, app: ASGIApp, follow: "Following") -> None:
        self._app, self._follow = app, follow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look, and pass the request on."""
        if scope["type"] == "http":
            await run_in_threadpool(self._follow.now)
        await self._app(scope, receive, send)


class Following:
    """The source's own look for a new release, in place of the polling thread's, until it is deaf."""

    def __init__(self, source: Source) -> None:
        self._look, self._lock, self._deaf = source.follow, threading.Lock(), False
        source.follow = lambda: None  # type: ignore[method-assign]

    def now(self) -> None:
        """Look, unless it is deaf."""
        with self._lock:
            if not self._deaf:
                self._look()

    def go_deaf(self, number: int, frame: FrameType | None) -> None:
        """Look no more."""
        self._deaf = True


def app_of(level: int) -> FastAPI:
    """A level's app. Level 4's clock tells the day on which the shop is open, and no time of it."""
    module = importlib.import_module(f"{PACKAGES[level]}.serve")
    made: FastAPI = module.app(lambda: open_day(shop_folder()), log_seconds=0.0) if level == 4 else module.app()
    following = Following(made.state.source)
    signal.signal(DEAF, following.go_deaf)
    made.add_middleware(FollowFirst, follow=following)
    return made


def main() -> None:
    """Serve the level that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", type=int, required=True)
    level = parser.parse_known_args()[0].level
    run_forever(lambda: app_of(level), 0)


if __name__ == "__main__":
    main()

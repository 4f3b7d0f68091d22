"""Answer customers as level 3 does, and keep every list that was served."""

import logging
from collections.abc import Callable
from datetime import date, timedelta

from fastapi import FastAPI

from level4_monitoring.predictions import logger
from shared.live import Follower
from shared.places import home, today
from shared.running import run_forever
from shared.serving import create_app

PORT = 8004
log = logging.getLogger("level4.serve")


def shop_day() -> date:
    """The day on which the shop is open now: the one after the last that the feed has brought."""
    return today(home() / "shop") + timedelta(days=1)


def app(clock: Callable[[], date] = shop_day) -> FastAPI:
    """The service of level 4."""
    level = home() / "level4"
    return create_app(4, Follower(level, on_trouble=log.error, remember=True), on_answer=logger(level, clock))


if __name__ == "__main__":
    run_forever(app, PORT)

"""Answer customers as level 3 does, and keep every list that was served."""

import logging
from collections.abc import Callable
from datetime import date

from fastapi import FastAPI

from level4_monitoring.predictions import logger
from shared.dataset.clock import open_day
from shared.places import level_folder, shop_folder
from shared.service.app import create_app
from shared.service.follower import Follower
from shared.service.main import run_forever

PORT = 8004
log = logging.getLogger("level4.serve")


def shop_is_open_on() -> date:
    """The day on which the shop is open."""
    return open_day(shop_folder())


def app(clock: Callable[[], date] = shop_is_open_on) -> FastAPI:
    """The service of level 4."""
    level = level_folder(4)
    return create_app(4, Follower(level, on_error=log.error, remember=True), on_answer=logger(level, clock))


if __name__ == "__main__":
    run_forever(app, PORT)

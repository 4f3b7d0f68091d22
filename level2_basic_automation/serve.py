"""Answer customers with the release that the pointer names, and take over a new one by itself."""

import logging

from fastapi import FastAPI

from shared.places import level_folder
from shared.service.app import create_app
from shared.service.follower import Follower
from shared.service.main import run_forever

PORT = 8002
log = logging.getLogger("level2.serve")


def app() -> FastAPI:
    """The service of level 2. What it cannot load goes to its log, which is all the monitoring there is."""
    return create_app(2, Follower(level_folder(2), on_error=log.error))


if __name__ == "__main__":
    run_forever(app, PORT)

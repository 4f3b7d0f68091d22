"""Answer customers with the release that the pointer names, and take over a new one by itself."""

import logging
from functools import partial

from fastapi import FastAPI

from shared.places import level_folder
from shared.program import run_program
from shared.service.app import create_app
from shared.service.follower import Follower
from shared.service.main import run_forever
from shared.service.token import token_of

PORT = 8002
log = logging.getLogger("level2.serve")


def app() -> FastAPI:
    """The service of level 2. What it cannot load goes to its log, which is all the monitoring there is."""
    level = level_folder(2)
    return create_app(2, Follower(level, on_error=log.error), token=partial(token_of, level))


if __name__ == "__main__":
    run_program(lambda: run_forever(app, PORT))

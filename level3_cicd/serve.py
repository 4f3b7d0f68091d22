"""Answer customers with the release that the pointer names. Needs neither MLflow nor Prefect."""

import logging
from functools import partial

from fastapi import FastAPI

from shared.places import level_folder
from shared.program import run_program
from shared.service.app import create_app
from shared.service.follower import Follower
from shared.service.main import run_forever
from shared.service.token import token_of

PORT = 8003
log = logging.getLogger("level3.serve")


def app() -> FastAPI:
    """The service of level 3."""
    level = level_folder(3)
    return create_app(3, Follower(level, on_error=log.error, remember=True), token=partial(token_of, level))


if __name__ == "__main__":
    run_program(lambda: run_forever(app, PORT))

"""Answer customers with the release that the pointer names. Needs neither MLflow nor Prefect."""

import logging

from fastapi import FastAPI

from shared.places import level_folder
from shared.service.app import create_app
from shared.service.follower import Follower
from shared.service.main import run_forever

PORT = 8003
log = logging.getLogger("level3.serve")


def app() -> FastAPI:
    """The service of level 3."""
    return create_app(3, Follower(level_folder(3), on_error=log.error, remember=True))


if __name__ == "__main__":
    run_forever(app, PORT)

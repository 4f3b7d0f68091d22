"""Answer customers with the release that the pointer names. Needs neither MLflow nor Prefect."""

import logging

from fastapi import FastAPI

from shared.live import Follower
from shared.places import home
from shared.running import run_forever
from shared.serving import create_app

PORT = 8003
log = logging.getLogger("level3.serve")


def app() -> FastAPI:
    """The service of level 3."""
    return create_app(3, Follower(home() / "level3", on_trouble=log.error, remember=True))


if __name__ == "__main__":
    run_forever(app, PORT)

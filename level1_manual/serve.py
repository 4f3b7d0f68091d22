"""Load the model.pkl beside it, once, and answer. A person restarts it after each copy.

A pickle runs whatever is in it when it is loaded, and says neither what it is nor whether it is whole.
"""

import hashlib
import pickle
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from level1_manual.train import MODEL
from level1_manual.workplace import server
from shared.places import level_folder
from shared.program import run_program
from shared.release.bundle import Bundle
from shared.service.answers import Answers
from shared.service.app import create_app
from shared.service.follower import Live
from shared.service.main import run_forever
from shared.service.token import token_of

PORT = 8001


class Pickled:
    """The one model.pkl that was there when the service started. There is no news until a restart."""

    error = ""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        model, names = pickle.loads(content)
        manifest = {"trained_through": model.trained_through_.isoformat()}
        bundle = Bundle(manifest, hashlib.sha256(content).hexdigest(), model, names)
        answers = Answers(MODEL, bundle)
        self.live: Live | None = Live(MODEL, bundle, histories_digest="", sequence=0, answers=answers)

    def follow(self) -> None:
        """Nobody tells this service anything."""


def app() -> FastAPI:
    """The service of level 1. Fails if model.pkl does not load."""
    return create_app(1, Pickled(server() / MODEL), token=partial(token_of, level_folder(1)))


if __name__ == "__main__":
    run_program(lambda: run_forever(app, PORT))

"""The main program of a service's process: serves until stopped. Each level's `serve.py` calls it."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.service.process import HOST

if TYPE_CHECKING:
    from fastapi import FastAPI


def run_forever(make_app: "Callable[[], FastAPI]", port: int) -> None:
    """Serve until stopped, on `--port` or `port`, for `--host` or this machine alone."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, default=port)
    arguments.add_argument("--host", default=HOST)
    asked, _ = arguments.parse_known_args()
    serve_app(make_app(), asked.host, asked.port)


def serve_app(app: "FastAPI", host: str, port: int) -> None:
    """Serve an app until stopped."""
    import uvicorn

    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)


def end_with_starter() -> None:
    """End this process and those it starts with the one that has started it: then standard input ends.

    For a process that was started with a pipe to its standard input, in a session of its own.
    """

    def wait() -> None:
        sys.stdin.read()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()

"""The main program of a service's process: serves until stopped. Each level's `serve.py` calls it."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

from shared.errors import UsageError
from shared.service.process import HOST

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn import Config

# What was begun when a service is stopped has this long to be answered.
SECONDS_TO_FINISH = 5


def run_forever(make_app: "Callable[[], FastAPI]", port: int) -> None:
    """Serve until stopped, on `--port` or `port`, for `--host` or this machine alone."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, default=port)
    arguments.add_argument("--host", default=HOST)
    asked, _ = arguments.parse_known_args()
    serve_app(make_app(), asked.host, asked.port)


def serve_app(app: "FastAPI", host: str, port: int) -> None:
    """Serve an app until SIGTERM or Ctrl-C: what was begun is answered, and then this returns, after 10 s at most."""
    import uvicorn

    require_token_beyond_loopback(app, host)
    with ended_by_signals():
        uvicorn.Server(settings(app, host, port)).run()


def require_token_beyond_loopback(app: "FastAPI", host: str) -> None:
    """Refuse to listen to other machines without a token to tell who asks."""
    try:
        beyond = not ip_address(host).is_loopback
    except ValueError:
        beyond = host != "localhost"
    if beyond and not app.state.token():
        raise UsageError(
            f"The service has no token, so it does not listen at {host}, where other machines could ask.",
            fix="Let its folder be written to, so that one is made; or leave --host out.",
        )


def settings(app: "FastAPI", host: str, port: int) -> "Config":
    """The server's settings, all that anybody's environment or a proxy's headers could change among them."""
    import uvicorn

    from shared.service.guard import GuardedProtocol

    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        workers=1,
        reload=False,
        env_file=None,
        root_path="",
        proxy_headers=False,
        forwarded_allow_ips=HOST,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )


class Ended(BaseException):
    """Somebody stops the service. No error: nothing but `ended_by_signals` is to catch it."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End the block quietly on SIGTERM, or on Ctrl-C: those around it clean up. In the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except Ended:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_starter() -> None:
    """End this process and those it starts with the one that has started it: then standard input ends.

    For a process that was started with a pipe to its standard input, in a session of its own.
    """

    def wait() -> None:
        sys.stdin.read()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()

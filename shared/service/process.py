"""A service as a process of its own: started, found again, asked and stopped. Binds to 127.0.0.1."""

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from filelock import FileLock

from shared.errors import DependencyDown, UsageError
from shared.places import CHECKOUT, write_atomically

if TYPE_CHECKING:
    from fastapi import FastAPI

HOST = "127.0.0.1"
SECONDS_TO_START = 60.0
DEPLOY_FIRST = "Train and deploy a release first."


@dataclass(frozen=True)
class Running:
    """A service that was started; its log lies beside the note of it.

    born: when its process began, as the system tells it: a number may be another process's by now.
    """

    pid: int
    port: int
    born: str = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def get(self, path: str, seconds: float = 10) -> Any:
        """The parsed JSON answer to a GET. Raises DependencyDown if there is none."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise DependencyDown(f"{self.url}{path} answers {error.code}: {detail_of(error)}") from error
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
            raise DependencyDown(f"{self.url}{path} does not answer: {error}") from error

    def recommend(self, customer: str, k: int = 5) -> dict[str, Any]:
        """One customer's list from the service."""
        return self.get(f"/recommendations/{quote(customer, safe='')}?k={k}")


def detail_of(error: urllib.error.HTTPError) -> str:
    """What a service says of a refusal."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)


def run_forever(make_app: "Callable[[], FastAPI]", port: int) -> None:
    """The main program of a service: serve until stopped, on `--port` or `port`, for `--host` or this machine alone."""
    import uvicorn

    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, default=port)
    arguments.add_argument("--host", default=HOST)
    asked, _ = arguments.parse_known_args()
    uvicorn.run(make_app(), host=asked.host, port=asked.port, log_level="warning", access_log=False)


def free_port(wanted: int) -> int:
    """The wanted port, or any free one if it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DependencyDown("No port is free.")


@contextmanager
def noted(folder: Path, port: int) -> Iterator[None]:
    """Note that this very process is the folder's service, for as long as the block runs.

    Raises UsageError if it has one already.
    """
    with starting(folder):
        there = find(folder, even_if_it_hangs=True)
        if there:
            raise UsageError(f"The service runs already, at {there.url}.", fix="Stop it first: `mlops down`.")
        itself = write_note(folder, Running(os.getpid(), port, born(os.getpid())))
    try:
        yield
    finally:
        if read_note(folder) == itself:
            note_file(folder).unlink(missing_ok=True)


def starting(folder: Path) -> FileLock:
    """The lock of those who look for a folder's service and start it if there is none; a second one waits."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".service.lock")


def note_file(folder: Path) -> Path:
    """Where a folder's service is noted."""
    return folder / "service.json"


def write_note(folder: Path, running: Running) -> Running:
    """Note a service."""
    write_atomically(note_file(folder), json.dumps(asdict(running)).encode())
    return running


def read_note(folder: Path) -> Running | None:
    """The service that was noted last, whether it runs or not; None also where the note cannot be read."""
    try:
        return Running(**json.loads(note_file(folder).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def launch(
    folder: Path, module: str, wanted_port: int, words: Sequence[str] = (), stdin: int | None = None
) -> tuple[Running, subprocess.Popen[bytes]]:
    """Start `python -m module --port PORT` and return at once; its note and log go to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port(wanted_port)
    command = [sys.executable, "-m", module, "--port", str(port), *words]
    # By this, a runner of GitHub Actions finds and kills what a job has started.
    own = {name: value for name, value in os.environ.items() if name != "RUNNER_TRACKING_ID"}
    with (folder / "service.log").open("ab") as output:
        process = subprocess.Popen(
            command, stdin=stdin, stdout=output, stderr=output, cwd=CHECKOUT, env=own, start_new_session=True
        )
    return write_note(folder, Running(process.pid, port, born(process.pid))), process


def start(folder: Path, module: str, wanted_port: int, words: Sequence[str] = (), needs: str = "/readyz") -> Running:
    """Launch a service and wait until it is ready. Raises DependencyDown if it ends, or has nothing to serve.

    With `needs="/healthz"` it may have nothing to serve yet.
    """
    running, process = launch(folder, module, wanted_port, words)
    wait_until(lambda: answers(running, "/healthz") or process.poll() is not None, SECONDS_TO_START)
    try:
        running.get(needs, seconds=2)
    except DependencyDown as error:
        came_up = answers(running, "/healthz")
        stop(folder)
        if came_up:
            raise DependencyDown(f"The service has nothing to answer with: {error}", fix=DEPLOY_FIRST) from error
        log = folder / "service.log"
        raise DependencyDown(f"The service did not start; {log} says why:\n{last_lines(log)}") from error
    return running


def find(level: Path, even_if_it_hangs: bool = False) -> Running | None:
    """The running service of a level, if there is one; one whose process lives but does not answer, if asked for."""
    running = read_note(level)
    if running is None:
        return None
    alive = is_itself(running) or (even_if_it_hangs and is_process_of(running))
    return running if alive else None


def is_itself(running: Running) -> bool:
    """Whether the noted process answers at its port, and not another one."""
    try:
        return bool(running.get("/healthz", seconds=2)["pid"] == running.pid)
    except (DependencyDown, KeyError, TypeError):
        return False


def is_process_of(running: Running) -> bool:
    """Whether the noted process is still there."""
    return bool(running.born) and born(running.pid) == running.born


def born(pid: int) -> str:
    """When a process began, as the system tells it; empty if there is none, or only its remains."""
    linux = Path("/proc") / str(pid)
    if linux.parent.joinpath("self").exists():
        try:
            state, *later = (linux / "stat").read_text().rpartition(") ")[2].split()
        except (OSError, ValueError):
            return ""
        return "" if state == "Z" else later[18]
    words = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    plain = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    told = subprocess.run(words, env=plain, capture_output=True, text=True, check=False).stdout
    state, _, began = told.strip().partition(" ")
    return "" if state.startswith("Z") else began.strip()


def is_for_port(pid: int, port: int) -> bool:
    """Whether a process was started for a port."""
    return f"--port {port}" in command_of(pid)


def command_of(pid: int) -> str:
    """The command line of a process; empty if there is none, or only its remains."""
    linux = Path("/proc") / str(pid)
    if linux.parent.joinpath("self").exists():
        try:
            return (linux / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    asked = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def stop(level: Path, seconds: float = 10) -> bool:
    """Stop the service of a level, if one runs, and wait for its end."""
    running = read_note(level)
    if running is None:
        note_file(level).unlink(missing_ok=True)
        return False
    was_alive = is_process_of(running) or is_itself(running)
    for sign in (signal.SIGTERM, signal.SIGKILL) if was_alive else ():
        with suppress(ProcessLookupError):
            os.kill(running.pid, sign)
        if wait_until(lambda: not is_process_of(running), seconds):
            break
    note_file(level).unlink(missing_ok=True)
    return was_alive


def end_with_starter() -> None:
    """End this process and those it starts with the one that has started it: then standard input ends.

    For a process that was started with a pipe to its standard input, in a session of its own.
    """

    def wait() -> None:
        sys.stdin.read()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def answers(running: Running, path: str) -> bool:
    """Whether a service answers."""
    try:
        running.get(path, seconds=2)
    except DependencyDown:
        return False
    return True


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    """Wait for something to happen; False if it did not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.1)
    return False


def last_lines(log: Path, lines: int = 5) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])

"""Long-lived servers for Prefect and MLflow, on free ports of this machine: `mlops up` and `mlops down`.

Everything works without them; with them a pipeline need not wait for a temporary Prefect server, and
both pages can be looked at.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from level3_cicd.tools.mlflow_client import mlflow_client, prepare_prefect, talking_to_mlflow, tracking_uri
from shared.errors import DependencyDown
from shared.places import CHECKOUT, write_atomically
from shared.service.process import HOST, free_port, is_for_port, last_lines, wait_until

SECONDS_TO_START = 120


@dataclass(frozen=True)
class Server:
    """A server that was started; its process leads a group of its own."""

    name: str
    pid: int
    port: int
    health: str

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(self.url + self.health, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def is_there(self) -> bool:
        """Whether its process is there, whether it answers or not."""
        return is_for_port(self.pid, self.port)


def note(home: Path, name: str) -> Path:
    """Where it is noted that a server runs."""
    return home / "servers" / f"{name}.json"


def find_server(home: Path, name: str) -> Server | None:
    """A server that runs; one that is just starting is waited for. None if there is none, or it does not come up."""
    server = noted_server(home, name)
    if server is None:
        return None
    wait_until(lambda: server.is_up() or not server.is_there(), SECONDS_TO_START)
    return server if server.is_up() else None


def noted_server(home: Path, name: str) -> Server | None:
    """What was noted when a server was started, whether it runs or not."""
    try:
        return Server(**json.loads(note(home, name).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def launch_prefect(home: Path) -> Server:
    """Prefect's server, or the one that runs already. It needs a while until it answers: `find_server` waits."""
    prepare_prefect(home)
    port = free_port(4200)
    os.environ["PREFECT_SERVER_UI_API_URL"] = f"http://{HOST}:{port}/api"  # or its page looks for it at port 4200
    return launch(home, "prefect", port, "/api/health", ["prefect", "server", "start", "--port", str(port)])


def launch_for_runs(home: Path) -> Server:
    """Prefect's server for this process's runs: the long-lived one, if there is one, else one that ends with it."""
    server = noted_server(home, "prefect")
    if server and server.is_there():
        return server
    server, process = temporary_prefect(home)
    if process.poll() is None:
        return server
    temporary_prefect.cache_clear()
    return temporary_prefect(home)[0]


@cache
def temporary_prefect(home: Path) -> tuple[Server, "subprocess.Popen[bytes]"]:
    """A Prefect server that ends with this process; kept for all its runs, as it needs 20 s to start."""
    port = free_port(0)
    words = ["level3_cicd.tools.prefect_server", "--port", str(port), "--no-ui"]
    process = spawn(log_of(home, "prefect-for-a-run"), words, stdin=subprocess.PIPE)
    return Server("prefect-for-a-run", process.pid, port, "/api/health"), process


def wait_for_runs(home: Path, server: Server) -> str:
    """The address of Prefect's API, once it answers. Raises DependencyDown if it does not."""
    if not wait_until(lambda: server.is_up() or not server.is_there(), SECONDS_TO_START) or not server.is_up():
        told = last_lines(log_of(home, server.name))
        raise DependencyDown(f"Prefect's server does not answer at {server.url}:\n{told}", fix="Run `mlops down`.")
    return f"{server.url}/api"


def launch_mlflow(home: Path, level: Path) -> Server:
    """MLflow's server on a level's registry, or the one that runs already."""
    with talking_to_mlflow():
        mlflow_client(level)  # creates the database, if it is not there, before the server opens it
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # it would take a minute longer to start
    port = free_port(5000)
    words = ["mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", tracking_uri(level)]
    return launch(home, f"mlflow-{level.name}", port, "/version", words)


def launch(home: Path, name: str, port: int, health: str, words: list[str]) -> Server:
    """Start a server, if it is not there yet, and return at once."""
    running = noted_server(home, name)
    if running and (running.is_there() or running.is_up()):
        return running
    process = spawn(log_of(home, name), words)
    server = Server(name, process.pid, port, health)
    write_atomically(note(home, name), json.dumps(asdict(server)).encode())
    return server


def spawn(log: Path, words: list[str], stdin: int | None = None) -> "subprocess.Popen[bytes]":
    """Start `python -m` with some words as the leader of a new group; its output goes to a log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        command = [sys.executable, "-m", *words]
        return subprocess.Popen(
            command, stdin=stdin, stdout=output, stderr=output, cwd=CHECKOUT, start_new_session=True
        )


def wait_for(home: Path, name: str) -> Server:
    """A server that was launched, once it answers. Raises DependencyDown, with the end of its log, if it does not."""
    server = find_server(home, name)
    if server is None:
        stop_server(home, name)
        log = log_of(home, name)
        raise DependencyDown(f"{name} did not start; {log} ends with:\n{last_lines(log)}", fix="Run `mlops doctor`.")
    return server


def log_of(home: Path, name: str) -> Path:
    """Where a server's output goes."""
    return home / "servers" / f"{name}.log"


def stop_server(home: Path, name: str) -> bool:
    """Stop a server with all its processes, and wait for their end."""
    server = noted_server(home, name)
    if server is None:
        note(home, name).unlink(missing_ok=True)
        return False
    was_there = server.is_there() or is_left_over(server)
    if was_there:
        for sign, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            with suppress(ProcessLookupError):
                os.killpg(server.pid, sign)
            if wait_until(lambda: not server.is_there() and not is_left_over(server), seconds):
                break
    note(home, name).unlink()
    return was_there


def is_left_over(server: Server) -> bool:
    """Whether a process that it has started, for its port, lives on in its group."""
    return any(is_for_port(process, server.port) for process in members(server.pid))


def members(group: int) -> list[int]:
    """The processes of a group."""
    if Path("/proc/self").exists():
        return [int(process.name) for process in Path("/proc").glob("[0-9]*") if group_of(int(process.name)) == group]
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid="], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid, of in map(str.split, listed.splitlines()) if of == str(group)]


def group_of(process: int) -> int | None:
    """A process's group; None if it has ended."""
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return None

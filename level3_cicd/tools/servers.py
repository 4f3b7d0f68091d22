"""Servers for Prefect and MLflow, on free ports of this machine: `mlops up` and `mlops down`, and runs.

Everything works without the long-lived ones; with them a pipeline need not wait for a temporary Prefect server,
and both pages can be looked at.
"""

import os
import subprocess
from functools import cache
from pathlib import Path

from filelock import FileLock

from level3_cicd.tools.mlflow_client import MLFLOW_SETTINGS, mlflow_client, talking_to_mlflow, tracking_uri
from level3_cicd.tools.prefect_settings import SERVERS_LOG, prefect_settings
from shared.errors import DependencyDown
from shared.places import write_atomically
from shared.service import process
from shared.service.process import HOST, Process, free_port, last_lines, log_file, read_record, record_file
from shared.service.waiting import wait_until

SECONDS_TO_START = 120
PREFECT = "prefect"
PREFECT_HEALTH = "/api/health"
OF_ANOTHER_VERSION = ("locate revision", "no such column", "no such table", "not a database", "malformed")
FOR_A_RUN = "prefect-for-run"


def servers_folder(home: Path) -> Path:
    """The folder of the servers' records and logs."""
    return home / "servers"


def mlflow_name(level: Path) -> str:
    """The name of the MLflow server on a level's registry."""
    return f"mlflow-{level.name}"


def recorded_server(home: Path, name: str) -> Process | None:
    """The server that was recorded last, whether it runs or not."""
    return read_record(servers_folder(home), name)


def find_server(home: Path, name: str) -> Process | None:
    """A server that answers; one that is just starting is waited for. None if there is none, or it does not come up."""
    server = recorded_server(home, name)
    if server is None or not comes_up(server):
        return None
    return server


def comes_up(server: Process) -> bool:
    """Wait until a server answers; False if it ends before, or does not answer in time."""
    wait_until(lambda: server.is_answering() or not server.is_running(), SECONDS_TO_START)
    return server.is_running() and server.is_answering()


def launch_prefect(home: Path) -> Process:
    """Prefect's server, or the one that runs already. It needs a while until it answers: `find_server` waits."""
    port = free_port(4200)
    settings = prefect_settings(home) | SERVERS_LOG
    settings["PREFECT_SERVER_UI_API_URL"] = f"http://{HOST}:{port}/api"  # or its page looks for it at port 4200
    words = ["prefect", "server", "start", "--host", HOST, "--port", str(port)]
    return launch(home, PREFECT, port, PREFECT_HEALTH, words, settings)


def launch_mlflow(home: Path, level: Path) -> Process:
    """MLflow's server on a level's registry, or the one that runs already."""
    with talking_to_mlflow():
        mlflow_client(level)  # creates the database, if it is not there, before the server opens it
    port = free_port(5000)
    words = ["mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", tracking_uri(level)]
    settings = MLFLOW_SETTINGS | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # it would start a minute later
    return launch(home, mlflow_name(level), port, "/version", words, settings)


def launch(home: Path, name: str, port: int, health: str, words: list[str], settings: dict[str, str]) -> Process:
    """Start a server, if it is not there yet, and return at once. Two that start the same one take turns."""
    servers_folder(home).mkdir(parents=True, exist_ok=True)
    with FileLock(servers_folder(home) / f".{name}.lock"):
        recorded = recorded_server(home, name)
        if recorded and recorded.is_running():
            return recorded
        return process.launch(servers_folder(home), name, words, port, health, settings=settings)[0]


def wait_for(home: Path, name: str) -> Process:
    """A server that was launched, once it answers. Raises DependencyDown, with the end of its log, if it does not."""
    server = find_server(home, name)
    if server is None:
        stop_server(home, name)
        log = log_file(servers_folder(home), name)
        told = last_lines(log)
        raise DependencyDown(f"{name} did not start; {log} ends with:\n{told}", fix=way_out(home, name, told))
    return server


def way_out(home: Path, name: str, told: str) -> str:
    """What helps a server that does not come up, by its own last words.

    >>> way_out(Path("/home"), "prefect", "CommandError: Can't locate revision identified by 'f'")
    'Move /home/prefect aside: of another version, or damaged; no release is in it.'
    """
    if name.startswith(PREFECT) and any(word in told for word in OF_ANOTHER_VERSION):
        return f"Move {home / 'prefect'} aside: of another version, or damaged; no release is in it."
    if "database is locked" in told:
        return "Another program holds its database: end that one, or wait, and try again."
    return f"Mend what {log_file(servers_folder(home), name)} says; `mlops down` stops what is left; then try again."


def stop_server(home: Path, name: str) -> bool:
    """Stop a server with all its processes, and wait for their end; False if none was running."""
    return process.stop(servers_folder(home), name)


def launch_for_runs(home: Path) -> Process:
    """Prefect's server for this process's runs: the long-lived one, if there is one, else one that ends with it."""
    server = recorded_server(home, PREFECT)
    if server and server.is_running():
        return server
    server, child = temporary_prefect(home)
    if child.poll() is None:
        return server
    temporary_prefect.cache_clear()
    return temporary_prefect(home)[0]


@cache
def temporary_prefect(home: Path) -> tuple[Process, "subprocess.Popen[bytes]"]:
    """A Prefect server that ends with this process; kept for all its runs, as it needs 20 s to start.

    Two that migrate an empty database at once crash: the first of a home is waited for by all others.
    """
    if not migrated_file(home).exists():
        migration(home).acquire()
    port = free_port(0)
    words = ["level3_cicd.tools.prefect_server", "--port", str(port), "--no-ui"]
    name = f"{FOR_A_RUN}-{os.getpid()}"
    forget_ended_runs(home)
    return process.launch(
        servers_folder(home), name, words, port, PREFECT_HEALTH, subprocess.PIPE, prefect_settings(home) | SERVERS_LOG
    )


def wait_for_runs(home: Path, server: Process) -> str:
    """The address of Prefect's API, once it answers. Raises DependencyDown if it does not."""
    try:
        if not comes_up(server):
            told = last_lines(log_file(servers_folder(home), server.name))
            raise DependencyDown(
                f"Prefect's server does not answer at {server.url}:\n{told}", fix=way_out(home, server.name, told)
            )
        write_atomically(migrated_file(home), b"")
    finally:
        migration(home).release()
    return f"{server.url}/api"


def migrated_file(home: Path) -> Path:
    """The file that says that Prefect's database was migrated."""
    return home / "prefect" / ".migrated"


@cache
def migration(home: Path) -> FileLock:
    """The lock of the first server on a home's Prefect database, held until it answers."""
    servers_folder(home).mkdir(parents=True, exist_ok=True)
    return FileLock(servers_folder(home) / ".migration.lock")


def forget_ended_runs(home: Path) -> None:
    """Remove records and logs of temporary servers whose process has ended."""
    for record in servers_folder(home).glob(f"{FOR_A_RUN}-*.json"):
        if "@" in record.stem or record_file(record.parent, record.stem) != record:  # another host's
            continue
        server = recorded_server(home, record.stem)
        if server is None or not server.is_running():
            record.unlink(missing_ok=True)
            log_file(record.parent, record.stem).unlink(missing_ok=True)

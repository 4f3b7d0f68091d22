"""Services and servers as processes of their own: launched, recorded, found again and stopped.

One record per process lies beside its log: a level's service in the level's folder, a server of level 3's tools
below `servers/`. A process counts as the recorded one if its number and its creation time are the same.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import psutil
from filelock import FileLock

from shared.errors import DependencyDown, UsageError
from shared.identity import home_name, this_host
from shared.places import is_writable, write_atomically
from shared.service.client import get_json, is_answering, recommendations_of
from shared.service.waiting import wait_until
from shared.surroundings import own_environment

HOST = "127.0.0.1"
SERVICE = "service"
SECONDS_TO_START = 60.0
# Before what each start writes to its log.
STARTS = "--- starting "
DEPLOY_FIRST = "Train and deploy a release first."


@dataclass(frozen=True)
class Process:
    """A process that was launched and listens to a port of this machine.

    create_time: seconds from the machine's start to the process's, so that a clock that is set changes nothing.
    health: the path that answers as soon as the process does.
    """

    pid: int
    port: int
    create_time: float = 0.0
    name: str = SERVICE
    health: str = "/healthz"

    @property
    def url(self) -> str:
        """The address at which it listens."""
        return f"http://{HOST}:{self.port}"

    def get(self, path: str, seconds: float = 10) -> Any:
        """The parsed JSON answer to a GET. Raises DependencyDown if there is none."""
        return get_json(self.url + path, seconds)

    def recommend(self, customer: str, k: int = 5) -> dict[str, Any]:
        """One customer's list of k products."""
        return recommendations_of(self.url, customer, k)

    def is_running(self) -> bool:
        """True while the recorded process is there, whether it answers or not; a zombie is not running."""
        return self.create_time > 0 and create_time_of(self.pid) == self.create_time

    def is_answering(self) -> bool:
        """True if its health path answers, whoever listens there."""
        return is_answering(self.url + self.health)

    def is_itself(self) -> bool:
        """True if the recorded process, and not another one, answers at its port. For services: they name their pid."""
        try:
            return bool(self.get(self.health, seconds=2)["pid"] == self.pid)
        except (DependencyDown, KeyError, TypeError):
            return False


def create_time_of(pid: int) -> float:
    """Seconds from the machine's start to a process's; 0 if there is none, or only its remains."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return round(process.create_time() - psutil.boot_time(), 2)
    return 0.0


def record_file(folder: Path, name: str = SERVICE) -> Path:
    """The file in which a process of this host is recorded as running.

    Where several hosts share a home, the first one's has the usual name, and nobody touches another's.
    """
    usual = folder / f"{name}.json"
    host = read_stamp(usual).get("host", "")
    return usual if host in ("", this_host()) else folder / f"{name}@{quote(this_host(), safe='')}.json"


def read_stamp(record: Path) -> dict[str, str]:
    """Which home and which host a record is of; nothing where it does not say so, or cannot be read."""
    try:
        known = json.loads(record.read_bytes())
        return {key: str(known[key]) for key in ("home", "host") if key in known}
    except (OSError, ValueError, TypeError):
        return {}


def is_of_another_home(record: Path) -> bool:
    """Whether a record came here with a copy of the home that it was written for."""
    home = read_stamp(record).get("home")
    return bool(home) and home != home_name(record.parent)


def hosts_elsewhere(folder: Path, name: str = SERVICE) -> list[str]:
    """The other hosts of this home that have recorded a process in a folder: nobody here can ask or stop those."""
    mine = home_name(folder)
    stamps = map(read_stamp, folder.glob(f"{name}*.json"))
    return sorted({at["host"] for at in stamps if at.get("home") == mine and at.get("host") != this_host()})


def log_file(folder: Path, name: str = SERVICE) -> Path:
    """The file that a launched process's output goes to."""
    return folder / f"{name}.log"


def write_record(folder: Path, process: Process) -> Process:
    """Record a process as running, for this home and host."""
    stamp = {"home": home_name(folder), "host": this_host()}
    write_atomically(record_file(folder, process.name), json.dumps(asdict(process) | stamp).encode())
    return process


def read_record(folder: Path, name: str = SERVICE) -> Process | None:
    """The process that was recorded last, whether it runs or not.

    None also where the record cannot be read, or was written for another home: this one is a copy of it then.
    """
    record = record_file(folder, name)
    if is_of_another_home(record):
        return None
    try:
        known = json.loads(record.read_bytes())
        plain = {key: value for key, value in known.items() if key not in ("home", "host")}
        return Process(**plain | {"create_time": float(known["create_time"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def find(folder: Path, even_if_it_hangs: bool = False) -> Process | None:
    """A folder's service, if it answers; one that runs but does not answer, if asked for."""
    recorded = read_record(folder)
    if recorded is None:
        return None
    there = recorded.is_itself() or (even_if_it_hangs and recorded.is_running())
    return recorded if there else None


def starting(folder: Path) -> AbstractContextManager:
    """The lock of those who look for a folder's service and start it if there is none; a second one waits.

    Where nothing can be written, none can be started, and whoever only asks needs no lock.
    """
    if not is_writable(folder):
        return nullcontext()
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".service.lock")


@contextmanager
def recorded_as_running(folder: Path, port: int) -> Iterator[None]:
    """Record this very process as the folder's service, for as long as the block runs.

    Raises UsageError if the folder has one already.
    """
    with starting(folder):
        there = find(folder, even_if_it_hangs=True)
        if there:
            raise UsageError(f"The service runs already, at {there.url}.", fix="Stop it first: `mlops down`.")
        itself = write_record(folder, Process(os.getpid(), port, create_time_of(os.getpid())))
    try:
        yield
    finally:
        if read_record(folder) == itself:
            record_file(folder).unlink(missing_ok=True)


def launch(
    folder: Path,
    name: str,
    words: Sequence[str],
    port: int,
    health: str = "/healthz",
    stdin: int | None = None,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Process, "subprocess.Popen[bytes]"]:
    """Start `python -m words` as the leader of a group of its own and return at once; record and log go to `folder`.

    `settings`: variables that it needs beside our own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = {**own_environment(), "PYTHONUTF8": "1", **settings}
    with log_file(folder, name).open("ab") as output:
        output.write(f"{STARTS}{words[0]} at port {port}\n".encode())
        output.flush()
        started = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=stdin or subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, env=own,
            start_new_session=True,
        )  # fmt: skip
    process = Process(started.pid, port, create_time_of(started.pid), name, health)
    return write_record(folder, process), started


def launch_service(
    folder: Path, module: str, wanted_port: int, words: Sequence[str] = (), stdin: int | None = None
) -> tuple[Process, "subprocess.Popen[bytes]"]:
    """Launch a level's service at the wanted port, or another one if that is taken."""
    port = free_port(wanted_port)
    return launch(folder, SERVICE, [module, "--port", str(port), *words], port, stdin=stdin)


def start(folder: Path, module: str, wanted_port: int, words: Sequence[str] = (), needs: str = "/readyz") -> Process:
    """Launch a service and wait until it is ready. Raises DependencyDown if it ends, or has nothing to serve.

    With `needs="/healthz"` it may have nothing to serve yet.
    """
    running, child = launch_service(folder, module, wanted_port, words)
    wait_until(lambda: running.is_answering() or child.poll() is not None, SECONDS_TO_START)
    try:
        running.get(needs, seconds=2)
    except DependencyDown as error:
        came_up = running.is_answering()
        stop(folder)
        if came_up:
            raise DependencyDown(f"The service has nothing to answer with: {error}", fix=DEPLOY_FIRST) from error
        log = log_file(folder)
        raise DependencyDown(
            f"The service did not start; {log} says why:\n{last_lines(log)}",
            fix=f"Mend what {log} says, and try again.",
        ) from error
    return running


def stop(folder: Path, name: str = SERVICE, seconds: float = 10) -> bool:
    """Stop a folder's process with those that it has started, if one runs, and wait for their end."""
    recorded = read_record(folder, name)
    members = members_of(recorded) if recorded else []
    for end in (psutil.Process.terminate, psutil.Process.kill) if members else ():
        for member in members:
            with suppress(psutil.NoSuchProcess):
                end(member)
        if not psutil.wait_procs(members, timeout=seconds)[1]:
            break
    record_file(folder, name).unlink(missing_ok=True)
    return bool(members)


def members_of(recorded: Process) -> list[psutil.Process]:
    """The recorded process, if it runs, and what lives on in the group that it leads: those started for its port."""
    leader = [psutil.Process(recorded.pid)] if recorded.is_running() or recorded.is_itself() else []
    others = [one for one in psutil.process_iter() if one.pid != recorded.pid and group_of(one.pid) == recorded.pid]
    return leader + [one for one in others if f"--port {recorded.port}" in command_of(one.pid)]


def group_of(pid: int) -> int | None:
    """A process's group; None if the process has ended."""
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def command_of(pid: int) -> str:
    """The command line of a process; empty if there is none, or only its remains."""
    with suppress(psutil.Error):
        return " ".join(psutil.Process(pid).cmdline())
    return ""


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
    raise DependencyDown("No port is free.", fix="Stop what listens to the ports of this machine.")


def last_lines(log: Path, lines: int = 5) -> str:
    """The last words of what was started last, without where in its code it stood; empty if it said nothing."""
    if not log.exists():
        return ""
    _, started, told = f"\n{log.read_text(errors='replace')}".rpartition(f"\n{STARTS}")
    lines_told = told.splitlines()[1 if started else 0 :]
    words = [line for line in lines_told if line.strip() and not line.startswith((" ", "\t", "Traceback"))]
    return "\n".join(words[-lines:])

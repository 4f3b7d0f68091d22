"""Kills training, deployments and rollbacks with SIGKILL before each of their writes, and at random moments.

Run it by hand: `PYTHONPATH=. .venv/bin/python tests/e2e/kills.py` (about 40 minutes). All the while a client asks
the live service 50 times a second. After each kill the pointer must be whole, every version in the registry
complete, and the same command, typed again, must work and leave nothing behind. Then twenty deployments and
rollbacks follow, none of them killed. It ends with a table; exit code 1 if anything was not as it must be.

A write is a file opened for writing, renamed or removed, a folder made or removed, an SQLite file opened, a row
changed in MLflow's database, or a request that changes something at Prefect's server. The commands run in forks
of one process that has imported everything already; that saves half an hour.
Not counted are removals inside of `shutil.rmtree`, which name no whole path, and what a staging service does.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from level3_cicd import deploy, pipeline
from level3_cicd.config import CONFIG
from level3_cicd.ledger import live_rows, verdicts_of_gate
from level3_cicd.tools.servers import launch_prefect, stop_server, wait_for
from shared.dataset.feed import open_feed
from shared.errors import MlopsError
from shared.release.manifest import verify
from shared.release.pointer import require_pointer
from shared.service.process import Process, find, start, stop

AS_OF = date(2017, 6, 4)
RANDOM_KILLS = 10
SWITCHES = 20
MOST_WRITES = 2000
FILE_EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect")
CHANGING = ("INSERT", "UPDATE", "DELETE", "CREATE")


def count_writes(home: Path, kill_at: int, seen: list[int]) -> None:
    """Count this process's writes in `seen`, and kill it before the one of a number."""
    import httpx
    import sqlalchemy

    def write() -> None:
        seen[0] += 1
        if seen[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_event(event: str, given: tuple[Any, ...]) -> None:
        opens = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (opens or event in FILE_EVENTS) and str(home) in str(given[0]):
            write()

    def on_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(CHANGING):
            write()

    def watched(send: Callable[..., Any]) -> Callable[..., Any]:
        def watch(client: Any, request: httpx.Request, *words: Any, **named: Any) -> Any:
            if request.method != "GET":
                write()
            return send(client, request, *words, **named)

        return watch

    sys.addaudithook(on_event)
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", on_statement)
    sqlalchemy.event.listen(sqlalchemy.Engine, "commit", lambda connection: write())
    for client in (httpx.Client, httpx.AsyncClient):
        client.send = watched(client.send)  # type: ignore[method-assign]


def in_fork(work: Callable[[], object], home: Path, kill_at: int = 0, after: float | None = None) -> tuple[str, int]:
    """Do some work in a fork; ("ended", its number of writes), or ("killed", 0). Raises if it fails."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code, seen = 1, [0]
        try:
            count_writes(home, kill_at, seen)
            work()
            os.write(writing, str(seen[0]).encode())
            code = 0
        except BaseException:  # noqa: BLE001  a fork must not go on with its parent's program
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    with os.fdopen(reading) as told:
        writes = int(told.read() or 0)
    if os.WIFSIGNALED(status):
        return "killed", 0
    if os.WEXITSTATUS(status):
        raise AssertionError("the command failed")
    return "ended", writes


@dataclass(frozen=True)
class Place:
    """Where it happens; `number` makes each training and each try-out a new one, `target` is what is to be live."""

    home: Path
    number: list[int]
    target: list[str]

    @property
    def level(self) -> Path:
        """Level 3's folder."""
        return self.home / "level3"

    def train(self) -> None:
        """Train, judge and register a release, nothing of it from the cache."""
        config = self.home / "config.toml"
        config.write_text(CONFIG.read_text().replace("half_life = 84.0", f"half_life = {84 + self.number[0] / 1000}"))
        pipeline.run(self.level, AS_OF, config_file=config)

    def deploy(self) -> None:
        """Deploy the target, through staging."""
        deploy.this_code = lambda: {"try": str(self.number[0])}  # type: ignore[assignment]
        deploy.deploy(self.level, self.target[0], AS_OF)

    def next(self) -> None:
        """Another round: the target is the release that is not live, to which a rollback goes, too."""
        self.number[0] += 1
        self.target[0] = "1.1" if require_pointer(self.level).release == "1.0" else "1.0"

    def rollback(self) -> None:
        """Go back."""
        deploy.rollback(self.level, AS_OF)


def look(place: Place) -> None:
    """What must be so at any moment: the pointer names a whole bundle, and every version in the registry has one."""
    from level3_cicd.tools.registry import fetch, registered

    pointer = require_pointer(place.level)
    verify(place.level / pointer.bundle, pointer.bundle_digest)
    for release in [*registered(place.level)][-2:]:
        fetch(place.level, release)


def look_after(place: Place) -> None:
    """What must be so after a command has ended: nothing is left behind, the ledger and the aliases are true."""
    from level3_cicd.tools.mlflow_client import mlflow_client
    from level3_cicd.tools.registry import NAME, deployable, experiment_id, registered

    look(place)
    level, client = place.level, mlflow_client(place.level)
    pointer = require_pointer(level)
    assert live_rows(level)[-1].bundle_digest == pointer.bundle_digest, "the ledger lies"
    assert client.search_runs([experiment_id(client)], "attributes.status = 'RUNNING'") == [], "a run is left open"
    assert open_flow_runs() == 0, "a flow run is left open"
    assert [*level.glob(".train.*")] == [], "training left files behind"
    assert processes_of(level / "staging") == [], "a staging service was left running"
    releases = registered(level)
    assert {row.release for row in verdicts_of_gate(level)} == set(releases), "a verdict is not written down"
    candidate = client.get_model_version_by_alias(NAME, "candidate").version
    assert candidate == deployable(level, releases)[-1].version, "the alias candidate is behind"


def processes_of(folder: Path) -> list[str]:
    """Processes that name a folder on their command line, a second after the end of what started them."""
    time.sleep(1)
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it may have ended meanwhile
            commands.append(path.read_bytes().replace(b"\0", b" ").decode())
    return [command for command in commands if str(folder) in command]


def open_flow_runs() -> int:
    """How many runs Prefect takes to be running."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return sum(run.state_name in ("Running", "Pending") for run in client.read_flow_runs())


def look_at_champion(place: Place) -> None:
    """After a deployment, `champion` is what is live."""
    from level3_cicd.tools.mlflow_client import mlflow_client
    from level3_cicd.tools.registry import NAME, registered

    look_after(place)
    champion = mlflow_client(place.level).get_model_version_by_alias(NAME, "champion").version
    assert champion == registered(place.level)[require_pointer(place.level).release].version, "champion is behind"


def kill_once(place: Place, command: str, kill_at: int = 0, after: float | None = None) -> str:
    """Kill a command, look, type it again, and look again; returns how the first one ended."""
    place.next()
    outcome, _ = in_fork(getattr(place, command), place.home, kill_at, after)
    in_fork(lambda: look(place), place.home)
    if outcome == "killed":
        in_fork(getattr(place, command), place.home)
        is_live = require_pointer(place.level).release == place.target[0]
        assert is_live or command == "train", "the command, typed again, did something else"
    in_fork(lambda: (look_at_champion if command == "deploy" else look_after)(place), place.home)
    return outcome


def kill_command(place: Place, command: str, first: int, each: int) -> str:
    """Kill a command before each of its writes, or each nth, and at random; returns a line of the table."""
    for _ in range(2):  # the first one is slower, as nothing is in the disk's cache
        place.next()
        began = time.monotonic()
        _, writes = in_fork(getattr(place, command), place.home)
        took = time.monotonic() - began
    kills = 0
    for number in range(first, MOST_WRITES, each):
        outcome = kill_once(place, command, kill_at=number)
        sys.stderr.write(f"{command}, before write {number} of about {writes}: {outcome}\n")
        if outcome == "ended":
            break
        kills += 1
    chance = random.Random(0)
    moments: list[float] = []
    while len(moments) < RANDOM_KILLS:
        moment = chance.uniform(0, took)
        if kill_once(place, command, after=moment) == "killed":
            moments.append(moment)
            sys.stderr.write(f"{command}, after {moment:.2f} s of about {took:.2f} s: killed\n")
    return f"| {command} | {kills} | {len(moments)} |"


def prepare(home: Path) -> Place:
    """A level with two releases, the second one live, and everything imported, but no connection open."""
    place = Place(home, [0], [""])
    open_feed(home / "shop")
    launch_prefect(home)
    os.environ["MLOPS_PREFECT_URL"] = f"{wait_for(home, 'prefect').url}/api"
    pipeline.prepare_prefect(home)
    from level3_cicd import flow, tools  # noqa: F401

    import_mlflow()
    for release in ("1.0", "1.1"):
        place.number[0] += 1
        in_fork(place.train, home)
        in_fork(lambda release=release: deploy.deploy(place.level, release, AS_OF), home)  # type: ignore[misc]
    return place


def import_mlflow() -> None:
    """Import what the forks need of MLflow. A client of its own would share its connection with them."""
    import mlflow.pyfunc
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401


def keep_asking(level: Path) -> None:
    """50 questions a second until stopped; then print how many there were, and which were not answered."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    service = find(level)
    asked, failures = 0, []
    while service and not stopped:
        try:
            service.recommend("1")
        except MlopsError as error:
            failures.append(str(error))
        asked += 1
        time.sleep(0.02)
    sys.stdout.write(json.dumps({"asked": asked, "failures": failures}))


def main(commands: list[str], first: int, each: int) -> int:
    """Kill, look, and print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["MLOPS_HOME"] = temporary
        place = prepare(Path(temporary))
        service: Process = start(place.level, "level3_cicd.serve", 8003)
        asking = subprocess.Popen([sys.executable, __file__, "--ask", str(place.level)], stdout=subprocess.PIPE)
        try:
            lines = [kill_command(place, command, first, each) for command in commands]
            for _ in range(SWITCHES):
                place.next()
                in_fork(place.deploy, place.home)
                in_fork(place.rollback, place.home)
            assert find(place.level) == service, "the service was replaced"
        finally:
            asking.terminate()
            told = json.loads(asking.communicate()[0])
            stop(place.level)
            stop_server(place.home, "prefect")
    print_table(lines, told)
    return 1 if told["failures"] or not told["asked"] else 0


def print_table(lines: list[str], told: dict[str, Any]) -> None:
    """The table, in Markdown."""
    text = ["| command | kills before a write | kills at random |", "|---|---|---|", *lines]
    text.append(
        f"\nAfter each: pointer whole, versions complete, the same command works, nothing left behind. Then "
        f"{SWITCHES} deployments and {SWITCHES} rollbacks.\n"
        f"{len(told['failures'])} of {told['asked']:,} questions of a client failed. {told['failures'][:3] or ''}"
    )
    sys.stdout.write("\n".join(text) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", default=["train", "deploy", "rollback"])
    parser.add_argument("--first", type=int, default=1, help="the first write to kill before")
    parser.add_argument("--each", type=int, default=1, help="kill before each nth write only")
    parser.add_argument("--ask", type=Path)
    given = parser.parse_args()
    if given.ask:
        keep_asking(given.ask)
    else:
        sys.exit(main(given.commands, given.first, given.each))

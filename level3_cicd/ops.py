"""Operations: the servers that Prefect and MLflow may use, started and stopped by `mlops up` and `mlops down`."""

from pathlib import Path

from filelock import FileLock, Timeout

from level3_cicd.tools.servers import (
    PREFECT,
    launch_mlflow,
    launch_prefect,
    mlflow_name,
    recorded_server,
    stop_server,
    wait_for,
)


def start_servers(level: Path) -> dict[str, str]:
    """Start both servers; the addresses of their pages by name."""
    home = level.parent
    launched = [launch_prefect(home), launch_mlflow(home, level)]
    prefect, mlflow = (wait_for(home, server.name) for server in launched)
    releases = f"{mlflow.url}/#/models/recommender"
    return {prefect.name: prefect.url, mlflow.name: mlflow.url, "  releases": releases}


def stop_servers(level: Path) -> list[str]:
    """Stop the level's MLflow server, and Prefect's if no other level's run uses it; the names of those that ran."""
    home = level.parent
    ours = [mlflow_name(level)] if is_used_elsewhere(level) else [PREFECT, mlflow_name(level)]
    return [name for name in ours if stop_server(home, name)]


def running_servers(level: Path) -> list[str]:
    """The names of the servers that run for this level alone."""
    server = recorded_server(level.parent, mlflow_name(level))
    return [server.name] if server and server.is_running() else []


def is_used_elsewhere(level: Path) -> bool:
    """True if a pipeline of another level in this home is running: it may use Prefect's server, which all share."""
    others = [lock for lock in level.parent.glob("level*/.pipeline.lock") if lock.parent != level]
    return any(map(is_held, others))


def is_held(lock: Path) -> bool:
    """True if somebody holds a lock."""
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True

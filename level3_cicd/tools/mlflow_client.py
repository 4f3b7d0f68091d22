"""MLflow and Prefect, set up for one level: state below its folder, telemetry off, known traps avoided.

Both are slow to import, so nothing here imports them before it is asked to.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from filelock import FileLock

from shared.errors import DependencyDown
from shared.identity import home_name
from shared.places import sqlite_url, write_atomically
from shared.surroundings import TELEMETRY_OFF, own_environment

if TYPE_CHECKING:
    from mlflow import MlflowClient


EXPERIMENT = "recommender"
MLFLOW_SETTINGS = {
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # its 7 retries hide a server that is down for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
WAYS_OUT = (
    (("database is locked",), "Another program holds its database: end that one, or wait, and try again."),
    (
        ("out-of-date", "locate revision", "no such table", "no such column"),
        "Another version of MLflow wrote its database: use that, or `mlflow db upgrade` with its URL, after a backup.",
    ),
    (("not a database", "malformed"), "Its database is damaged: bring it back from a backup."),
    (
        ("readonly", "read-only", "disk is full", "disk i/o"),
        "Look at its disk: its space, and who may write there.",
    ),
    (
        ("401", "403", "unauthorized", "permission"),
        "Look at MLFLOW_TRACKING_USERNAME and _PASSWORD, or _TOKEN.",
    ),
    (
        ("active' state", "deleted state"),
        "It is in the trash: `mlflow experiments restore` brings it back.",
    ),
)
OTHERWISE = "Start MLflow again, or mend its database."
# Where MLflow's tables name files.
PLACES_OF_FILES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)


def identity_of(level: Path) -> str:
    """What tells a level's runs from others' on a server that is shared: a copy of a home has another one."""
    name = home_name(level)
    if name:
        return f"{name}-{level.name}"
    file = level / "place"
    if not file.exists():
        write_atomically(file, uuid4().hex.encode())
    return file.read_text()


def tracking_uri(level: Path) -> str:
    """Where MLflow keeps runs and versions: `MLOPS_MLFLOW_URI`, else SQLite in the level's folder."""
    return os.environ.get("MLOPS_MLFLOW_URI") or sqlite_url(level.resolve() / "mlflow.db")


def has_registry(level: Path) -> bool:
    """True if there is a registry that can be asked: a tracking server, or a database in the level's folder."""
    return bool(os.environ.get("MLOPS_MLFLOW_URI")) or (level / "mlflow.db").exists()


@cache
def mlflow_client(level: Path) -> "MlflowClient":
    """A client for the level's registry. The first one creates the database, under a lock.

    Several processes that open an empty database at once crash in its migrations.
    """
    use_own_settings()
    import logging

    for noisy in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    from mlflow import MlflowClient

    read_percent_in_paths()
    level.mkdir(parents=True, exist_ok=True)
    with FileLock(level / ".mlflow.lock"):
        find_artifacts_here(level)
        client = MlflowClient(tracking_uri(level), registry_uri=tracking_uri(level))
        if client.get_experiment_by_name(EXPERIMENT) is None:
            # A server has its own place for artifacts, which other machines reach, too.
            here = None if tracking_uri(level).startswith("http") else artifacts_uri(level)
            client.create_experiment(EXPERIMENT, artifact_location=here)
    return client


def artifacts_uri(level: Path) -> str:
    """Where a level's own registry keeps the files of its runs."""
    return (level.resolve() / "artifacts").as_uri()


def find_artifacts_here(level: Path) -> None:
    """Let a level's own registry look for its files where it is now: MLflow notes full paths, and a home may be moved.

    A copy would write into its original's folders otherwise. A registry that the user names is left as it is.
    """
    database = level / "mlflow.db"
    if os.environ.get("MLOPS_MLFLOW_URI") or not database.exists():
        return
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        noted = connection.execute("SELECT artifact_location FROM experiments WHERE name = ?", (EXPERIMENT,)).fetchone()
        before, now = noted[0] if noted else "", artifacts_uri(level)
        if before == now or not before.startswith("file:"):
            return
        for table, column in PLACES_OF_FILES:
            if column in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
                connection.execute(
                    f"UPDATE {table} SET {column} = :now || substr({column}, :size) "  # noqa: S608  our own names
                    f"WHERE {column} = :before OR substr({column}, 1, :size) = :before || '/'",
                    {"now": now, "before": before, "size": len(before) + 1},
                )


def read_percent_in_paths() -> None:
    """Let MLflow find its migrations where its own path holds a `%`, which it hands on as if it were a placeholder."""
    from mlflow.store.db import utils

    migrations = Path(utils.__file__).parents[1] / "db_migrations"
    if "%" not in str(migrations):
        return
    from alembic.config import Config

    def find_migrations(db_url: str, alembic_dir: str | None = None) -> Config:
        folder = alembic_dir or str(migrations)
        config = Config(str(Path(folder) / "alembic.ini"))
        config.set_main_option("script_location", folder.replace("%", "%%"))
        config.set_main_option("sqlalchemy.url", db_url.replace("%", "%%"))
        return config

    utils._get_alembic_config = find_migrations


def use_own_settings() -> None:
    """Make MLflow's settings, before its first import: the user's own, but for a server that is named, do not count."""
    own = own_environment()
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "_MLFLOW_")) and name not in own]:
        del os.environ[name]
    os.environ.update(TELEMETRY_OFF | MLFLOW_SETTINGS)


@contextmanager
def talking_to_mlflow() -> Iterator[None]:
    """Turn MLflow's own errors, and its database's, into DependencyDown."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, RequestException, sqlite3.Error) as error:
        told = str(error or type(error).__name__).strip().partition("\n")[0].split(": Max retries")[0][:300]
        raise DependencyDown(f"The registry does not answer: {told}", fix=way_out(told)) from error


def way_out(told: str) -> str:
    """What helps a registry, by its own words.

    >>> way_out("(sqlite3.OperationalError) database is locked")
    'Another program holds its database: end that one, or wait, and try again. What is live goes on answering.'
    """
    found = next((helps for words, helps in WAYS_OUT if any(word in told.lower() for word in words)), OTHERWISE)
    return f"{found} What is live goes on answering."

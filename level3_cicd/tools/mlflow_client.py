"""MLflow and Prefect, set up for one level: state below its folder, telemetry off, known traps avoided.

Both are slow to import, so nothing here imports them before it is asked to.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from filelock import FileLock

from shared.errors import DependencyDown
from shared.places import write_atomically

if TYPE_CHECKING:
    from mlflow import MlflowClient


EXPERIMENT = "recommender"


def identity_of(level: Path) -> str:
    """A name that a level's folder keeps: what tells its runs from others' on a server that is shared."""
    file = level / "place"
    if not file.exists():
        write_atomically(file, uuid4().hex.encode())
    return file.read_text()


def tracking_uri(level: Path) -> str:
    """Where MLflow keeps runs and versions: `MLOPS_MLFLOW_URI`, else SQLite in the level's folder."""
    return os.environ.get("MLOPS_MLFLOW_URI") or f"sqlite:///{level}/mlflow.db"


@cache
def mlflow_client(level: Path) -> "MlflowClient":
    """A client for the level's registry. The first one creates the database, under a lock.

    Several processes that open an empty database at once crash in its migrations.
    """
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
    settings = {
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # its 7 retries hide a server that is down for minutes
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    import logging

    for noisy in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    from mlflow import MlflowClient

    level.mkdir(parents=True, exist_ok=True)
    with FileLock(level / ".mlflow.lock"):
        client = MlflowClient(tracking_uri(level), registry_uri=tracking_uri(level))
        if client.get_experiment_by_name(EXPERIMENT) is None:
            # A server has its own place for artifacts, which other machines reach, too.
            here = None if tracking_uri(level).startswith("http") else (level / "artifacts").as_uri()
            client.create_experiment(EXPERIMENT, artifact_location=here)
    return client


@contextmanager
def talking_to_mlflow() -> Iterator[None]:
    """Turn MLflow's own errors, and its database's, into DependencyDown."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, RequestException) as error:
        told = str(error or type(error).__name__).strip().partition("\n")[0].split(": Max retries")[0][:300]
        raise DependencyDown(
            f"The registry does not answer: {told}",
            fix="Start MLflow again, or mend its database. What is live goes on answering.",
        ) from error

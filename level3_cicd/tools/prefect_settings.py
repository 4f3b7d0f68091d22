"""Settings for Prefect, made before its first import. The user's own for Prefect do not count here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.places import sqlite_url
from shared.surroundings import TELEMETRY_OFF

QUIET = "CRITICAL"
# A server's log is read when it does not come up: it must say why.
SERVERS_LOG = dict.fromkeys(
    ("PREFECT_LOGGING_LEVEL", "PREFECT_LOGGING_SERVER_LEVEL", "PREFECT_INTERNAL_LOGGING_LEVEL"), "ERROR"
)


def prefect_settings(home: Path) -> dict[str, str]:
    """The variables that Prefect is to find. `MLOPS_PREFECT_URL` may name a server that is used instead of our own."""
    named = os.environ.get("MLOPS_PREFECT_URL")
    state = home / "prefect"
    return TELEMETRY_OFF | {
        "PREFECT_HOME": str(state),
        "PREFECT_PROFILES_PATH": str(state / "profiles.toml"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": sqlite_url(state / "prefect.db", "aiosqlite"),
        "PREFECT_LOGGING_LEVEL": QUIET,
        "PREFECT_LOGGING_SERVER_LEVEL": QUIET,
        "PREFECT_INTERNAL_LOGGING_LEVEL": QUIET,  # a server that goes away is told by us, once
        "PREFECT_CLI_PROMPT": "false",
        **({"PREFECT_API_URL": named} if named else {}),
    }


def prepare_prefect(home: Path) -> None:
    """Make the settings, before Prefect's first import."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ.update(prefect_settings(home))


@contextmanager
def away_from_settings_files(home: Path) -> Iterator[None]:
    """Be in a folder of our own while Prefect is imported: it reads `.env` and `prefect.toml` where it is."""
    there, state = Path.cwd(), home / "prefect"
    state.mkdir(parents=True, exist_ok=True)
    os.chdir(state)
    try:
        yield
    finally:
        os.chdir(there)

"""Settings for Prefect, made before its first import."""

import os
from pathlib import Path


def prepare_prefect(home: Path) -> None:
    """Settings for Prefect, to be made before its first import. `PREFECT_API_URL` may name a server."""
    os.environ.update(PREFECT_SERVER_ANALYTICS_ENABLED="false", DO_NOT_TRACK="true", PREFECT_HOME=str(home / "prefect"))
    settings = {
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
        "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",  # a server that goes away is told by us, once
        "PREFECT_CLI_PROMPT": "false",
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)

"""Serves a function as a Prefect deployment that runs every few minutes. Level 4's loop is started by it."""

import os
from datetime import timedelta
from pathlib import Path

from level3_cicd.tools.prefect_settings import prepare_prefect
from level3_cicd.tools.servers import launch_prefect, wait_for


def serve_every(home: Path, name: str, minutes: int, job: str) -> None:
    """Serve until stopped. job: `package.module:function`, which takes nothing; one run at a time."""
    prepare_prefect(home)
    api = os.environ.get("PREFECT_API_URL") or f"{wait_for(home, launch_prefect(home).name).url}/api"
    from prefect.settings import PREFECT_API_URL, temporary_settings

    os.environ["PREFECT_API_URL"] = api  # for the processes of the runs
    from level3_cicd.tools.scheduled import scheduled

    with temporary_settings({PREFECT_API_URL: api}):
        scheduled.serve(name=name, interval=timedelta(minutes=minutes), parameters={"job": job}, limit=1)

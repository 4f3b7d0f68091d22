"""Prefect's server for the runs of one process. It ends with that process, also if that is killed."""

import sys

from shared.service.main import end_with_starter

if __name__ == "__main__":
    end_with_starter()
    from prefect.cli import app

    sys.argv[:1] = ["prefect", "server", "start"]
    app()

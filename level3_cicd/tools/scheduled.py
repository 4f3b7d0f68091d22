"""The flow that a schedule runs. Imported only when one is served, by Prefect too, in a process for each run."""

import importlib

from prefect import flow


@flow(name="scheduled", persist_result=False)
def scheduled(job: str) -> None:
    """Call a job, named as `package.module:function`."""
    module, function = job.split(":")
    getattr(importlib.import_module(module), function)()

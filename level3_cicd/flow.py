"""The Prefect flow: plays the pipeline's steps as tasks. Imported only when a pipeline runs."""

import tempfile
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from prefect import flow, tags
from prefect.settings import PREFECT_API_URL, temporary_settings

from level3_cicd.registered import Registered
from level3_cicd.run import Run
from level3_cicd.tools.mlflow_client import identity_of
from level3_cicd.tools.run_record import RunRecord, record_of_run
from level3_cicd.tools.tasks import call_as_task
from shared.errors import DependencyDown, MlopsError
from shared.steps import Step, play

MakeRun = Callable[[RunRecord, Path], Run]


def run_flow(
    level: Path, steps: Iterable[Step], make_run: MakeRun, name: str, release: str, as_of: date, actor: str, api: str
) -> Registered:
    """Play the steps at Prefect's API, marked with their level, after closing what a kill left open.

    `make_run` makes the run from its record and from a folder that goes with it; `name` is MLflow's, too. Raises
    DependencyDown if Prefect's server or the registry does not answer, and what the steps raise.
    """

    @flow(name="recommender", flow_run_name=name, validate_parameters=False, persist_result=False)
    def recommender(release: str, as_of: date, actor: str) -> dict[str, Any]:
        with record_of_run(level, name, release, {"actor": actor}) as record, working_folder(level) as work:
            return play(steps, make_run(record, work), call_as_task)

    try:
        with temporary_settings({PREFECT_API_URL: api}), tags(level.name, identity_of(level)):
            close_crashed(identity_of(level))
            registered: Registered = recommender(release, as_of, actor)["register"]
            return registered
    except MlopsError:
        raise
    except Exception as error:
        if not is_unreachable(error):
            raise
        raise DependencyDown(
            f"Prefect's server at {api} does not answer: {error}",
            fix="Start it again, or unset MLOPS_PREFECT_URL: then one is started for the run.",
        ) from error


@contextmanager
def working_folder(level: Path) -> Any:
    """A folder below the level's that goes with the run."""
    with tempfile.TemporaryDirectory(dir=level, prefix=".train.") as folder:
        yield Path(folder)


def is_unreachable(error: BaseException | None) -> bool:
    """True if an error, or one that led to it, is that Prefect's server does not answer."""
    while error and not isinstance(error, httpx.HTTPError):
        error = error.__cause__
    return error is not None


def close_crashed(tag: str) -> None:
    """Close a place's flow runs that still say `Running`: their process is gone, as the caller holds the lock."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
        FlowRunFilterTags,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    running = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[tag]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING])),
    )
    with get_client(sync_client=True) as client:
        for left in client.read_flow_runs(flow_run_filter=running):
            client.set_flow_run_state(left.id, Crashed(message="Its process ended."), force=True)

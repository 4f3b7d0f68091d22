"""Prefect as the runner of steps: each step is a task, and what is kept for the same inputs is a cached task.

Imported only when a pipeline runs. A task gets no parameters: Prefect would look into each of them, row by row.
"""

from collections.abc import Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from shared.errors import IntegrityError
from shared.steps import Results, Step, name_of

RETRIES = 2


def call_as_task(step: Step, run: Any, given: Results) -> Any:
    """Call a step as a task of that name; its result stays in memory."""

    def call() -> Any:
        return step(run, **given)

    return task(name=name_of(step), cache_policy=NO_CACHE, persist_result=False)(call)()


def keep(name: str, key: str, function: Callable[[], Any], fits: Callable[[Any], bool]) -> Any:
    """The kept result of a function for a key, if there is one; else it is computed, and tried again if the disk fails.

    Raises IntegrityError if the kept result is not what was asked for.
    """
    result = task(
        name=name,
        cache_key_fn=lambda context, given: f"{name.replace(' ', '-')}-{key}",
        persist_result=True,
        retries=RETRIES,
        retry_delay_seconds=1,
        retry_condition_fn=may_pass,
    )(function)()
    if not fits(result):
        raise IntegrityError(
            f"The kept result of {name!r} is not what was asked for.", fix="Remove prefect/storage below MLOPS_HOME."
        )
    return result


def may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """True for a failure that may pass by itself: one of the disk or of the network, not one of the data."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, OSError) or isinstance(getattr(error, "__cause__", None), OSError)

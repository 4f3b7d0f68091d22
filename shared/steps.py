"""Plays a pipeline's list of steps: each is called with the run and with the results of earlier steps, by their names.

A step's first parameter is the run; every further one bears the name of the step whose result it takes.
"""

from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any

Step = Callable[..., Any]
Results = dict[str, Any]
Call = Callable[[Step, Any, Results], Any]


def call_plainly(step: Step, run: Any, given: Results) -> Any:
    """Call a step as the function that it is."""
    return step(run, **given)


def play(steps: Iterable[Step], run: Any, call: Call = call_plainly) -> Results:
    """The result of each step, by its name. `call` may wrap each call, as a task of an orchestrator for example.

    >>> def train(run): return run + 1
    >>> def judge(run, train): return f"{train} of {run}"
    >>> play([train, judge], 1)
    {'train': 2, 'judge': '2 of 1'}
    """
    results: Results = {}
    for step in steps:
        wanted = list(signature(step).parameters)[1:]
        given = {name: results[name] for name in wanted if name in results}
        results[name_of(step)] = call(step, run, given)
    return results


def name_of(step: Step) -> str:
    """The workflow word of a step: the name of its function."""
    return str(step.__name__)

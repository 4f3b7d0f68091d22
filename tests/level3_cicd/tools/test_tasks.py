"""Prefect's tasks: what is tried again."""

import pytest

from shared.errors import CheckFailed


@pytest.mark.thorough
def test_only_a_failure_that_may_pass_is_tried_again() -> None:
    from prefect.states import Failed

    from level3_cicd.tools import tasks

    wrapped = CheckFailed("a day cannot be read")
    wrapped.__cause__ = OSError("the share is away")
    errors = {wrapped: True, OSError("again"): True, CheckFailed("bad data"): False, ValueError("a bug"): False}
    assert {error: tasks.may_pass(None, None, Failed(data=error)) for error in errors} == errors

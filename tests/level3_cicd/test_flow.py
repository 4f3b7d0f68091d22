"""The flow beside a Prefect server that goes away."""

from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from level3_cicd.run import Run
from shared.errors import DependencyDown


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cause", "told"), [(httpx.ConnectError("refused"), DependencyDown), (OSError(), RuntimeError)]
)
def test_a_prefect_server_that_goes_away_is_a_dependency_that_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: Exception, told: type[Exception]
) -> None:
    from level3_cicd import flow

    def unused(evidence: Any, work: Path) -> Run:
        raise AssertionError("no run begins")

    def fail(place: str) -> None:
        raise RuntimeError("Failed to reach API") from cause  # as Prefect words it in the middle of a run

    monkeypatch.setattr(flow, "close_crashed", fail)
    with pytest.raises(told, match="Failed to reach API"):
        flow.run_flow(tmp_path, [], unused, "a run", "1.0", date(2017, 6, 4), "test", "http://127.0.0.1:9/api")

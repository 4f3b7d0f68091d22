"""The house: importing does nothing, a level's folder is its row of the maturity table, the start is fast."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.places import CHECKOUT

# Imported only when a pipeline, a schedule or a report runs.
IMPORTED_LATE = ("flow.py", "tasks.py", "schedule.py", "scheduled.py", "mlflow_model.py", "evidently_report.py")
MODULES = sorted(
    ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
    for package in ("shared", "level1_manual", "level2_basic_automation", "level3_cicd", "level4_monitoring", "mlops")
    for path in (CHECKOUT / package).rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py", *IMPORTED_LATE)
)


@pytest.mark.thorough
def test_importing_everything_writes_nothing_and_loads_no_tool(tmp_path: Path) -> None:
    program = "\n".join(
        [f"import {name}" for name in MODULES]
        + ["import sys", "print([t for t in ('mlflow', 'prefect', 'evidently') if t in sys.modules])"]
    )
    environment = {**os.environ, "MLOPS_HOME": str(tmp_path / "var"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["mlops.root", "level3_cicd.deploy", "level3_cicd.tools.registry"])
def test_commands_start_and_rollbacks_run_without_slow_libraries(module: str) -> None:
    slow = "('pandas', 'numpy', 'sklearn', 'fastapi', 'mlflow')"
    program = f"import sys, {module}; print([t for t in {slow} if t in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("file", "levels"),
    [("pipeline.py", {2, 3}), ("gate.py", {3}), ("ledger.py", {3}), ("monitor.py", {3, 4}), ("loop.py", {4})],
)
def test_a_capability_is_a_file(file: str, levels: set[int]) -> None:
    folders = {1: "level1_manual", 2: "level2_basic_automation", 3: "level3_cicd", 4: "level4_monitoring"}
    assert {level for level, folder in folders.items() if (CHECKOUT / folder / file).exists()} == levels

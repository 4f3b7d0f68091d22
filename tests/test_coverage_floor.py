"""The check of what the fast tests run finds what is below the floor, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import coverage_floor
from tests.coverage_floor import SETTINGS, below, main


def measured(run: int, branches: int) -> dict[str, Any]:
    missing = [[at, at + 1] for at in range(branches - run)]
    return {"summary": {"num_branches": branches, "covered_branches": run}, "missing_branches": missing}


FILES = {
    "shared/good.py": measured(9, 10),
    "shared/none.py": measured(0, 0),
    "shared/bad.py": measured(8, 10),
    "tools/bad.py": measured(0, 10),
}


def test_a_module_below_the_floor_is_named_with_its_branches_unless_it_is_left_out() -> None:
    assert below({"files": FILES}, 90, ["tools/*"]) == ["shared/bad.py: 8 of 10 branches; not run: 0 to 1, 1 to 2"]


def test_the_check_ends_with_an_error_only_below_the_floor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"files": FILES, "totals": {"percent_branches_covered": 56.7}}))
    with pytest.raises(SystemExit, match=r"shared/bad\.py"):
        main(str(report))
    report.write_text(json.dumps({"files": {}, "totals": {"percent_branches_covered": 100}}))
    main(str(report))
    assert capsys.readouterr().out.count("floor is 90 %") == 2


def test_what_is_left_out_is_there_and_has_a_reason() -> None:
    settings = coverage_floor.tomllib.loads(SETTINGS.read_text())["tool"]["coverage_floor"]
    for pattern, reason in settings["left_out"]:
        assert list(SETTINGS.parent.glob(pattern)), pattern
        assert len(reason.split()) > 3

"""Holds the fast tests to their floor: so many of each module's branches are run. `make test` calls it with the report.

The floor, and what is left out of it with the reason, stand in pyproject.toml below [tool.coverage_floor].
"""

import fnmatch
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).parents[1] / "pyproject.toml"


def below(report: dict[str, Any], floor: float, left_out: list[str]) -> list[str]:
    """The modules that are below the floor, in words. A module without branches has none that could be missed."""
    found = []
    for file, measured in sorted(report["files"].items()):
        branches, run = measured["summary"]["num_branches"], measured["summary"]["covered_branches"]
        if 100 * run < floor * branches and not any(fnmatch.fnmatch(file, pattern) for pattern in left_out):
            lines = ", ".join(f"{begin} to {end}" for begin, end in measured["missing_branches"])
            found.append(f"{file}: {run} of {branches} branches; not run: {lines}")
    return found


def main(file: str) -> None:
    """Print the share of all branches; exit code 1, and the modules, if any is below the floor."""
    settings = tomllib.loads(SETTINGS.read_text())["tool"]["coverage_floor"]
    report = json.loads(Path(file).read_text())
    found = below(report, settings["branches"], [pattern for pattern, _ in settings["left_out"]])
    share = report["totals"]["percent_branches_covered"]
    sys.stdout.write(
        f"The fast tests run {share:.1f} % of all branches; the floor is {settings['branches']} % a module.\n"
    )
    if found:
        sys.exit("Below the floor, so write a test, or say in pyproject.toml why not:\n  " + "\n  ".join(found))


if __name__ == "__main__":
    main(sys.argv[1])

"""Holds the fast suite to its floor: so many of each module's branches are run. `make test` calls it with the report.

The floor and what it leaves out, each with its reason, stand in pyproject.toml below [tool.coverage_floor].
"""

import fnmatch
import json
import sys
import tomllib
from pathlib import Path

SETTINGS = Path(__file__).parents[1] / "pyproject.toml"


def below(report: dict, floor: float, left_out: list[str]) -> list[str]:
    """The modules that are below the floor, in words; one without branches counts by its statements."""
    found = []
    for file, measured in sorted(report["files"].items()):
        summary = measured["summary"]
        branches, run = summary["num_branches"], summary["covered_branches"]
        share = 100 * run / branches if branches else summary["percent_covered"]
        if share < floor and not any(fnmatch.fnmatch(file, pattern) for pattern in left_out):
            found.append(f"{file}: {share:.0f} % of {branches} branches")
    return found


def main() -> None:
    """Print what is below the floor; exit code 1 if anything is."""
    settings = tomllib.loads(SETTINGS.read_text())["tool"]["coverage_floor"]
    report = json.loads(Path(sys.argv[1]).read_text())
    found = below(report, settings["branches"], [pattern for pattern, _ in settings["left_out"]])
    total = report["totals"]
    share = 100 * total["covered_branches"] / max(total["num_branches"], 1)
    sys.stdout.write(f"The fast tests run {share:.1f} % of all branches; floor {settings['branches']} % a module.\n")
    if found:
        sys.exit("Below the floor:\n" + "\n".join(found))


if __name__ == "__main__":
    main()

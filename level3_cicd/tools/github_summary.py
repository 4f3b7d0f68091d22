"""Tells CI what a pipeline run found: a table to decide from, and the release for the next job.

`mlops --level 3 pipeline run` calls it; it does nothing where no CI asks for it.
"""

import os
from pathlib import Path

from level3_cicd.ledger import Row, verdicts_of_runs
from shared.places import home
from shared.release.provenance import shorten
from shared.text import one_line

TRAVELS = "State travels as an artifact of this run; production is a service inside of the job."


def write_summary(level: Path, known: int) -> None:
    """Write the verdict of a run to the step's summary and outputs, where CI asks for them.

    known: how many verdicts there were before the run. The clock is not asked: it may have been set back meanwhile.
    """
    summary, outputs = os.environ.get("GITHUB_STEP_SUMMARY"), os.environ.get("GITHUB_OUTPUT")
    rows = verdicts_of_runs(level)[known:]
    if not rows:
        return
    if summary:
        with Path(summary).open("a") as file:
            file.write(tell(rows[-1]))
    if outputs and (rows[-1].step, rows[-1].verdict) == ("gate", "passed"):
        with Path(outputs).open("a") as file:
            file.write(f"release={rows[-1].release}\n")


def tell(row: Row) -> str:
    """A verdict as Markdown."""
    lines = [f"## Release {row.release or '(none)'}: {row.verdict} by {row.step}", ""]
    if row.step == "validate":
        lines += ["| day | check | column | found | limit |", "|---|---|---|---|---|"]
        keys = ("day", "check", "column", "found", "limit")
        lines += [table_row(*(at[key] for key in keys)) for at in row.numbers["findings"]]
    else:
        lines += ["| rule | found | compared | limit | kept |", "|---|---|---|---|---|"]
        for at in row.numbers["rules"]:
            compared = f"{at['found']:.4g}"
            lines.append(table_row(at["name"], at["detail"], compared, at["limit"], mark(at["passed"])))
    lines += ["", *(f"- {note}" for note in row.numbers.get("notes", ()))]
    lines += ["", f"Data `{row.data_digest[:12]}`, revision `{shorten(row.revision)}`.", where_state_is(), ""]
    return "\n".join(lines)


def table_row(*values: object) -> str:
    r"""A row of a table, whatever a shop calls its departments.

    >>> table_row("slice Meat | Fish", 0.1)
    '| slice Meat \\| Fish | 0.1 |'
    """
    cells = (one_line(str(value)).replace("|", r"\|") for value in values)
    return f"| {' | '.join(cells)} |"


def tell_verdict(level: Path) -> str:
    """The last verdict of the gate in a few lines for the terminal: the comparisons, and what there was to note."""
    row = [row for row in verdicts_of_runs(level) if row.step != "validate"][-1]
    shown = [at for at in row.numbers["rules"] if not at["name"].startswith("slice ")]
    slices = len(row.numbers["rules"]) - len(shown)
    lines = [f"  {at['name']}: {at['detail']} (limit {at['limit']:+.3f})" for at in shown[:2]]
    lines += [f"  and {slices} slices within their limits"] if slices else []
    return "\n".join([*lines, *(f"  note: {note}" for note in row.numbers["notes"])])


def mark(passed: bool) -> str:
    """Yes or no."""
    return "yes" if passed else "**no**"


def where_state_is() -> str:
    """Where the release is kept, in words."""
    registry = "The registry is the one that MLOPS_MLFLOW_URI names. " if os.environ.get("MLOPS_MLFLOW_URI") else ""
    return registry + (f"State is kept in `{home()}`." if os.environ.get("MLOPS_HOME") else TRAVELS)

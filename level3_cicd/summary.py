"""Tells CI what a pipeline run found: a table to decide from, and the release for the next job.

`mlops --level 3 pipeline run` calls it; it does nothing where no CI asks for it.
"""

import os
from datetime import datetime
from pathlib import Path

from level3_cicd.ledger import Row, read
from shared.places import home

TRAVELS = "State travels as an artifact of this run; production is a service inside of the job."


def report(level: Path, since: datetime) -> None:
    """Write the verdict of a run, begun at `since`, to the step's summary and outputs, where CI asks for them."""
    summary, outputs = os.environ.get("GITHUB_STEP_SUMMARY"), os.environ.get("GITHUB_OUTPUT")
    rows = read(level, "step IN ('gate', 'judge', 'validate') AND recorded_at >= ?", (since.isoformat(),))
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
        lines += ["| " + " | ".join(str(at[key]) for key in keys) + " |" for at in row.numbers["findings"]]
    else:
        lines += ["| rule | found | limit | kept |", "|---|---|---|---|"]
        rules = row.numbers["rules"]
        lines += [f"| {at['name']} | {at['detail']} | {at['limit']} | {mark(at['passed'])} |" for at in rules]
    lines += ["", *(f"- {note}" for note in row.numbers.get("notes", ()))]
    lines += ["", f"Data `{row.data_digest[:12]}`, revision `{row.revision[:12]}`.", where_state_is(), ""]
    return "\n".join(lines)


def mark(passed: bool) -> str:
    """Yes or no."""
    return "yes" if passed else "**no**"


def where_state_is() -> str:
    """Where the release is kept, in words."""
    if os.environ.get("MLOPS_MLFLOW_URI"):
        return "The registry is the one that MLOPS_MLFLOW_URI names."
    return f"State is kept in `{home()}`." if os.environ.get("MLOPS_HOME") else TRAVELS

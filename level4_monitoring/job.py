"""The loop as a scheduled job of GitHub Actions, for a team without a server of its own: one call does all that is due.

The job fails while an alarm is open, so that GitHub's own mail is the alarm.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from level3_cicd.ledger import Row, all_rows
from level3_cicd.tools.github_summary import table_row
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.explain import id_of, open_incidents
from level4_monitoring.past import Past
from level4_monitoring.schedule import tick_arrived
from shared.config import read_config
from shared.errors import CheckFailed

GUIDE = "docs/how-to/alarms.md"


def run_job(level: Path) -> list[Row]:
    """A tick for each day that has arrived, the oldest first, and a summary where CI asks for one.

    Raises CheckFailed while an alarm is open.
    """
    rows = tick_arrived(level)
    past = Past(all_rows(level))
    alarms = open_incidents(past.with_outcomes, read_config(CONFIG, LoopConfig))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a") as file:
            file.write(tell(rows, past, alarms))
    if alarms:
        raise CheckFailed(f"Open: {'; '.join(alarms)}.", fix=f"{GUIDE} says what to do about each kind.")
    return rows


def tell(rows: Sequence[Row], past: Past, alarms: Sequence[str]) -> str:
    """What was decided, as Markdown: days, decisions and their reasons, what came of them, and what is open."""
    lines = ["## Level 4's loop", "", "| day | decision | why | outcome | id |", "|---|---|---|---|---|"]
    for row in rows:
        outcome = past.outcome_of(row)
        came = f"{outcome.verdict}: {outcome.reason}" if outcome else "none yet"
        decision = f"{row.verdict} {row.release}".strip()
        lines.append(table_row(row.as_of, decision, row.reason, came, id_of(row)))
    lines += ["", f"**Open: {'; '.join(alarms)}.** See {GUIDE}." if alarms else "No alarm is open.", ""]
    return "\n".join(lines)

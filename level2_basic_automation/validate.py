"""Validate: the last day is looked at. Bad data is warned about, and nobody is stopped by it."""

import logging

from level2_basic_automation.run import Run
from shared.dataset.checks import check_days

log = logging.getLogger("level2")


def validate(run: Run) -> list[str]:
    """The warnings about the last day's data, which also go to the log."""
    findings = check_days(run.feed, [run.as_of]).itertuples()
    warnings = [f"{row.day}: {row.check} {row.column}: {row.found}, limit {row.limit}" for row in findings]
    for warning in warnings:
        log.warning(warning)
    return warnings

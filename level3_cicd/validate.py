"""Validate: data that is not fit to train on stops the run, and the ledger says why."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

import pandas as pd

from level3_cicd.ledger import Row, append, refused_days, validated_through
from level3_cicd.run import Run
from shared.dataset.checks import check_days
from shared.dataset.day_files import digest_rows
from shared.dataset.feed import Feed
from shared.errors import CheckFailed
from shared.model.holdout import HOLDOUT_DAYS
from shared.text import count


def days_of(run: Run) -> list[date]:
    """The days that a run looks at."""
    validated = validated_through(run.level, run.as_of, run.feed.digest)
    return days_to_validate(run.feed, run.as_of, validated, refused_days(run.level), run.config.accepted_days)


def days_to_validate(
    feed: Feed, as_of: date, validated: date | None, refused: Collection[date], accepted: Mapping[date, str]
) -> list[date]:
    """The last week's days, those since `validated`, through which days have passed before, those once refused, and
    those whose rows are others by now. Where none has passed, all that were added to the shop since its import.
    """
    week, since = as_of - timedelta(days=HOLDOUT_DAYS - 1), validated or feed.imported_through
    first = min(week, since + timedelta(days=1)) if since else week
    known = [day for day in feed.days if day <= as_of and not is_accepted(feed, day, accepted)]
    return [day for day in known if day >= first or day in refused or not feed.matches_record(day)]


def is_accepted(feed: Feed, day: date, accepted: Mapping[date, str]) -> bool:
    """True if somebody has accepted these very rows of a day, by the beginning of their digest."""
    return day in accepted and digest_rows(feed.day(day)).startswith(accepted[day])


def find_harm(feed: Feed, days: list[date]) -> pd.DataFrame:
    """The findings on some days."""
    changed = [
        (day, "rows as delivered", "", "others than were recorded", "") for day in days if not feed.matches_record(day)
    ]
    findings = check_days(feed, days)
    return pd.concat([findings, pd.DataFrame(changed, columns=findings.columns)]) if changed else findings


def validate(run: Run) -> pd.DataFrame:
    """Keep the findings on the days that a run looks at; if there are any, write them down and raise CheckFailed."""
    days = days_of(run)
    key = run.key_of_inputs(*days)
    findings = run.kept("find harm", key, lambda: find_harm(run.feed, days), lambda kept: "check" in kept)
    run.evidence.keep("validation.json", {"findings": findings.astype(str).to_dict("records")})
    if len(findings):
        append(run.level, refusal(run, findings))
        refuse_bad_data(findings, run.feed)
    return findings


def refusal(run: Run, findings: pd.DataFrame) -> Row:
    """The ledger's row on data that is not fit to train on."""
    return Row(
        as_of=run.as_of,
        step="validate",
        verdict="refused",
        reason=f"{count(len(findings), 'finding')} in the data",
        data_digest=run.data_digest,
        revision=run.revision,
        actor=run.actor,
        numbers={"findings": findings.astype(str).to_dict("records")},
    )


def refuse_bad_data(findings: pd.DataFrame, feed: Feed) -> None:
    """Raise CheckFailed with all findings, if there are any, and with what accepts the days as they are."""
    if len(findings):
        lines = "\n".join(
            f"  {row.day}, {row.column or 'rows'}: {row.check}, {row.found}"
            + (f" (limit {row.limit})" if row.limit else "")
            for row in findings.itertuples()
        )
        days = sorted(set(findings["day"]))
        accept = "\n".join(f'    "{day}" = "{digest_rows(feed.day(day))[:16]}"' for day in days)
        fix = (
            f"Mend the export, or pass an --as-of before {days[0]}. A day that is odd but right is accepted, as it is "
            f"now, by its line below [accepted_days] in the configuration:\n{accept}"
        )
        raise CheckFailed(f"The data is not fit to train on:\n{lines}", fix)

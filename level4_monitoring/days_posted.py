"""Days made from the journal of posted purchases, for a shop that delivers no files: `days_come_by = "post"`.

Then the calendar's day is the shop's: a day is made when it has ended, also one on which nothing was posted.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.purchases import read_journal
from shared.columns import TIME
from shared.config import read_config
from shared.dataset.clock import known_through, set_known_through
from shared.dataset.day_files import SCHEMA, day_file
from shared.dataset.shop import read_shop
from shared.dataset.writing import write_day, write_record, writing
from shared.errors import UsageError

# A shop that is further behind is a replayed one, or its loop was dead: nobody wants so many empty days.
MOST_DAYS_BEHIND = 31


def come_by_post() -> bool:
    """Whether level 4's configuration says that days come by post."""
    return read_config(CONFIG, LoopConfig).days_come_by == "post"


def make_days(level: Path, shop: Path, now: datetime) -> list[date]:
    """Make the days that have ended, the oldest first. A day that was delivered as a file stays as it is.

    Raises UsageError if the shop is far behind the calendar.
    """
    first, last = known_through(shop) + timedelta(days=1), now.date() - timedelta(days=1)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if len(days) > MOST_DAYS_BEHIND:
        raise UsageError(
            f"Days come by post, but the shop has reached {first - timedelta(days=1)} and today is {now.date()}: "
            f"{len(days)} days would be made, at most {MOST_DAYS_BEHIND} are.",
            fix="Add the days before by `mlops data add`, or let days come by file: level4_monitoring/config.toml.",
        )
    for day in days:
        make_day(level, shop, day)
    return days


def make_day(level: Path, shop: Path, day: date) -> None:
    """Write a day's file from the journal, and let the shop have reached it. Killed in between, it is made again."""
    rows = read_journal(level, day).sort_values(TIME, kind="stable", ignore_index=True)
    with writing(shop):
        about = read_shop(shop)
        if len(rows) and day.isoformat() not in about["days"]:
            as_read = pa.Table.from_pandas(rows, SCHEMA, preserve_index=False).to_pandas()
            entry = write_day(day_file(shop, day), as_read)
            write_record(shop, {**about, "days": dict(sorted({**about["days"], day.isoformat(): entry}.items()))})
        set_known_through(shop, day)

"""The loop's schedule: every few minutes, a tick for each day that has arrived, the oldest first.

`mlops loop start` serves it as a Prefect deployment, through level 3's tools.
"""

import threading
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from level3_cicd.ledger import Row, all_rows, append
from level4_monitoring import health
from level4_monitoring.alarms import message, tell
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.days_posted import come_by_post, make_days
from level4_monitoring.kept import Alarm
from level4_monitoring.loop import tick_all
from level4_monitoring.past import OVERDUE
from shared.config import read_config
from shared.dataset.clock import known_through
from shared.places import home, level_folder, shop_folder

JOB = "level4_monitoring.schedule:run"
NAME = "loop"


def serve(level: Path, minutes: int) -> None:
    """Serve the loop until stopped: ticks as days arrive, and each minute a look at the service's health."""
    from level3_cicd.tools.schedule import serve_every

    stopped = threading.Event()
    threading.Thread(target=health.watch, args=(level, stopped), daemon=True).start()
    try:
        serve_every(home(), NAME, minutes, JOB)
    finally:
        stopped.set()


def run() -> None:
    """What a run of the schedule does."""
    tick_arrived(level_folder(4))


def tick_arrived(level: Path, now: datetime | None = None) -> list[Row]:
    """A tick for each day that has arrived; an alarm if the next one is overdue. Days that come by post are made."""
    if come_by_post():
        make_days(level, shop_folder(), now or datetime.now(UTC).astimezone().replace(tzinfo=None))
    known = known_through(shop_folder())
    made = tick_all(known)
    tell_overdue(level, known, now or datetime.now(UTC).replace(tzinfo=None))
    return made


def is_overdue(known: date, now: datetime, hours: int) -> bool:
    """Whether the day after the last known one has ended so many hours ago.

    >>> [is_overdue(date(2017, 6, 4), datetime(2017, 6, day, 1), 24) for day in (6, 7)]
    [False, True]
    """
    ended = datetime.combine(known + timedelta(days=2), time())
    return now - ended > timedelta(hours=hours)


def tell_overdue(level: Path, known: date, now: datetime) -> None:
    """Tell once that a day is overdue; the ledger remembers that it was told."""
    limits = read_config(CONFIG, LoopConfig)
    missing = known + timedelta(days=1)
    told = any(row.step == OVERDUE and row.numbers["missing"] == str(missing) for row in all_rows(level))
    if told or not is_overdue(known, now, limits.service.overdue_hours):
        return
    what = f"{missing} is more than {limits.service.overdue_hours} hours overdue"
    alarm = Alarm("overdue-day", what, about=str(missing))
    untold = tell(level, [message(alarm, missing, "nothing: there is no tick without a day")])
    if not untold:
        append(level, Row(known, OVERDUE, "told", what, actor="loop", numbers={"missing": str(missing)}))

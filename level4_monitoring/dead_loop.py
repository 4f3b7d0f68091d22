"""A loop that is dead cannot tell, so the service does: no tick for long though a day is due."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from level3_cicd.ledger import Row, append, ledger_exists, rows_of
from level4_monitoring.alarms import message, tell
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.kept import Alarm
from level4_monitoring.past import DEAD, DECIDE
from shared.config import read_config
from shared.dataset.clock import known_through
from shared.errors import MlopsError
from shared.places import shop_folder

SECONDS_BETWEEN_LOOKS = 60.0
log = logging.getLogger("level4.serve")


def utc_now() -> datetime:
    """The machine's time: whether somebody is alive is no matter of the shop's days."""
    return datetime.now(UTC)


def dead_since(ticks: list[Row], known: date, now: datetime, hours: int) -> datetime | None:
    """When the last tick was made, if that is too long ago and a day is due; None before the first. Pure.

    known: the last day that the shop has reached.
    """
    if not ticks or known <= ticks[-1].as_of or now - ticks[-1].recorded_at <= timedelta(hours=hours):
        return None
    return ticks[-1].recorded_at


class Loop:
    """What the service knows of the loop. level: its folder; clock: the machine's; seconds: between looks."""

    def __init__(
        self, level: Path, clock: Callable[[], datetime] = utc_now, seconds: float = SECONDS_BETWEEN_LOOKS
    ) -> None:
        self._level, self._clock, self._seconds = level, clock, seconds

    def dead_since(self) -> datetime | None:
        """When a loop that is dead made its last tick; None if it lives, or if that cannot be known."""
        try:
            hours = read_config(CONFIG, LoopConfig).service.dead_after_hours
            return dead_since(self._ticks(), known_through(shop_folder()), self._clock(), hours)
        except (MlopsError, OSError):
            return None

    def notes(self) -> dict[str, str]:
        """What `/readyz` says of it; nothing while it lives."""
        since = self.dead_since()
        return {"loop": f"no tick since {since:%Y-%m-%d %H:%M} UTC though a day is due"} if since else {}

    def look(self) -> None:
        """Tell that it is dead, once for each last tick; the ledger remembers that it was told."""
        since = self.dead_since()
        if since is None:
            return
        last = self._ticks()[-1]
        if any(row.numbers["last"] == last.hash for row in rows_of(self._level, step=DEAD)):
            return
        what = self.notes()["loop"]
        untold = tell(self._level, [message(Alarm("dead-loop", what), last.as_of, "nothing: it makes no tick")])
        if not untold:
            append(self._level, Row(last.as_of, DEAD, "told", what, actor="service", numbers={"last": last.hash}))

    def watch(self, stopped: threading.Event) -> None:
        """Look again and again until the service stops."""
        while not stopped.wait(self._seconds):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  whatever it is, the service goes on
                log.error("Whether the loop is alive could not be told: %s", error)

    def _ticks(self) -> list[Row]:
        return rows_of(self._level, step=DECIDE) if ledger_exists(self._level) else []

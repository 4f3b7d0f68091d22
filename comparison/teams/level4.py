"""The team of level 4: the loop. After the first push nobody has to do anything; alarms call a person."""

import json
from datetime import date, datetime, time, timedelta

from comparison.teams.level3 import Level3, local_path
from comparison.teams.team import MACHINE, PERSON, Did, Look
from level3_cicd.ledger import Row, all_rows
from level4_monitoring import hands, health, loop
from level4_monitoring.alarms import alarm_file
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.ingest import digests_of
from level4_monitoring.kept import read_kept
from level4_monitoring.past import Past
from level4_monitoring.schedule import tick_arrived
from shared.config import read_config
from shared.dataset.feed import open_feed
from shared.errors import MlopsError, UsageError
from shared.places import shop_folder

TICK = "mlops loop start --once"
MORNING = time(1)
# Ten minutes apart on the season's clock: what is counted between them is what customers were answered that day.
BEFORE_CUSTOMERS, EVENING = time(12), time(12, 10)
# The season's clock knows days: how busy the machine is must decide nothing.
UNLIMITED = 3_600_000


class Level4(Level3):
    """The loop, and a person whom it calls."""

    level = 4

    def scheduled(self, as_of: date, days_open: int) -> None:
        """A tick for the day that has ended; what is compared at the moment is what may go live next.

        Of the minute's looks the season has two a day: one after the day's customers, and one before the next.
        """
        if not days_open:
            return
        self._challenger_waits()
        self._look_at_health(datetime.combine(as_of, EVENING))
        rows: list[Row] = []
        with self.doing(TICK, MACHINE):
            rows += tick_arrived(self.folder, datetime.combine(as_of + timedelta(days=1), MORNING))
        if self.did[-1].code == 0 and not any(map(changes_something, rows)):
            self.did.pop()  # who only looked has done nothing
        self._look_at_health(datetime.combine(as_of + timedelta(days=1), BEFORE_CUSTOMERS))

    def repeat(self, as_of: date) -> None:
        """The tick again; the first release, if there is none yet."""
        if not self.called_live():
            self.release(as_of, PERSON)
            return
        with self.doing("mlops monitor model", PERSON):
            loop.tick(as_of)

    def take_again(self, as_of: date) -> None:
        """The next tick takes it by itself; a person who will not wait starts one."""
        self.repeat(as_of)

    def accept(self, as_of: date) -> None:
        """Each day in quarantine, by the loop's command."""
        days = sorted(Past(all_rows(self.folder)).quarantined(digests_of(open_feed(shop_folder()))))
        if not days:
            raise UsageError("No day is in quarantine.")
        for day in days:
            with self.doing(f"mlops loop accept {day} --why 'the supplier says so'", PERSON):
                hands.accept(self.folder, day, "the supplier says so", "operator")

    def look(self, as_of: date) -> Look:
        """The quality that the last tick has kept."""
        history = Past(all_rows(self.folder)).history
        found = [kept.value("precision") for kept in history if kept.value("precision") is not None]
        return Look(found[-1] if found else None, "mlops loop status")

    def alarms(self, known: int) -> list[dict[str, str]]:
        """The messages that were told, wherever they were sent."""
        file = alarm_file(self.folder)
        return [json.loads(line) for line in file.read_text().splitlines()[known:]] if file.exists() else []

    def _look_at_health(self, at: datetime) -> None:
        limits = read_config(CONFIG, LoopConfig)
        service = limits.service.model_copy(update={"most_milliseconds": UNLIMITED})
        try:
            found = health.look(self.folder, at.timestamp(), limits.model_copy(update={"service": service}))
        except (MlopsError, OSError):
            return  # a loop that runs logs it, and looks again
        if found.told:
            self.did.append(Did("mlops loop health", MACHINE, 0, found.told))

    def _challenger_waits(self) -> None:
        from level3_cicd.tools.registry import registered

        challenger = loop.open_challenger(self.folder)
        if challenger:
            entry = registered(self.folder)[challenger]
            self.waits(entry.bundle_digest, local_path(entry.source))


def changes_something(tick: Row) -> bool:
    """Whether a tick did more than look and refresh histories: decided to act, or took a day out."""
    return tick.verdict not in ("hold", "close") or read_kept(tick.numbers["kept"]).raised("quarantine")

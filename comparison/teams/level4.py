"""The team of level 4: the loop. After the first push nobody has to do anything; alarms call a person."""

import json
from datetime import date, datetime, time, timedelta

from comparison.teams.level3 import Level3, local_path
from comparison.teams.team import MACHINE, PERSON, Look
from level3_cicd.ledger import all_rows
from level4_monitoring import hands, loop
from level4_monitoring.alarms import alarm_file
from level4_monitoring.ingest import digests_of
from level4_monitoring.past import Past
from level4_monitoring.schedule import tick_arrived
from shared.dataset.feed import open_feed
from shared.errors import UsageError
from shared.places import shop_folder

MORNING = time(1)


class Level4(Level3):
    """The loop, and a person whom it calls."""

    level = 4

    def scheduled(self, as_of: date, days_open: int) -> None:
        """A tick for the day that has ended; what is compared at the moment is what may go live next."""
        if not days_open:
            return
        self._challenger_waits()
        with self.doing("mlops loop start --once", MACHINE):
            tick_arrived(self.folder, datetime.combine(as_of + timedelta(days=1), MORNING))

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

    def _challenger_waits(self) -> None:
        from level3_cicd.tools.registry import registered

        challenger = loop.open_challenger(self.folder)
        if challenger:
            entry = registered(self.folder)[challenger]
            self.waits(entry.bundle_digest, local_path(entry.source))

"""The team of level 4: the loop."""

from datetime import date

from fastapi import FastAPI

import level4_monitoring.serve
from comparison.teams.level3 import Level3, local_path
from level3_cicd import ledger
from level4_monitoring import loop


class Level4(Level3):
    """The loop: after the first push nobody does anything."""

    level = 4
    module = "level4_monitoring.serve"
    tick = staticmethod(loop.tick)
    _struck = ""

    def morning(self, day: date, opened: date) -> None:
        """The incident strikes the challenger that was trained the evening before."""
        self._today = day
        challenger = loop.open_challenger(self.folder) if day == self._strike_on else None
        if challenger:
            self._struck = challenger
            self.strikes(local_path(self._registered()[challenger].source))

    def evening(self, day: date) -> None:
        """One tick of the loop."""
        self.tick(day)
        if self._struck:
            told = ledger.rows_of(self.folder, release=self._struck)
            self.refused = sum(row.verdict in ("refused", "close") for row in told)
        self.made = {release: entry.bundle_digest for release, entry in self._registered().items()}

    def _registered(self) -> dict:
        from level3_cicd.tools.registry import registered

        return registered(self.folder)

    def _app(self) -> FastAPI:
        return level4_monitoring.serve.app(clock=lambda: self._today)

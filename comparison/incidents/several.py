"""Several incidents in one play, one after the other, as the demo has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from comparison.incidents.incident import Answer, Incident, Said


@dataclass
class Several(Incident):
    """Faults that strike on days of their own. strike: the first one's day 0."""

    incidents: tuple[Incident, ...] = ()

    name = "several"
    what = "several incidents"

    def delivery(self, day: date, rows: pd.DataFrame) -> pd.DataFrame:
        """As all leave it."""
        for one in self.incidents:
            rows = one.delivery(day, rows) if one.alters_delivery(day) else rows
        return rows

    def alters_delivery(self, day: date) -> bool:
        """Whether one does."""
        return any(one.alters_delivery(day) for one in self.incidents)

    def release_waits(self, day: date, digest: str, stored: Path) -> None:
        """Those whose day has come."""
        for one in self.incidents:
            one.release_waits(day, digest, stored)

    def night_before(self, day: date, configurations: Sequence[Path], deafen: Callable[[], bool]) -> None:
        """Those whose day has come."""
        for one in self.incidents:
            one.night_before(day, configurations, deafen)

    def strikes_on(self, day: date) -> str:
        """The names of those that strike on a day."""
        return " ".join(one.name for one in self.incidents if one.strikes_on(day))

    def is_bad(self, answer: Answer) -> bool:
        """Whether it is bad by any."""
        return any(one.is_bad(answer) for one in self.incidents)

    def asked(self, day: date) -> Said:
        """All that have struck by then are looked at."""
        said = [one.asked(day) for one in self.incidents if one.strike <= day]
        again = tuple(sorted({wrong for one in said for wrong in one.bring_again}))
        return Said(all(one.right for one in said), again, any(one.restart for one in said))

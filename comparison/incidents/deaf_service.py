"""The running service looks no more for new releases, as one whose watching thread has died."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from comparison.incidents.incident import Answer, Incident, Said


class DeafService(Incident):
    """A restart of the service ends it; where restarting is how a release goes live, the old process keeps the port."""

    name = "deaf-service"
    what = "the running service looks no more for new releases"
    door = "service"

    def night_before(self, day: date, configurations: Sequence[Path], deafen: Callable[[], bool]) -> None:
        """Strike the service that runs."""
        if day >= self.strike and not self.struck and deafen():
            self.struck[day] = "service"

    def is_bad(self, answer: Answer) -> bool:
        """An answer by another release than the records call live."""
        return bool(self.struck) and answer.digest != answer.called_live

    def asked(self, day: date) -> Said:
        """Administrators restart it."""
        return Said(restart=bool(self.struck))

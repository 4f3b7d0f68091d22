"""A team runs one level through a season: who does what on which day, with the level's own commands.

A person's reaction is simulated: a fault that a day brings to light is mended the next morning.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from comparison.customers import Service
from shared.places import home
from shared.release.pointer import read_pointer

Strike = Callable[[Path], None]


RELEASE_EVERY_DAYS = 7


class Team(ABC):
    """Runs one level through a season.

    made: each release's digest, by its number. actions: what a person did by hand. refused: how often a
    damaged bundle was refused before it went live.
    """

    level: int
    module: str

    def __init__(self, strike: Strike, strike_on: date) -> None:
        self.service = Service()
        self.made: dict[str, str] = {}
        self.actions: list[str] = []
        self.refused = 0
        self._strike = strike
        self._strike_on = strike_on
        self._today = date.min

    @property
    def folder(self) -> Path:
        """Where the level keeps its state."""
        return home() / f"level{self.level}"

    @property
    def service_folder(self) -> Path:
        """Where the level's service keeps its note and log."""
        return self.folder

    @abstractmethod
    def release(self, as_of: date) -> None:
        """Train on what is known through `as_of` and make it live."""

    def begin(self, as_of: date) -> None:
        """The first release."""
        self.release(as_of)

    def morning(self, day: date, opened: date) -> None:
        """Before the customers come: a release a week; a fault of the day before is mended."""
        self._today = day
        if (day - opened).days and (day - opened).days % RELEASE_EVERY_DAYS == 0:
            self.release(day - timedelta(days=1))

    def evening(self, day: date) -> None:  # noqa: B027  most levels do nothing then
        """After the customers have gone."""

    @abstractmethod
    def recorded_live(self, day: date) -> str | None:
        """The digest of what was live on a day by the level's own records; None if they do not say."""

    def pointer_digest(self) -> str:
        """The digest of what was deployed last."""
        pointer = read_pointer(self.folder)
        return pointer.bundle_digest if pointer else ""

    def strikes(self, stored: Path) -> None:
        """Let the incident strike stored files, if this is its day."""
        if self._today == self._strike_on:
            self._strike(stored)

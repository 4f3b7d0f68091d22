"""What an incident is: its doors, its oracle, and what supplier or administrators do when they are asked.

Name, day and seed settle all that it does. It replaces files whole and never edits one in place: copies may share
them.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

SEED = 20170503
# What a change learns of.
SOLD_WITHIN = timedelta(days=60)


@dataclass(frozen=True)
class Answer:
    """A customer's list as it was served. digest: of the release that made it; called_live: what the records say."""

    products: Sequence[str]
    digest: str
    called_live: str
    sold: frozenset[str]


@dataclass(frozen=True)
class Said:
    """What supplier or administrators say, two working days after they were asked.

    right: that the deliveries are right as they are; bring_again: the days that they deliver once more, mended;
    restart: that they have restarted the service.
    """

    right: bool = True
    bring_again: tuple[date, ...] = ()
    restart: bool = False


@dataclass
class Incident:
    """An incident that does nothing: the control. strike: day 0, the first on which customers can be hurt.

    struck: by day, what was hit: the digests of releases, `configuration`, `service`. mended: the day since when
    what supplier or administrators can mend is mended.
    """

    strike: date
    seed: int = SEED
    struck: dict[date, str] = field(default_factory=dict)
    mended: date | None = None

    # What is the same for all incidents of a kind; change: of the world, not only of what levels are told or hold.
    name: ClassVar[str] = "nothing"
    what: ClassVar[str] = "nothing happens"
    days: ClassVar[int] = 28
    change: ClassVar[bool] = False
    door: ClassVar[Literal["", "release", "configuration", "service", "delivery", "catalogue", "customers"]] = ""

    def learn(self, sold_before: pd.DataFrame) -> None:
        """What a change needs to know of the shop. sold_before: the transactions of the 60 days before day 0."""

    def world(self, day: date, rows: pd.DataFrame) -> pd.DataFrame:
        """A day's transactions as they really are."""
        return rows

    def delivery(self, day: date, rows: pd.DataFrame) -> pd.DataFrame:
        """A day's transactions as levels are told of them."""
        return rows

    def alters_delivery(self, day: date) -> bool:
        """Whether the file of a day is another one than without the incident."""
        return False

    def catalogue(self, day: date, products: pd.DataFrame) -> pd.DataFrame:
        """The catalogue of a day."""
        return products

    def withdrawn(self, day: date) -> frozenset[str]:
        """The products of the catalogue that the shop sells no more on a day."""
        return frozenset()

    def release_waits(self, day: date, digest: str, stored: Path) -> None:
        """A release was made, lies at `stored`, and is about to go live."""

    def night_before(self, day: date, configurations: Sequence[Path], deafen: Callable[[], bool]) -> None:
        """The night before a day. deafen: lets the running service look no more for new releases."""

    def strikes_on(self, day: date) -> str:
        """What was hit on a day; empty for nothing. Days and customers are hit on day 0."""
        if self.door in ("release", "configuration", "service"):
            return self.struck.get(day, "")
        return (self.door or self.name) if day == self.strike else ""

    def is_bad(self, answer: Answer) -> bool:
        """Whether a list is bad, beside one that is missing or shorter than it should be."""
        return False

    def asked(self, day: date) -> Said:
        """What supplier or administrators do, and say, when they were asked."""
        return Said()

    def random(self, *more: int) -> np.random.Generator:
        """Chance, the same for the same incident, day and seed."""
        return np.random.default_rng([self.seed, self.strike.toordinal(), *more])


def replace_file(path: Path, content: bytes) -> None:
    """Another file in the place of one, which other names may still lead to."""
    part = path.with_name(f".{path.name}.struck")
    part.write_bytes(content)
    shutil.copymode(path, part)
    part.replace(path)

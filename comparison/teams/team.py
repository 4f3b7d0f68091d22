"""What a team can be asked for: its level's first release, what its schedule does, and each thing a person may do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shared.errors import MlopsError, UsageError
from shared.places import level_folder
from shared.release.pointer import readable_pointer
from shared.text import one_line

RELEASE_EVERY_DAYS = 7
MACHINE, PERSON = "machine", "person"
# Called while a release is made, and not live yet: with the release's digest, and where its files lie.
Waits = Callable[[str, Path], None]


@dataclass(frozen=True)
class Did:
    """A command that ran: its words, who started it, its exit code, and the first words of what it said."""

    words: str
    by: str
    code: int = 0
    told: str = ""


@dataclass(frozen=True)
class Look:
    """What a person sees who looks at a level: a number, None if there is none yet, and where it stands."""

    number: float | None
    where: str


@dataclass(frozen=True)
class Places:
    """Where things of a level lie: its service's folder, and the files that say what it trains."""

    service: Path
    configurations: tuple[Path, ...]


class Team(ABC):
    """Runs one level. It keeps nothing itself: all that it knows is on the level's disk."""

    level: int

    def __init__(self, waits: Waits) -> None:
        self.waits = waits
        self.did: list[Did] = []

    @property
    def folder(self) -> Path:
        """Where the level keeps its state."""
        return level_folder(self.level)

    @property
    @abstractmethod
    def places(self) -> Places:
        """Where an incident may strike."""

    @abstractmethod
    def release(self, as_of: date, by: str) -> None:
        """Train on what is known through a day, and make it live, the way that the level does."""

    def begin(self, as_of: date) -> None:
        """The first release."""
        self.release(as_of, PERSON)

    @abstractmethod
    def scheduled(self, as_of: date, days_open: int) -> None:
        """What happens on a day without anybody's doing. days_open: since the first release."""

    def repeat(self, as_of: date) -> None:
        """A person repeats the step that failed, or else makes a release anew."""
        self.release(as_of, PERSON)

    def go_back(self, as_of: date) -> None:
        """A person goes back to the release before."""
        raise UsageError(f"Level {self.level} has no command to go back.")

    def take_again(self, as_of: date) -> None:
        """A person trains on what the supplier has brought again."""
        self.release(as_of, PERSON)

    def accept(self, as_of: date) -> None:
        """A person accepts days that were refused, as the supplier says that they are right."""
        raise UsageError(f"Level {self.level} refuses no day.")

    @abstractmethod
    def look(self, as_of: date) -> Look:
        """What a person sees who looks."""

    def alarms(self, known: int) -> list[dict[str, str]]:
        """What the level has told its people of itself, after the first `known` messages."""
        return []

    @abstractmethod
    def trainings(self) -> int:
        """How many trainings have ended so far, whatever became of what they made."""

    @abstractmethod
    def called_live(self) -> str:
        """The digest of the release that the level's own records call live now; empty if they call none so."""

    def live_on(self, day: date) -> str | None:
        """The digest of what was live on a day by the level's own records; None if they do not say."""
        return None

    @contextmanager
    def doing(self, words: str, by: str) -> Iterator[None]:
        """Keep how a command ended. An error of the level's is an exit code, as in a terminal; others are a crash."""
        code, told = 0, ""
        try:
            yield
        except MlopsError as error:
            code, told = error.exit_code, one_line(error.what)
        except Exception as error:  # noqa: BLE001  a crash of one level must not end the season
            code, told = 1, one_line(f"{type(error).__name__}: {error}")
        self.did.append(Did(words, by, code, told))


def pointed_at(level: Path) -> str:
    """The digest of the bundle that a level's pointer names; empty if it names none."""
    pointer = readable_pointer(level)
    return pointer.bundle_digest if pointer else ""


def previous(releases: Sequence[str], live: str) -> str:
    """The release before the live one. Raises UsageError if there is none."""
    before = list(releases[: releases.index(live)]) if live in releases else []
    if not before:
        raise UsageError("There is no release before to go back to.")
    return before[-1]

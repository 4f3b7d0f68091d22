"""The season: each level plays the quiet days, and drills from their checkpoints; two levels at a time.

It can be stopped at any time: the next call goes on from each level's last checkpoint.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event

from comparison import checkpoints
from comparison.diary import Diary
from comparison.incidents.by_name import kind_of, make, windows
from comparison.incidents.incident import Incident
from comparison.incidents.nothing import Nothing
from comparison.level_play import LevelPlay
from comparison.people import habits_of
from comparison.staleness import Nightly
from comparison.teams.by_level import team_of
from comparison.world import Calendar, World, days_between
from shared.dataset.clock import known_through
from shared.dataset.feed import Feed
from shared.errors import MlopsError, UsageError
from shared.locks import held
from shared.places import CHECKOUT, home, set_aside, write_atomically

AT_ONCE = 2
SLOWEST_FIRST = (4, 1, 3, 2)
# Beside those of the days on which drills begin: what a kill may cost.
CHECKPOINT_EVERY_DAYS = 14
CODE = ("shared", "level1_manual", "level2_basic_automation", "level3_cicd", "level4_monitoring", "comparison")
SUFFIXES = (".py", ".toml", ".md")
# What only reads the diaries: another table is no other season.
DRAWN_AFTERWARDS = ("demo", "measures", "results", "scoreboard", "verdicts")
# Told of each day that is over, by level.
OnDay = Callable[[int, date], None]


def silent(level: int, day: date) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Season:
    """A season of a shop with one kind of people. feed: the world; folder: where all of it lies."""

    feed: Feed
    people: str
    levels: tuple[int, ...]
    on_day: OnDay = silent
    stopping: Event = field(default_factory=Event)

    @property
    def folder(self) -> Path:
        """Where the season lies."""
        return home() / "season" / self.people

    @property
    def calendar(self) -> Calendar:
        """The season's days."""
        return Calendar(self.feed.first_day, last_whole_day(self.feed))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other plays out of this home's season. Raises Locked if there is one."""
        lock = self.folder.parent / ".lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with held(lock, busy=f"A season is being played in {home()} already."):
            yield

    def prepare(self) -> None:
        """Look whether what was played is of this shop, this code and these people; else it is set aside.

        Raises UsageError if a level is not here.
        """
        for level in self.levels:
            team_of(level)
        now = {"shop": self.feed.digest(self.feed.last_day), "code": played_code(), "place": str(self.folder)}
        stamp = self.folder / "stamp.json"
        if stamp.exists() and json.loads(stamp.read_bytes()) == now:
            return
        for derived in ("checkpoints", "played"):
            shutil.rmtree(self.folder / derived, ignore_errors=True)
        set_aside(self.folder)
        write_atomically(stamp, json.dumps(now).encode())

    def play_quiet(self, through: date, wanted: date | None = None) -> None:
        """Play the quiet days through one of them, at all levels. wanted: the day whose checkpoint is needed then."""
        self._at_all_levels(lambda level: self._play_quiet(level, through, wanted))

    def drill(self, name: str, start: date) -> None:
        """Play an incident from a checkpoint of the quiet days, at all levels, and the nightly model beside them."""
        last = start + timedelta(days=kind_of(name).days - 1)
        self.play_quiet(last, wanted=start)
        done = [level for level in self.levels if self.drilled(name, start, level).noted("end")]
        self._at_all_levels(lambda level: None if level in done else self._drill(level, name, start, last))
        incident = make(name, start, self.feed)
        reference = Diary(self._drill_folder(name, start) / "reference")
        if incident.change and not reference.noted("nightly"):
            nightly = Nightly(World(self.feed, incident))
            reference.note("nightly", {str(day): nightly.ndcg(day) for day in days_between(start, last)})

    def play_once(self, name: str, incident: Callable[[], Incident], opening: date, days: int) -> None:
        """Play some days from an empty level on, without checkpoints; what was played by that name before is gone."""
        last = opening + timedelta(days=days - 1)
        self._at_all_levels(lambda level: self._play_once(level, name, incident(), last))

    def once(self, name: str, level: int) -> Diary:
        """A level's days of what was played once."""
        return Diary(self.folder / name / f"level{level}")

    def quiet(self, level: int) -> Diary:
        """A level's quiet days."""
        return Diary(self.folder / "quiet" / f"level{level}")

    def drilled(self, name: str, start: date, level: int) -> Diary:
        """A level's days of a drill."""
        return Diary(self._drill_folder(name, start) / f"level{level}")

    def nightly(self, name: str, start: date) -> dict[str, float]:
        """The sums of NDCG@10 of a model trained each night in a drill's world, by day; empty for a fault."""
        return Diary(self._drill_folder(name, start) / "reference").noted("nightly")

    def _drill_folder(self, name: str, start: date) -> Path:
        return self.folder / "drills" / name / str(start)

    def _play(self, level: int, incident: Incident, diary: Diary, measures: bool = False) -> LevelPlay:
        return LevelPlay(
            level=level,
            folder=self.folder / "played" / f"level{level}",
            world=World(self.feed, incident),
            habits=habits_of(self.people),
            opening=self.calendar.opening,
            diary=diary,
            measures=measures,
        )

    def _play_quiet(self, level: int, through: date, wanted: date | None) -> None:
        usable = self._usable_checkpoints(level)
        if str(through) in self.quiet(level).noted("records") and (wanted is None or wanted in usable):
            return
        if wanted and wanted not in usable:
            usable = [day for day in usable if day < wanted]
        last = usable[-1] if usable else None
        play = self._play(level, Nothing(date.max), self.quiet(level), measures=True)
        kept = set(self._starts())
        try:
            first = self._open(play, last)
            for day in days_between(first, through):
                self._play_day(play, day)
                after = day + timedelta(days=1)
                # After the last day there is nothing to go on with, and each checkpoint takes up to a gigabyte.
                goes_on = day < self.calendar.last
                if after in kept or (goes_on and (day == through or (after - first).days % CHECKPOINT_EVERY_DAYS == 0)):
                    self._keep(play, after, kept)
            play.diary.note("records", self._records(play, through))
        finally:
            play.stop()

    def _drill(self, level: int, name: str, start: date, last: date) -> None:
        diary = self.drilled(name, start, level)
        shutil.rmtree(diary.folder, ignore_errors=True)
        play = self._play(level, make(name, start, self.feed), diary)
        try:
            checkpoints.restore(self._checkpoint(level, start), play.folder)
            play.resume()
            for day in days_between(start, last):
                self._play_day(play, day)
            diary.note("records", self._records(play, last))
            diary.note("end", {"restarts": play.restarts()})
        finally:
            play.stop()

    def _play_once(self, level: int, name: str, incident: Incident, last: date) -> None:
        play = self._play(level, incident, self.once(name, level))
        shutil.rmtree(play.folder, ignore_errors=True)
        shutil.rmtree(play.diary.folder, ignore_errors=True)
        try:
            play.begin()
            for day in days_between(play.opening, last):
                self._play_day(play, day)
            play.diary.note("records", self._records(play, last))
            play.diary.note("end", {"restarts": play.restarts()})
        finally:
            play.stop()

    def _play_day(self, play: LevelPlay, day: date) -> None:
        if self.stopping.is_set():
            raise MlopsError("Stopped.", fix="The next call goes on.")
        play.play(day)
        self.on_day(play.level, day)

    def _open(self, play: LevelPlay, last: date | None) -> date:
        """Begin, or go on from the last checkpoint; returns the next day to play."""
        if last is None:
            shutil.rmtree(play.folder, ignore_errors=True)
            shutil.rmtree(play.diary.folder, ignore_errors=True)
            play.begin()
            return play.opening
        checkpoints.restore(self._checkpoint(play.level, last), play.folder)
        play.resume()
        return last

    def _keep(self, play: LevelPlay, after: date, kept: set[date]) -> None:
        play.remember()
        checkpoints.save(play.folder, self._checkpoint(play.level, after))
        for day in self._checkpoints(play.level):
            if day < after and day not in kept:
                shutil.rmtree(self._checkpoint(play.level, day))

    def _records(self, play: LevelPlay, through: date) -> dict[str, str | None]:
        days = days_between(play.opening, through)
        return dict(zip(map(str, days), play.records(days), strict=True))

    def _starts(self) -> list[date]:
        calendar = self.calendar
        return [day for window in windows() for day in starts_if_any(calendar, window)]

    def _checkpoint(self, level: int, day: date) -> Path:
        return self.folder / "checkpoints" / f"level{level}" / str(day)

    def _checkpoints(self, level: int) -> list[date]:
        folder = self.folder / "checkpoints" / f"level{level}"
        return sorted(date.fromisoformat(path.name) for path in folder.glob("????-??-??"))

    def _usable_checkpoints(self, level: int) -> list[date]:
        played = self.folder / "played" / f"level{level}"
        return [day for day in self._checkpoints(level) if checkpoints.is_usable(self._checkpoint(level, day), played)]

    def _at_all_levels(self, play: Callable[[int], None]) -> None:
        """Two levels at a time, the slowest first; a level that fails lets the others play on, and is told then."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results: list[Future[None]] = [
                pool.submit(play, level) for level in sorted(self.levels, key=SLOWEST_FIRST.index)
            ]
            try:
                failed = [error for error in [result.exception() for result in results] if error]
            except BaseException:  # Ctrl-C: the days under way are finished, and no other is begun
                self.stopping.set()
                raise
        if failed:
            raise failed[0]


def starts_if_any(calendar: Calendar, window: int) -> list[date]:
    """The days on which a drill may begin; none in a shop that is too short for it."""
    try:
        return calendar.starts(window)
    except UsageError:
        return []


def last_whole_day(feed: Feed) -> date:
    """The last day that a season plays: the one that the shop has reached, as a day may be there that is not whole."""
    return min(feed.last_day, known_through(feed.folder))


def played_code() -> str:
    """The digest of all code and settings that what is played depends on."""
    found = sha256()
    for path in sorted(path for name in CODE for path in (CHECKOUT / name).rglob("*") if path.suffix in SUFFIXES):
        if not (path.parent.name == "comparison" and path.stem in DRAWN_AFTERWARDS):
            found.update(path.relative_to(CHECKOUT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()

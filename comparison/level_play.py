"""One level's days: what is delivered, what people and schedules do, what customers are answered, what is written down.

The season and the drills play each level by it. What it writes down of a day never changes afterwards.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil

from comparison.answers import Served, serve_day
from comparison.customers import Address
from comparison.deliveries import deliver, deliver_catalogue, open_shop, put
from comparison.diary import Diary
from comparison.level_process import LevelProcess, make_working_copy
from comparison.people import HURTS, SUPPLIER, Habits, Person, Signal
from comparison.staleness import Staleness
from comparison.teams.signals import DEAF
from comparison.world import World
from shared.places import write_atomically
from shared.service.process import SECONDS_TO_START, create_time_of, record_file, stop
from shared.service.waiting import wait_until

SIGNAL_OF_A_FAILURE = {1: "exit code", 2: "exit code", 3: "failed job", 4: "failed job"}
MEASURED_EVERY_DAYS = 7


@dataclass
class LevelPlay:
    """A level in the middle of its days. folder: where it is played; opening: its first day.

    diary: where its days are written down. measures: whether the cost of staleness is measured.
    """

    level: int
    folder: Path
    world: World
    habits: Habits
    opening: date
    diary: Diary
    measures: bool = False
    person: Person = field(init=False)
    _did: list[dict[str, Any]] = field(default_factory=list)
    _signals: list[Signal] = field(default_factory=list)
    _made: list[str] = field(default_factory=list)
    _known_alarms: int = 0
    _held: dict[str, int] = field(default_factory=dict)
    _service_cpu: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.person = Person(self.habits)
        self.process = LevelProcess(self.level, self.folder)
        self._staleness = Staleness(self.world)

    @property
    def shop(self) -> Path:
        """The level's own shop."""
        return self.process.home / "shop"

    def begin(self) -> None:
        """Make the level's home and working copy, and start its process. Nothing is released yet."""
        self.process.home.mkdir(parents=True)
        make_working_copy(self.process.code)
        open_shop(self.shop, self.world, self.opening - timedelta(days=1))
        self.process.start()

    def resume(self) -> None:
        """Go on from a folder that was restored: start process and service."""
        self._read_memory()
        for folder in (self.process.home / f"level{self.level}", self.process.home / f"level{self.level}" / "server"):
            stop(folder)
        self.process.start()
        self.process.ask("start_service")
        self._address()

    def stop(self) -> None:
        """Stop the level's process and service."""
        self._end_held()
        self.process.stop()

    def play(self, day: date) -> None:
        """One day, from the night before to the last customer."""
        self._did, self._signals, self._made = [], [], []
        before = day - timedelta(days=1)
        delivered = deliver(self.shop, self.world, before)
        if self.world.incident.strike == day and self.world.incident.door == "catalogue":
            deliver_catalogue(self.shop, self.world.catalogue(day), day)
        self._strike(day)
        if day == self.opening:
            self._ask("begin", day, as_of=str(before))
        else:
            self._morning(day)
            self._ask("scheduled", day, as_of=str(before), days_open=(day - self.opening).days)
        state = self.process.ask("state", known_alarms=self._known_alarms)
        self._hear_alarms(day, state["alarms"])
        served = serve_day(self._address(), self.world, day, state["called_live"])
        self._hear_complaints(day, served)
        self._write_down(day, served, state, delivered)
        self.person.notice(self._signals)

    def restarts(self) -> bool:
        """Restart the service, as the end of a window does; whether it answers then."""
        self._end_held()
        self.process.ask("start_service")
        return self._address().is_ready()

    def records(self, days: list[date]) -> list[str | None]:
        """The digests of what was live on some days by the level's own records; None where they do not say."""
        answer = self.process.ask("live_on", days=[str(day) for day in days])
        return list(answer["live_on"])

    def remember(self) -> None:
        """Write down what people remember, beside the level's own state: a checkpoint holds both."""
        known = {"person": self.person.as_data(), "known_alarms": self._known_alarms}
        write_atomically(self.folder / "people.json", json.dumps(known).encode())

    def _read_memory(self) -> None:
        known = json.loads((self.folder / "people.json").read_bytes())
        self.person = Person.read(self.habits, known["person"])
        self._known_alarms = known["known_alarms"]

    def _strike(self, day: date) -> None:
        if day < self.world.incident.strike:
            return
        places = self.process.ask("places")
        configurations = [Path(path) for path in places["configurations"]]
        self.world.incident.night_before(day, configurations, lambda: self._deafen(places))

    def _deafen(self, places: dict[str, Any]) -> bool:
        """The running service follows no more; at level 1 the restart finds it no more, and it keeps its port."""
        address = places["address"]
        if not address or not psutil.pid_exists(address["pid"]):
            return False
        if self.level == 1:
            record_file(Path(places["service"])).unlink()
            self._held = dict(address)
        else:
            os.kill(address["pid"], DEAF)
        return True

    def _end_held(self) -> None:
        if self._held:
            with suppress(psutil.Error):
                process = psutil.Process(self._held["pid"])
                process.kill()
                process.wait(10)
        self._held = {}

    def _morning(self, day: date) -> None:
        as_of = str(day - timedelta(days=1))
        chosen = self.person.choose(day)
        if chosen == "do_as_told":
            self._do_as_told(day, as_of)
        elif chosen == "ask":
            self._did.append({"words": "ask supplier and administrators", "by": "person", "code": 0, "told": ""})
        elif chosen:
            self._ask("act", day, rung=chosen, as_of=as_of)
        if self.person.is_due("look", day, self.opening):
            look = self.process.ask("look", as_of=as_of)["look"]
            before = self.person.last_number
            if self.person.finds_odd(look["number"]):
                words = f"{look['where']} shows {look['number']:.3f}, after {before:.3f}"
                self._signals.append(Signal(day, "look", "number", words, "person", hurts=True))
        if self.level == 1 and self.person.is_due("runbook", day, self.opening):
            self._ask("act", day, rung="release", as_of=as_of)

    def _do_as_told(self, day: date, as_of: str) -> None:
        said = self.world.incident.asked(day)
        for wrong in said.bring_again:
            put(self.shop, self.world, wrong)
            self._did.append({"words": f"brings {wrong} again", "by": SUPPLIER, "code": 0, "told": ""})
        if said.restart:
            self._end_held()
            self.process.ask("start_service")
            self._did.append({"words": "administrators restart the service", "by": "person", "code": 0, "told": ""})
        elif said.bring_again:
            self._ask("act", day, rung="take_again", as_of=as_of)
            self.person.last_runbook = day
        elif said.right:
            self._ask("act", day, rung="accept", as_of=as_of)

    def _ask(self, question: str, day: date, **more: Any) -> None:
        """Ask the level to do something; what ends with an error is a signal."""

        def waits(digest: str, stored: Path) -> None:
            self._made.append(digest)
            self.world.incident.release_waits(day, digest, stored)

        answer = self.process.ask(question, waits, **more)
        if "lacks" in answer:
            lacks = {
                "words": f"{more.get('rung')}: no such command",
                "by": "person",
                "code": 2,
                "told": answer["lacks"],
            }
            self._did.append(lacks)
        for one in answer["did"]:
            self._did.append(one)
            if one["code"]:
                kind = "exit code" if one["by"] == "person" else SIGNAL_OF_A_FAILURE[self.level]
                words = one["told"] or f"`{one['words']}` ended with {one['code']}"
                about = f"{' '.join(one['words'].split()[:5])} {one['code']}"
                self._signals.append(Signal(day, kind, about, words, one["by"]))

    def _hear_alarms(self, day: date, alarms: list[dict[str, str]]) -> None:
        self._known_alarms += len(alarms)
        self._signals += [
            Signal(day, "alarm", one["incident"], one["what"], "machine", hurts=one["kind"] in HURTS) for one in alarms
        ]

    def _hear_complaints(self, day: date, served: Served) -> None:
        for kind, found in served.complained_of().items():
            if found >= max(self.habits.complaint_share * served.shoppers, 1):
                words = f"{found} of {served.shoppers} customers: {kind}"
                self._signals.append(Signal(day, "complaint", kind, words, "person", hurts=True))

    def _address(self) -> Address:
        """The service at the address that customers know, once it answers or has ended."""
        if self._held and psutil.pid_exists(self._held["pid"]):
            return Address(self._held["port"])
        known = self.process.ask("places")["address"]
        if not known:
            return Address(None)
        address = Address(known["port"])
        # One that neither answers nor ends is one that does not answer.
        wait_until(lambda: address.is_alive() or not create_time_of(known["pid"]), SECONDS_TO_START)
        with suppress(psutil.Error):
            self._service_cpu[known["pid"]] = sum(psutil.Process(known["pid"]).cpu_times()[:2])
        return address

    def _write_down(self, day: date, served: Served, state: dict[str, Any], delivered: str) -> None:
        stale: dict[str, float] = {}
        if self.measures and (day - self.opening).days % MEASURED_EVERY_DAYS == MEASURED_EVERY_DAYS - 1:
            stale = self._staleness.measure(self.level, self.process.home / f"level{self.level}", day)
        entry = {
            "day": str(day),
            **served.as_data(),
            "called_live": state["called_live"],
            "did": self._did,
            "made": self._made,
            "signals": [one.as_data() for one in self._signals],
            "trainings": state["trainings"],
            "struck": self.world.incident.strikes_on(day),
            "delivered": delivered,
            "stale": stale,
            "cpu": round(state["cpu"] + sum(self._service_cpu.values()), 2),
        }
        self.diary.add(day, entry, served.answers)

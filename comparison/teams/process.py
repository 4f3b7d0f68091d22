"""A level's process in the season: it is asked, one JSON line each, and answers so. The season starts one a level.

It runs in a home and from a working copy of its own, and holds nothing of the future: days arrive as files.
"""

import argparse
import json
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import psutil

from comparison.teams.by_level import team_of
from comparison.teams.team import PERSON, Team
from shared.errors import MlopsError
from shared.program import run_program
from shared.service.process import SERVICE, launch_service, log_file, read_record, stop
from shared.text import one_line

SERVING = "comparison.teams.serving"


class Conversation:
    """What is said between the season and a level's process."""

    def __init__(self, heard: TextIO, told: TextIO) -> None:
        self._heard, self._told = heard, told

    def tell(self, content: dict[str, Any]) -> None:
        """Say something."""
        self._told.write(f"{json.dumps(content)}\n")
        self._told.flush()

    def hear(self) -> dict[str, Any] | None:
        """What is said next; None when the season has ended."""
        line = self._heard.readline()
        return dict(json.loads(line)) if line else None

    def release_waits(self, digest: str, path: Path) -> None:
        """Say that a release waits to go live, and wait for the word to go on."""
        self.tell({"waits": digest, "path": str(path)})
        self.hear()


class Desk:
    """Answers what the season asks."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def begin(self, as_of: str, **_: Any) -> dict[str, Any]:
        """The first release; the service is there before it, unless a person starts it."""
        if self._team.level > 1:
            self.start_service()
        self._team.begin(date.fromisoformat(as_of))
        return {}

    def scheduled(self, as_of: str, days_open: int, **_: Any) -> dict[str, Any]:
        """What happens by itself."""
        self._team.scheduled(date.fromisoformat(as_of), days_open)
        return {}

    def act(self, rung: str, as_of: str, **_: Any) -> dict[str, Any]:
        """What a person does: release, repeat, go_back, take_again, accept."""
        day, before = date.fromisoformat(as_of), len(self._team.did)
        ways: dict[str, Callable[[], None]] = {
            "release": lambda: self._team.release(day, PERSON),
            **{name: self._way(name, day) for name in ("repeat", "go_back", "take_again", "accept")},
        }
        try:
            ways[rung]()
        except MlopsError as error:
            if len(self._team.did) == before:
                return {"lacks": one_line(error.what)}
        return {}

    def look(self, as_of: str, **_: Any) -> dict[str, Any]:
        """What a person sees."""
        try:
            return {"look": asdict(self._team.look(date.fromisoformat(as_of)))}
        except Exception as error:  # noqa: BLE001  who looks and sees an error sees no number
            return {"look": {"number": None, "where": one_line(f"{type(error).__name__}: {error}")}}

    def state(self, known_alarms: int, **_: Any) -> dict[str, Any]:
        """What has been told, what the records call live, and the CPU seconds so far."""
        told = self._team.alarms(known_alarms)
        live, trained = self._team.called_live(), self._team.trainings()
        return {"alarms": told, "called_live": live, "trainings": trained, "cpu": cpu_seconds()}

    def live_on(self, days: list[str], **_: Any) -> dict[str, Any]:
        """What was live on some days by the level's own records."""
        return {"live_on": [self._team.live_on(date.fromisoformat(day)) for day in days]}

    def places(self, **_: Any) -> dict[str, Any]:
        """Where an incident may strike, and the service's record."""
        found = self._team.places
        record = read_record(found.service)
        address = {"port": record.port, "pid": record.pid} if record else {}
        files = [str(path) for path in found.configurations]
        return {"configurations": files, "service": str(found.service), "address": address}

    def start_service(self, **_: Any) -> dict[str, Any]:
        """Start the service; at level 1 the way that its person does."""
        folder = self._team.places.service
        stop(folder)
        words = ("--level", str(self._team.level))
        module = "level1_manual.serve" if self._team.level == 1 else SERVING
        running, _child = launch_service(folder, module, 0, () if self._team.level == 1 else words)
        return {"address": {"port": running.port, "pid": running.pid}, "log": str(log_file(folder, SERVICE))}

    def stop_service(self, **_: Any) -> dict[str, Any]:
        """Stop it."""
        stop(self._team.places.service)
        return {}

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question, with what was done for it."""
        self._team.did.clear()
        found = getattr(self, question.pop("ask"))(**question)
        return {**found, "did": [asdict(one) for one in self._team.did]}

    def _way(self, name: str, day: date) -> Callable[[], None]:
        return lambda: getattr(self._team, name)(day)


def cpu_seconds() -> float:
    """CPU seconds of this process and of all that it has started, but for services, which are asked themselves."""
    mine, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    total = mine.ru_utime + mine.ru_stime + ended.ru_utime + ended.ru_stime
    for child in psutil.Process().children(recursive=True):
        try:
            if SERVING not in " ".join(child.cmdline()) and "level1_manual.serve" not in " ".join(child.cmdline()):
                total += sum(child.cpu_times()[:2])
        except psutil.Error:
            continue
    return round(total, 2)


def main() -> None:
    """Answer until the season ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level", type=int)
    level = parser.parse_args().level
    # What libraries print goes to the log, as the standard error does.
    conversation = Conversation(sys.stdin, os.fdopen(os.dup(1), "w"))
    os.dup2(2, 1)
    desk = Desk(team_of(level)(conversation.release_waits))
    try:
        conversation.tell({"ready": level})
        while (question := conversation.hear()) is not None:
            conversation.tell(desk.answer(question))
    finally:  # also if the season was killed: nothing goes on running
        desk.stop_service()


if __name__ == "__main__":
    run_program(main)

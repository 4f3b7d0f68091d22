"""The operators: who does what on which day at each level, with the level's own commands.

A person's reaction is simulated: a fault that a day brings to light is mended the next morning.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from fastapi import FastAPI

import level1_manual.serve
import level2_basic_automation.serve
import level3_cicd.serve
import level4_monitoring.serve
from comparison.customers import Service
from level1_manual import register, runbook
from level1_manual.train import MODEL
from level1_manual.workplace import laptop, server
from level2_basic_automation import deploy as level2_deploy
from level2_basic_automation import pipeline as level2_pipeline
from level3_cicd import deploy as level3_deploy
from level3_cicd import ledger
from level3_cicd import pipeline as level3_pipeline
from level4_monitoring import loop
from shared.errors import CheckFailed, IntegrityError
from shared.places import home
from shared.release.manifest import digest_of, sha256
from shared.release.pointer import read_pointer

Strike = Callable[[Path], None]
RELEASE_EVERY_DAYS = 7


class Operator(ABC):
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


class Level1(Operator):
    """A person works through the runbook, once a week."""

    level = 1
    module = "level1_manual.serve"

    def __init__(self, strike: Strike, strike_on: date) -> None:
        super().__init__(strike, strike_on)
        self._complaints = False

    @property
    def service_folder(self) -> Path:
        """The person's server."""
        return server()

    def release(self, as_of: date, steps: list[runbook.Step] | None = None) -> None:
        """The runbook, from top to bottom."""
        for step, code in runbook.perform(as_of, self._hands, steps):
            self.actions.append(f"{step.title} (exit code {code})")
        number = register.rows(laptop() / register.SHEET)[-1][0]
        self.made[number] = sha256((laptop() / MODEL).read_bytes())

    def morning(self, day: date, opened: date) -> None:
        """After complaints, copy the model again and restart."""
        super().morning(day, opened)
        if self._complaints:
            again = [step for step in runbook.read_steps() if step.title.startswith(("Copy", "Restart"))]
            self.release(day - timedelta(days=1), again)

    def evening(self, day: date) -> None:
        """Customers who got no list complain."""
        self._complaints = self.service.app is None

    def recorded_live(self, day: date) -> str | None:
        """What the spreadsheet says."""
        known = [row for row in register.rows(laptop() / register.SHEET) if row[1] <= day.isoformat()]
        return self.made[known[-1][0]] if known else None

    def pointer_digest(self) -> str:
        """The file that was copied last."""
        return list(self.made.values())[-1]

    def _hands(self, step: runbook.Step, variables: dict[str, str]) -> int:
        if step.title.startswith("Restart"):
            return self._restart()
        code = runbook.shell(step, variables, quiet=True)
        if step.title.startswith("Copy"):
            self.strikes(server() / MODEL)
        return code

    def _restart(self) -> int:
        """The season's service has no process of its own: it is made anew, and is down if that fails."""
        try:
            self.service.app = level1_manual.serve.app()
        except Exception:  # noqa: BLE001  a pickle may fail in any way, and the process would end
            self.service.app = None
        return 0


class Level2(Operator):
    """A person types one command, once a week."""

    level = 2
    module = "level2_basic_automation.serve"

    def release(self, as_of: date) -> None:
        """The command; what it trained lies on disk for a moment before it is deployed."""
        self.actions.append("mlops --level 2 pipeline run")
        run = level2_pipeline.run(as_of, deploy=self._deploy)
        self.made[run.release] = digest_of(run.folder / "bundle")
        self.service.app = self.service.app or level2_basic_automation.serve.app()

    def recorded_live(self, day: date) -> str | None:
        """Nobody kept the past."""
        return None

    def _deploy(self, release: str) -> object:
        self.strikes(level2_deploy.run_folder(self.folder, release) / "bundle")
        return level2_deploy.deploy(release)


class Level3(Operator):
    """CI/CD: the first release by a push, then the weekly schedule; a person answers when it fails."""

    level = 3
    module = "level3_cicd.serve"

    def __init__(self, strike: Strike, strike_on: date) -> None:
        super().__init__(strike, strike_on)
        self._failed = False

    def begin(self, as_of: date) -> None:
        """Somebody pushes."""
        self.actions.append("git push")
        self.release(as_of)

    def release(self, as_of: date) -> None:
        """What the workflow does: the pipeline, then the deployment."""
        try:
            entry = level3_pipeline.run(as_of, level=self.folder, actor="ci")
        except CheckFailed:
            self._failed = True
            return
        self.made[entry.release] = entry.bundle_digest
        self.strikes(local_path(entry.source))
        try:
            level3_deploy.deploy(self.folder, entry.release, as_of, actor="ci")
        except IntegrityError:
            self.refused += 1
            self._failed = True
        self.service.app = self.service.app or self._app()

    def morning(self, day: date, opened: date) -> None:
        """The workflow failed yesterday: somebody starts it again."""
        self._today = day
        if self._failed:
            self._failed = False
            self.actions.append("start the workflow again")
            self.release(day - timedelta(days=1))
        super().morning(day, opened)

    def recorded_live(self, day: date) -> str | None:
        """One query of the ledger."""
        row = ledger.live_on(self.folder, day)
        return row.bundle_digest if row else None

    def _app(self) -> FastAPI:
        return level3_cicd.serve.app()


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
            refused = ledger.read(self.folder, "verdict = 'refused' AND release = ?", (self._struck,))
            self.refused = len(refused)
        self.made = {release: entry.bundle_digest for release, entry in self._registered().items()}

    def _registered(self) -> dict:
        from level3_cicd.tools.registry import registered

        return registered(self.folder)

    def _app(self) -> FastAPI:
        return level4_monitoring.serve.app(clock=lambda: self._today)


OPERATORS: dict[int, type[Operator]] = {kind.level: kind for kind in (Level1, Level2, Level3, Level4)}


def local_path(uri: str) -> Path:
    """The folder that a `file:` URI names."""
    return Path(url2pathname(urlparse(uri).path))

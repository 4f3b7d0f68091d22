"""The team of level 3: CI/CD, and a person who answers when it fails."""

from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from fastapi import FastAPI

import level3_cicd.serve
from comparison.teams.team import Strike, Team
from level3_cicd import deploy as level3_deploy
from level3_cicd import ledger
from level3_cicd import pipeline as level3_pipeline
from shared.errors import CheckFailed, IntegrityError


class Level3(Team):
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
            entry = level3_pipeline.run(self.folder, as_of, actor="ci")
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


def local_path(uri: str) -> Path:
    """The folder that a `file:` URI names."""
    return Path(url2pathname(urlparse(uri).path))

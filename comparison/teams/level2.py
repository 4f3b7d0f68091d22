"""The team of level 2: a person who types one command."""

from datetime import date
from pathlib import Path

import level2_basic_automation.serve
from comparison.teams.team import Team
from level2_basic_automation import pipeline as level2_pipeline
from level2_basic_automation.run import Run
from shared.release.manifest import digest_of
from shared.steps import Step


class Level2(Team):
    """A person types one command, once a week."""

    level = 2
    module = "level2_basic_automation.serve"

    def release(self, as_of: date) -> None:
        """The command; what it trained lies on disk for a moment before it is deployed."""
        self.actions.append("mlops --level 2 pipeline run")
        *before, deploy = level2_pipeline.STEPS
        made = level2_pipeline.run(self.folder, as_of, steps=[*before, self._stored, deploy])
        self.made[made.release] = digest_of(made.folder / "bundle")
        self.service.app = self.service.app or level2_basic_automation.serve.app()

    def recorded_live(self, day: date) -> str | None:
        """Nobody kept the past."""
        return None

    @property
    def _stored(self) -> Step:
        def stored(run: Run, register: Path) -> None:
            """The release lies in its folder, and is not live yet."""
            self.strikes(register / "bundle")

        return stored

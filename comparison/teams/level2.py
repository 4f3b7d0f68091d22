"""The team of level 2: one command, started by cron once a week; cron mails a person if it ends with an error."""

import json
from datetime import date
from pathlib import Path

from comparison.teams.team import MACHINE, PERSON, RELEASE_EVERY_DAYS, Look, Places, Team, pointed_at, previous
from level2_basic_automation import deploy, pipeline
from level2_basic_automation.run import Run
from level2_basic_automation.store import releases, run_folder
from shared.release.manifest import digest_of
from shared.release.pointer import require_pointer
from shared.steps import Step


class Level2(Team):
    """Cron, and a person who types."""

    level = 2

    @property
    def places(self) -> Places:
        """The level's folder, and its one configuration file."""
        return Places(self.folder, (pipeline.CONFIG,))

    def release(self, as_of: date, by: str) -> None:
        """The one command; what it has made lies on the disk for a moment before it is deployed."""
        *before, last = pipeline.STEPS
        with self.doing("mlops --level 2 pipeline run", by):
            pipeline.run(self.folder, as_of, steps=[*before, self._stored, last])

    def scheduled(self, as_of: date, days_open: int) -> None:
        """Once a week."""
        if days_open % RELEASE_EVERY_DAYS == 0:
            self.release(as_of, MACHINE)

    def go_back(self, as_of: date) -> None:
        """Deploy the release before."""
        before = previous(releases(self.folder), require_pointer(self.folder).release)
        with self.doing(f"mlops --level 2 deploy model --version {before}", PERSON):
            deploy.deploy(self.folder, before, as_of)

    def look(self, as_of: date) -> Look:
        """The number of the newest run."""
        known = releases(self.folder)
        if not known:
            return Look(None, "no run yet")
        metrics = json.loads((run_folder(self.folder, known[-1]) / "metrics.json").read_bytes())
        return Look(metrics["ndcg_at_10"], f"runs/{known[-1]}/metrics.json")

    def trainings(self) -> int:
        """The runs that have a folder."""
        return len(releases(self.folder))

    def called_live(self) -> str:
        """What the pointer names."""
        return pointed_at(self.folder)

    @property
    def _stored(self) -> Step:
        def stored(run: Run, register: Path) -> None:
            """The release lies in its folder, and is not live yet."""
            self.waits(digest_of(register / "bundle"), register / "bundle")

        return stored

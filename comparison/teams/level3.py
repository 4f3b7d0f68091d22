"""The team of level 3: a workflow on a weekly schedule, which mails a person if it fails."""

import re
import tomllib
from datetime import date
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from comparison.teams.team import MACHINE, PERSON, RELEASE_EVERY_DAYS, Look, Places, Team, pointed_at
from level3_cicd import deploy, ledger, pipeline
from level3_cicd.config import CONFIG
from level3_cicd.monitor import monitor_model
from shared.dataset.day_files import digest_rows
from shared.dataset.feed import open_feed
from shared.errors import UsageError
from shared.places import shop_folder, write_atomically

ACCEPTED = "[accepted_days]"


class Level3(Team):
    """CI/CD, and a person who answers when it fails."""

    level = 3

    @property
    def places(self) -> Places:
        """The level's folder, and the pipeline's configuration."""
        return Places(self.folder, (CONFIG,))

    def release(self, as_of: date, by: str) -> None:
        """The workflow: the pipeline, and if that passes the deployment."""
        made = []
        with self.doing(f"mlops --level {self.level} pipeline run", by):
            made.append(pipeline.run(self.folder, as_of, actor="ci"))
        for outcome in made:
            self.waits(outcome.bundle_digest, local_path(outcome.source))
            with self.doing(f"mlops --level {self.level} deploy model --version {outcome.release}", by):
                deploy.deploy(self.folder, outcome.release, as_of, actor="ci")

    def scheduled(self, as_of: date, days_open: int) -> None:
        """Once a week."""
        if days_open % RELEASE_EVERY_DAYS == 0:
            self.release(as_of, MACHINE)

    def go_back(self, as_of: date) -> None:
        """The rollback's command."""
        with self.doing(f"mlops --level {self.level} deploy rollback", PERSON):
            deploy.rollback(self.folder, as_of)

    def accept(self, as_of: date) -> None:
        """The lines that the refusal printed, put into the configuration; then the workflow."""
        feed = open_feed(shop_folder())
        days = sorted(day for day in ledger.refused_days(self.folder) if day <= as_of)
        known = tomllib.loads(CONFIG.read_text()).get("accepted_days", {})
        lines = [f'"{day}" = "{digest_rows(feed.day(day))[:16]}"' for day in days]
        new = [line for line in lines if not is_accepted(line, known)]
        if not new:
            raise UsageError("No day is refused.")
        text = re.sub(rf"{re.escape(ACCEPTED)}.*", "", CONFIG.read_text(), flags=re.DOTALL)
        write_atomically(CONFIG, f"{text}{ACCEPTED}\n{chr(10).join(lines)}\n".encode())
        self.release(as_of, PERSON)

    def look(self, as_of: date) -> Look:
        """A report by hand: how good the lists of the week were."""
        found = monitor_model(self.folder, as_of)
        return Look(found.metrics.get("ndcg_at_10"), found.report.name)

    def trainings(self) -> int:
        """The releases that the gate has judged."""
        return len(ledger.verdicts_of_gate(self.folder))

    def called_live(self) -> str:
        """What the pointer names."""
        return pointed_at(self.folder)

    def live_on(self, day: date) -> str | None:
        """One question to the ledger."""
        row = ledger.live_on(self.folder, day)
        return row.bundle_digest if row else None


def is_accepted(line: str, known: dict[str, str]) -> bool:
    """Whether a configuration has a line below [accepted_days] already."""
    day, digest = (part.strip('" ') for part in line.split("="))
    return known.get(day) == digest


def local_path(uri: str) -> Path:
    """The folder that a `file:` URI names."""
    return Path(url2pathname(urlparse(uri).path))

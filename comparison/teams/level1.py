"""The team of level 1: a person, the runbook and a spreadsheet. Nothing happens by itself."""

import json
from datetime import date
from pathlib import Path

from comparison.teams.team import PERSON, Did, Look, Places, Team
from level1_manual import register, runbook, sheet
from level1_manual.train import MODEL
from level1_manual.workplace import laptop, server
from shared.places import CHECKOUT, write_atomically
from shared.release.manifest import sha256


class Level1(Team):
    """A person who works through the runbook."""

    level = 1

    @property
    def places(self) -> Places:
        """The server, and the script with the settings in it."""
        return Places(server(), (CHECKOUT / "level1_manual" / "train.py",))

    def release(self, as_of: date, by: str) -> None:
        """The runbook, from top to bottom."""
        self._work_through(as_of, runbook.read_steps())

    def scheduled(self, as_of: date, days_open: int) -> None:
        """Nothing is scheduled."""

    def repeat(self, as_of: date) -> None:
        """The steps from the one that failed on; where none has, copy the model again and restart."""
        failed = self._failed_step()
        self._work_through(
            as_of,
            [
                step
                for step in runbook.read_steps()
                if (step.number >= failed if failed else step.title.startswith(("Copy", "Restart")))
            ],
        )

    def look(self, as_of: date) -> Look:
        """The number in the spreadsheet's last row."""
        rows = sheet.rows(laptop() / register.SHEET)
        return Look(float(rows[-1][2]) if rows else None, register.SHEET)

    def trainings(self) -> int:
        """The times that the runbook's second step was carried out."""
        log = laptop().parent / runbook.ACTIONS
        known = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return sum(one["title"].startswith("Train") and not one["exit_code"] for one in known)

    def called_live(self) -> str:
        """What the last row of the spreadsheet names."""
        rows = sheet.rows(laptop() / register.SHEET)
        return self._digests().get(rows[-1][0], "") if rows else ""

    def live_on(self, day: date) -> str | None:
        """What the spreadsheet says."""
        known = [row for row in sheet.rows(laptop() / register.SHEET) if row[1] <= day.isoformat()]
        return self._digests().get(known[-1][0]) if known else None

    def _work_through(self, as_of: date, steps: list[runbook.Step]) -> None:
        for step, code in runbook.perform(as_of, self._hands, steps):
            told = f"step {step.number}, {step.title}, ended with {code}" if code else ""
            self.did.append(Did(step.command, PERSON, code, told))

    def _hands(self, step: runbook.Step, variables: dict[str, str]) -> int:
        code = runbook.shell(step, variables, quiet=True)
        if step.title.startswith("Copy") and code == 0:
            self._note_digest(variables["RELEASE"])
            self.waits(sha256((server() / MODEL).read_bytes()), server() / MODEL)
        return code

    def _failed_step(self) -> int:
        log = laptop().parent / runbook.ACTIONS
        last = json.loads(log.read_text().splitlines()[-1]) if log.exists() else {"exit_code": 0}
        return int(last["number"]) if last["exit_code"] else 0

    def _note_digest(self, release: str) -> None:
        """Which file a row is about: the season's own note, as the spreadsheet has no such column."""
        known = self._digests() | {release: sha256((server() / MODEL).read_bytes())}
        write_atomically(self._digest_file, json.dumps(known).encode())

    def _digests(self) -> dict[str, str]:
        return dict(json.loads(self._digest_file.read_bytes())) if self._digest_file.exists() else {}

    @property
    def _digest_file(self) -> Path:
        return self.folder / "season_digests.json"

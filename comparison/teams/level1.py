"""The team of level 1: a person, the runbook and a spreadsheet."""

from datetime import date, timedelta
from pathlib import Path

import level1_manual.serve
from comparison.teams.team import Strike, Team
from level1_manual import register, runbook, sheet
from level1_manual.train import MODEL
from level1_manual.workplace import laptop, server
from shared.release.manifest import sha256


class Level1(Team):
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
        number = sheet.rows(laptop() / register.SHEET)[-1][0]
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
        known = [row for row in sheet.rows(laptop() / register.SHEET) if row[1] <= day.isoformat()]
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

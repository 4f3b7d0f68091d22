"""A level as the season sees it: a process with a home and a working copy of its own, which is asked day by day."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

import psutil

from shared.commands import end_group
from shared.errors import MlopsError
from shared.places import CHECKOUT
from shared.service.process import last_lines
from shared.surroundings import own_environment

PACKAGES = ("shared", "level1_manual", "level2_basic_automation", "level3_cicd", "level4_monitoring")
NOT_MEANT_FOR_THE_SEASON = ("MLOPS_ALARMS", "MLOPS_MLFLOW_URI", "MLOPS_PREFECT_URL", "PREFECT_API_URL", "MLOPS_LEVEL")
# Tuning is a capability of its own: it must not pass for operations. Reports for a browser are read by nobody here.
SWITCHED_OFF = re.compile(r"(?m)^(tune_half_life|page_every_day) = true$")


def make_working_copy(code: Path) -> None:
    """Copy what a level's process may load of this checkout: the levels, and of the comparison its teams alone."""
    shutil.rmtree(code, ignore_errors=True)
    here = [name for name in PACKAGES if (CHECKOUT / name).exists()]
    for package in (*here, "comparison/teams"):
        shutil.copytree(CHECKOUT / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("comparison/__init__.py", "requirements.lock"):
        shutil.copy(CHECKOUT / file, code / file)
    loop = code / "level4_monitoring" / "config.toml"
    if loop.exists():
        loop.write_text(SWITCHED_OFF.sub(r"\1 = false", loop.read_text()))


class LevelProcess:
    """A level's process below a folder that holds its `home` and its `code`."""

    def __init__(self, level: int, folder: Path) -> None:
        self.level, self.folder = level, folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> Path:
        """The level's home."""
        return self.folder / "home"

    @property
    def code(self) -> Path:
        """The level's working copy."""
        return self.folder / "code"

    @property
    def log(self) -> Path:
        """What the process and all that it starts have written."""
        return self.folder / "process.log"

    def start(self) -> None:
        """Start the process. Raises MlopsError if it does not come up."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "comparison.teams.process", str(self.level)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=self.folder,
                env=self._environment(), start_new_session=True,
            )  # fmt: skip
        self._hear()

    def ask(
        self, question: str, on_release: Callable[[str, Path], None] = lambda digest, path: None, **more: Any
    ) -> dict[str, Any]:
        """Ask, and wait for the answer. on_release: called while a release waits to go live."""
        self._tell({"ask": question, **more})
        answer = self._hear()
        while "waits" in answer:
            on_release(answer["waits"], Path(answer["path"]))
            self._tell({"go": "on"})
            answer = self._hear()
        return answer

    def stop(self) -> None:
        """Stop the level's service and process, with all that they have started."""
        if self._process is None:
            return
        with suppress(MlopsError):
            self.ask("stop_service")
        # It ends when nobody speaks to it any more, and its children are nobody's then.
        children = psutil.Process(self._process.pid).children(recursive=True) if self._process.poll() is None else []
        with suppress(OSError):  # of a process that has ended
            cast(IO[bytes], self._process.stdin).close()
        end_group(self._process)
        for child in children:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child.pid, signal.SIGKILL)
        self._process = None

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in own_environment().items() if name not in NOT_MEANT_FOR_THE_SEASON}
        return own | {"PYTHONPATH": str(self.code), "MLOPS_HOME": str(self.home), "PYTHONUTF8": "1"}

    def _tell(self, content: dict[str, Any]) -> None:
        stdin = cast(IO[bytes], self._running().stdin)
        try:
            stdin.write(f"{json.dumps(content)}\n".encode())
            stdin.flush()
        except OSError as error:
            raise self._ended() from error

    def _hear(self) -> dict[str, Any]:
        line = cast(IO[bytes], self._running().stdout).readline()
        if not line:
            raise self._ended()
        return dict(json.loads(line))

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise MlopsError(f"Level {self.level} is not being played.")
        return self._process

    def _ended(self) -> MlopsError:
        return MlopsError(
            f"Level {self.level}'s process ended: {last_lines(self.log)}",
            fix=f"{self.log} has the rest; play again: it goes on from the last checkpoint.",
        )

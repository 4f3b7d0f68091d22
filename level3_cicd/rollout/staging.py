"""Staging: the live service's twin, in a process and a folder of its own, on a release that is not live yet."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from level3_cicd.rollout.takeover import takes_over
from shared.errors import CheckFailed
from shared.release.pointer import Pointer, point_to
from shared.service.process import Process, last_lines, launch_service, stop

# It starts meanwhile, which shows no progress.
SECONDS_WITHOUT_PROGRESS = 60.0


@dataclass(frozen=True)
class Staging:
    """A staging service that is starting, with nothing to answer with yet."""

    folder: Path
    running: Process

    def take(self, pointer: Pointer) -> Process:
        """Let the service answer with a release, and wait until it does. Raises CheckFailed if it does not."""
        pointer = point_to(
            self.folder, replace(pointer, bundle=f"../{pointer.bundle}", histories="", histories_digest="")
        )
        if not (takes_over(self.running, pointer, SECONDS_WITHOUT_PROGRESS) and self.running.is_itself()):
            told = last_lines(self.folder / "service.log")
            raise CheckFailed(f"Release {pointer.release} does not come up in staging:\n{told}", fix="Deploy another.")
        return self.running


@contextmanager
def staging(level: Path) -> Iterator[Staging]:
    """A staging service, for as long as the block runs. It starts while the caller fetches what it is to take."""
    folder = level / "staging"
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)
    words = ["--folder", str(folder)]
    # Any free port: another one's staging may be starting on a usual one.
    running, process = launch_service(folder, "level3_cicd.rollout.staging_service", 0, words, stdin=subprocess.PIPE)
    with process:  # it ends when the pipe to it does
        try:
            yield Staging(folder, running)
        finally:
            stop(folder)

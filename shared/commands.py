"""Runs other programs, with a time limit; all that they have started ends with them. For git, shells, CI's runner."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from shared.errors import MlopsError

SECONDS_TO_END = 5.0


def run_command(
    words: Sequence[str],
    seconds: float,
    cwd: Path,
    env: Mapping[str, str],
    output: IO | int | None = None,
    errors: IO | int | None = None,
    stdin: int | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """Run a program and wait for its end. `output` and `errors`: where it writes to; with PIPE, that is returned.

    What it started ends with it, on a time-out and on Ctrl-C, too. Raises MlopsError after `seconds`; OSError if it
    cannot be started.
    """
    with subprocess.Popen(
        list(words), cwd=cwd, env=dict(env), stdin=stdin, stdout=output, stderr=errors, start_new_session=True
    ) as started:
        try:
            told, failed = started.communicate(timeout=seconds)
        except BaseException as error:
            end_group(started)
            if isinstance(error, subprocess.TimeoutExpired):
                what = f"`{' '.join(words[:3])} ...` did not end within {seconds:.0f} s; it was stopped."
                raise MlopsError(what, fix="Look at what keeps it: the disk, the network, a question.") from error
            raise
        return subprocess.CompletedProcess(list(words), started.returncode, told, failed)


def end_group(leader: "subprocess.Popen[bytes]") -> None:
    """End a process and those that it has started: asked first, then killed."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, ending)
        with suppress(subprocess.TimeoutExpired):
            leader.wait(SECONDS_TO_END)

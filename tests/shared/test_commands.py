"""What is run ends in time, with all that it has started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.commands import run_command
from shared.errors import MlopsError
from shared.service.process import create_time_of
from shared.service.waiting import wait_until


def test_a_program_that_does_not_end_is_stopped_with_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = f"sleep 60 & echo $! > '{note}'; wait"
    with pytest.raises(MlopsError, match="did not end within 1 s"):
        run_command(["sh", "-c", child], 1, cwd=tmp_path, env=os.environ)
    assert wait_until(lambda: create_time_of(int(note.read_text())) == 0, 5)


def test_what_it_writes_and_its_code_are_returned(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; print('told'); sys.exit(3)"]
    done = run_command(words, 30, cwd=tmp_path, env=os.environ, output=subprocess.PIPE)
    assert (done.stdout.strip(), done.returncode) == (b"told", 3)


def test_ctrl_c_ends_what_was_started_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def interrupted(self: subprocess.Popen, timeout: float) -> None:
        started.append(self.pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_command(["sleep", "60"], 60, cwd=tmp_path, env=os.environ)
    assert create_time_of(started[0]) == 0

"""Services as processes: what is noted is found and stopped only if it is what was started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import UsageError
from shared.service.process import (
    Running,
    born,
    find,
    is_process_of,
    note_file,
    noted,
    read_note,
    stop,
    wait_until,
    write_note,
)


def sleeper(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], Running]:
    """A noted process that answers nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    return process, write_note(folder, Running(process.pid, port, born(process.pid)))


def test_a_process_that_hangs_is_found_if_asked_for_and_stopped(tmp_path: Path) -> None:
    process, running = sleeper(tmp_path, 8123)
    try:
        assert is_process_of(running)
        assert find(tmp_path) is None
        assert find(tmp_path, even_if_it_hangs=True) == running
        assert stop(tmp_path)
        assert process.wait(5) != 0
        assert not is_process_of(running)
    finally:
        process.kill()
    assert not note_file(tmp_path).exists()


def test_a_stale_note_never_stops_another_process(tmp_path: Path) -> None:
    write_note(tmp_path, Running(os.getpid(), 8124, "at another time"))
    assert find(tmp_path, even_if_it_hangs=True) is None
    assert not stop(tmp_path)
    assert not note_file(tmp_path).exists()


def test_a_note_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    note_file(tmp_path).write_text('{"pid": ')
    assert find(tmp_path, even_if_it_hangs=True) is None
    assert not stop(tmp_path)
    assert not note_file(tmp_path).exists()


def test_a_second_service_of_a_folder_is_refused_and_the_first_stays_noted(tmp_path: Path) -> None:
    process, running = sleeper(tmp_path, 8125)
    try:
        with pytest.raises(UsageError, match="The service runs already"), noted(tmp_path, 8126):
            pass
        assert read_note(tmp_path) == running
    finally:
        process.kill()


def test_only_the_own_note_is_removed(tmp_path: Path) -> None:
    with noted(tmp_path, 8127):
        assert find(tmp_path, even_if_it_hangs=True) == Running(os.getpid(), 8127, born(os.getpid()))
        other = write_note(tmp_path, Running(1, 8128, "another"))
    assert read_note(tmp_path) == other


def test_what_ends_with_its_starter_does_so_when_that_is_killed() -> None:
    child = (
        "from shared.service.process import end_with_starter;"
        "import time; end_with_starter(); print('up', flush=True); time.sleep(60)"
    )
    starter = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=subprocess.PIPE, start_new_session=True);"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "up\n"
        began = born(pid)
        process.send_signal(signal.SIGKILL)
    assert began
    assert wait_until(lambda: born(pid) != began, 5)

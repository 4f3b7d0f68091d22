"""Services as processes: what is recorded_as_running is found and stopped only if it is what was started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import DependencyDown, UsageError
from shared.service.process import (
    STARTS,
    Process,
    create_time_of,
    find,
    last_lines,
    read_record,
    record_file,
    recorded_as_running,
    start,
    stop,
    write_record,
)
from shared.service.waiting import wait_until


def sleeper(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], Process]:
    """A recorded_as_running process that answers nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    return process, write_record(folder, Process(process.pid, port, create_time_of(process.pid)))


def test_a_process_that_hangs_is_found_if_asked_for_and_stopped(tmp_path: Path) -> None:
    process, running = sleeper(tmp_path, 8123)
    try:
        assert running.is_running()
        assert find(tmp_path) is None
        assert find(tmp_path, even_if_it_hangs=True) == running
        assert stop(tmp_path)
        assert not running.is_running()
    finally:
        process.kill()
    assert not record_file(tmp_path).exists()


def test_a_stale_record_never_stops_another_process(tmp_path: Path) -> None:
    write_record(tmp_path, Process(os.getpid(), 8124, 1.25))
    assert find(tmp_path, even_if_it_hangs=True) is None
    assert not stop(tmp_path)
    assert not record_file(tmp_path).exists()


def test_a_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    record_file(tmp_path).write_text('{"pid": ')
    assert find(tmp_path, even_if_it_hangs=True) is None
    assert not stop(tmp_path)
    assert not record_file(tmp_path).exists()


def test_a_second_service_of_a_folder_is_refused_and_the_first_stays_recorded(tmp_path: Path) -> None:
    process, running = sleeper(tmp_path, 8125)
    try:
        with pytest.raises(UsageError, match="The service runs already"), recorded_as_running(tmp_path, 8126):
            pass
        assert read_record(tmp_path) == running
    finally:
        process.kill()


def test_only_the_own_record_is_removed(tmp_path: Path) -> None:
    with recorded_as_running(tmp_path, 8127):
        assert find(tmp_path, even_if_it_hangs=True) == Process(os.getpid(), 8127, create_time_of(os.getpid()))
        other = write_record(tmp_path, Process(1, 8128, 1.5))
    assert read_record(tmp_path) == other


def test_what_ends_with_its_starter_does_so_when_that_is_killed() -> None:
    child = (
        "from shared.service.main import end_with_starter;"
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
        create_time = create_time_of(pid)
        process.send_signal(signal.SIGKILL)
    assert create_time
    assert wait_until(lambda: create_time_of(pid) != create_time, 5)


def test_the_last_words_are_of_the_last_start_and_hold_no_traceback(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    before = f"{STARTS}prefect at port 1\nLookupError: of yesterday\n"
    traceback = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    fail()\n'
    log.write_text(
        f"{before}{STARTS}prefect at port 2\n{traceback}alembic.CommandError: Can't locate revision\n\nStopped.\n"
    )
    assert last_lines(log) == "alembic.CommandError: Can't locate revision\nStopped."
    log.write_text(f"{before}{STARTS}prefect at port 2\n")
    assert last_lines(log) == ""
    log.write_text("a log of an older version\n")
    assert last_lines(log) == "a log of an older version"
    assert last_lines(tmp_path / "none") == ""


@pytest.mark.thorough
def test_a_service_that_does_not_come_up_says_this_starts_reason(tmp_path: Path) -> None:
    (tmp_path / "service.log").write_text(f"{STARTS}x at port 1\nof yesterday\n")
    with pytest.raises(DependencyDown, match="No module named") as told:
        start(tmp_path, "no_such_module", 0)
    assert "yesterday" not in str(told.value)

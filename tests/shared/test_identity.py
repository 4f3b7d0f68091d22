"""A home notices that it was copied or moved; what was noted for another home or host does not count."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import identity
from shared.identity import FILE, home_name, know_home
from shared.service import process
from shared.service.process import (
    Process,
    create_time_of,
    find,
    hosts_elsewhere,
    read_record,
    record_file,
    stop,
    write_record,
)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A home that knows itself."""
    home = tmp_path / "home"
    (home / "level3").mkdir(parents=True)
    assert know_home(home) == ""
    return home


@pytest.fixture
def running() -> Iterator[Process]:
    """A process that is not ours to stop."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as started:
        yield Process(started.pid, 8123, create_time_of(started.pid))
        started.kill()


def on(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on another machine."""
    monkeypatch.setattr(identity, "this_host", lambda: host)
    monkeypatch.setattr(process, "this_host", lambda: host)


def content(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def test_a_home_that_stays_says_nothing(original: Path) -> None:
    before = content(original)
    assert know_home(original) == ""
    assert content(original) == before


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert know_home(tmp_path / "none") == ""
    assert not (tmp_path / "none").exists()


def test_a_copy_gets_a_name_of_its_own_and_stops_nothing_of_the_original(original: Path, running: Process) -> None:
    write_record(original / "level3", running)
    before = content(original)
    copy = original.with_name("a copy")
    shutil.copytree(original, copy)
    told = know_home(copy)
    assert f"a copy of {original}" in told
    assert know_home(copy) == ""
    assert find(copy / "level3", even_if_it_hangs=True) is None
    assert not stop(copy / "level3")
    assert running.is_running()
    assert home_name(copy) != home_name(original)
    write_record(copy / "level3", Process(os.getpid(), 8124, create_time_of(os.getpid())))
    assert content(original) == before
    assert find(original / "level3", even_if_it_hangs=True) == running


def test_a_copy_that_cannot_be_written_to_takes_nothing_for_its_own(
    original: Path, running: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(original / "level3", running)
    copy = original.with_name("copy")
    shutil.copytree(original, copy)

    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(identity, "write_atomically", refuse)
    assert "is a copy" in know_home(copy)
    assert read_record(copy / "level3") is None


def test_a_move_keeps_the_name_and_what_runs(original: Path, running: Process) -> None:
    write_record(original / "level3", running)
    name = home_name(original)
    moved = original.rename(original.with_name("moved"))
    assert f"was moved from {original}" in know_home(moved)
    assert know_home(moved) == ""
    assert home_name(moved) == name
    assert find(moved / "level3", even_if_it_hangs=True) == running


def test_another_path_to_the_same_home_is_the_same_home(original: Path) -> None:
    link = original.with_name("link")
    link.symlink_to(original)
    assert know_home(link) == ""
    assert home_name(link / "level3") == home_name(original)


def test_a_home_of_links_is_the_home_that_they_lead_to(original: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in (FILE, "level3"):
        (other / name).symlink_to(original / name)
    before = content(original)
    assert know_home(other) == ""
    assert home_name(other / "level3") == home_name(original)
    assert content(original) == before


def test_a_copy_on_another_machine_at_the_same_path_is_a_copy(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = original.with_name("copy")
    shutil.copytree(original, copy)
    shutil.rmtree(original)
    (original.parent / "so that another number is given").mkdir()
    shutil.copytree(copy, original)
    known = json.loads((original / FILE).read_bytes())
    known["folder"] = 0  # whatever number this disk has given
    (original / FILE).write_text(json.dumps(known))
    on("elsewhere", monkeypatch)
    assert "is a copy" in know_home(original)


def test_of_two_hosts_on_one_home_neither_touches_the_others_note(
    original: Path, running: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    level = original / "level3"
    write_record(level, running)
    first = record_file(level).read_bytes()
    on("host/b", monkeypatch)
    assert know_home(original) == ""
    assert find(level, even_if_it_hangs=True) is None
    assert not stop(level)
    assert len(hosts_elsewhere(level)) == 1
    mine = write_record(level, Process(os.getpid(), 8125, create_time_of(os.getpid())))
    assert read_record(level) == mine
    monkeypatch.undo()
    assert read_record(level) == running
    assert record_file(level).read_bytes() == first
    assert hosts_elsewhere(level) == ["host/b"]

"""`make clean` removes what it says, and leaves no service behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from mlops import clean as clean_module
from mlops.clean import clean
from shared.errors import Locked, UsageError
from shared.identity import know_home
from shared.places import write_atomically
from shared.service.process import Process, create_time_of, write_record


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    for name in ("shop", "level2", "level3", "servers"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text("")
    know_home(folder)
    return folder


def test_what_runs_is_stopped_and_all_is_removed(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as started:
        write_record(home / "servers", Process(started.pid, 8123, create_time_of(started.pid), "prefect"))
        told = clean(home, everything=True)
        assert create_time_of(started.pid) == 0
    assert told == [f"Stopped: prefect of {home / 'servers'}.", f"Removed {home}."]
    assert not home.exists()


def test_a_season_is_ours_and_the_services_of_its_levels_are_stopped(home: Path) -> None:
    service = home / "season" / "usual" / "played" / "level1" / "home" / "level1" / "server"
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as started:
        write_record(service, Process(started.pid, 8123, create_time_of(started.pid)))
        told = clean(home, everything=False)
        assert create_time_of(started.pid) == 0
    assert told == [f"Stopped: service of {service}.", f"Removed {home}."]


def test_what_is_not_ours_in_a_home_that_was_named_stays_and_is_told(home: Path) -> None:
    (home / "my notes.txt").write_text("mine")
    (home / "level3-old").mkdir()
    told = clean(home, everything=False)
    assert sorted(entry.name for entry in home.iterdir()) == ["level3-old", "my notes.txt"]
    assert "left alone: level3-old, my notes.txt" in told[-1]


def test_a_folder_that_is_no_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "level1").mkdir()
    with pytest.raises(UsageError, match="no home of ours"):
        clean(tmp_path, everything=False)
    assert (tmp_path / "level1").exists()


def test_what_links_lead_to_stays(home: Path, tmp_path: Path) -> None:
    write_atomically(tmp_path / "elsewhere" / "file", b"")
    (home / "level4").symlink_to(tmp_path / "elsewhere")
    clean(home, everything=True)
    assert (tmp_path / "elsewhere" / "file").exists()


def test_nothing_is_removed_under_somebody_who_works(home: Path) -> None:
    from filelock import FileLock

    with FileLock(home / "level3" / ".pipeline.lock"), pytest.raises(Locked):
        clean(home, everything=True)
    assert (home / "shop" / "file").exists()
    (home / "season").mkdir()
    with FileLock(home / "season" / ".lock"), pytest.raises(Locked, match="season is being played"):
        clean(home, everything=True)
    assert (home / "shop" / "file").exists()


def test_only_a_home_that_is_named_is_removed_in_place_of_the_checkouts(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(clean_module, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.setenv("MLOPS_HOME", str(home))
    monkeypatch.setattr(sys, "argv", ["clean"])
    clean_module.main()
    told = capsys.readouterr().out
    assert f"There is nothing in {tmp_path / 'checkout' / 'var'}." in told
    assert f"MLOPS_HOME names {home}, which stays." in told
    monkeypatch.setattr(sys, "argv", ["clean", "--named"])
    clean_module.main()
    assert capsys.readouterr().out == f"Removed {home}.\n"


def test_a_home_behind_a_link_is_emptied_and_the_link_stays(home: Path, tmp_path: Path) -> None:
    (home / "servers" / "broken.json").write_text("{")  # no record of a process
    link = tmp_path / "link"
    link.symlink_to(home)
    clean(link, everything=False)
    assert link.is_symlink()
    assert list(home.iterdir()) == []

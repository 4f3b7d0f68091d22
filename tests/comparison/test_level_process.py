"""How the season speaks with a level's process; here a few lines of Python stand for a level."""

from pathlib import Path

import psutil
import pytest

from comparison.level_process import LevelProcess, make_working_copy
from shared.errors import MlopsError

SPEAKS = """
import json, os, sys

def tell(content):
    print(json.dumps(content), flush=True)

tell({"ready": sys.argv[1]})
for line in sys.stdin:
    asked = json.loads(line)
    if asked["ask"] == "release":
        tell({"waits": "digest", "path": "/bundle"})
        sys.stdin.readline()
    if asked["ask"] == "start":
        import subprocess
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    if asked["ask"] == "crash":
        sys.exit("it has crashed")
    tell({"asked": asked, "home": os.environ["MLOPS_HOME"], "alarms": "MLOPS_ALARMS" in os.environ})
"""


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LevelProcess:
    monkeypatch.setenv("MLOPS_ALARMS", "mailto://somebody")
    made = LevelProcess(3, tmp_path)
    teams = made.code / "comparison" / "teams"
    teams.mkdir(parents=True)
    for folder in (teams, teams.parent):
        (folder / "__init__.py").touch()
    (teams / "process.py").write_text(SPEAKS)
    return made


def test_a_level_answers_from_its_own_working_copy_on_its_own_home(process: LevelProcess) -> None:
    process.start()
    answer = process.ask("state", known_alarms=0)
    assert answer == {"asked": {"ask": "state", "known_alarms": 0}, "home": str(process.home), "alarms": False}
    released: list[tuple[str, Path]] = []
    process.ask("release", lambda digest, path: released.append((digest, path)))
    process.ask("release")
    assert released == [("digest", Path("/bundle"))]
    process.ask("start")
    [child] = psutil.Process(process._process.pid).children()  # type: ignore[union-attr]
    process.stop()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    process.stop()
    with pytest.raises(MlopsError, match="not being played"):
        process.ask("state")


def test_a_process_that_ends_is_told_with_its_last_words(process: LevelProcess) -> None:
    process.start()
    with pytest.raises(MlopsError, match=r"Level 3's process ended: it has crashed(.|\n)*goes on from the last"):
        process.ask("crash")
    with pytest.raises(MlopsError, match="ended"):
        process.ask("state")
    process.stop()


def test_a_working_copy_has_teams_and_no_incident_and_tunes_nothing(tmp_path: Path) -> None:
    make_working_copy(tmp_path / "code")
    found = {path.name for path in (tmp_path / "code" / "comparison").iterdir()}
    assert found == {"__init__.py", "teams"}
    settings = (tmp_path / "code" / "level4_monitoring" / "config.toml").read_text()
    assert "tune_half_life = false" in settings
    assert "page_every_day = false" in settings
    assert (tmp_path / "code" / "requirements.lock").exists()


def test_a_level_that_is_not_here_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("shared", "level2_basic_automation", "comparison/teams"):
        (tmp_path / "checkout" / name).mkdir(parents=True)
    for name in ("comparison/__init__.py", "requirements.lock"):
        (tmp_path / "checkout" / name).touch()
    monkeypatch.setattr("comparison.level_process.CHECKOUT", tmp_path / "checkout")
    make_working_copy(tmp_path / "code")
    assert sorted(path.name for path in (tmp_path / "code").iterdir()) == [
        "comparison", "level2_basic_automation", "requirements.lock", "shared",
    ]  # fmt: skip

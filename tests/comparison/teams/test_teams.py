"""What each level's team does on a day; pipelines, deployments and the loop are stand-ins that write down who asked."""

from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import level1_manual.serve
import level2_basic_automation.serve
import level3_cicd.serve
import level4_monitoring.serve
from comparison.teams.level1 import Level1
from comparison.teams.level2 import Level2
from comparison.teams.level3 import Level3
from comparison.teams.level4 import Level4
from level1_manual import register, runbook, sheet
from level1_manual.train import MODEL
from level1_manual.workplace import laptop, server
from level2_basic_automation import pipeline as level2_pipeline
from level3_cicd import deploy as level3_deploy
from level3_cicd import pipeline as level3_pipeline
from level3_cicd.ledger import Row, append
from level3_cicd.registered import Registered
from level4_monitoring import loop
from shared.errors import CheckFailed, IntegrityError
from shared.release.manifest import sha256
from shared.steps import name_of

OPENING = date(2017, 6, 5)
DAY_BEFORE = OPENING - timedelta(days=1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    for module in (level1_manual.serve, level2_basic_automation.serve, level3_cicd.serve, level4_monitoring.serve):
        monkeypatch.setattr(module, "app", lambda **given: "an app")
    return tmp_path


def work(step: runbook.Step, variables: dict[str, str], quiet: bool = False) -> int:
    """What a person's shell does, without training: the model is two letters."""
    if step.title.startswith("Copy"):
        server().mkdir(parents=True, exist_ok=True)
        (server() / MODEL).write_bytes((laptop() / MODEL).read_bytes())
    elif step.number == 1:
        laptop().mkdir(parents=True, exist_ok=True)
        (laptop() / MODEL).write_text(variables["RELEASE"])
    elif "spreadsheet" in step.title.lower() or "row" in step.title.lower():
        sheet.add_row(laptop() / register.SHEET, [variables["RELEASE"], variables["TODAY"], "0.3", "me", ""])
    return 0


def test_a_person_at_level_1_copies_again_after_complaints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runbook, "shell", work)
    struck: list[Path] = []
    team = Level1(struck.append, OPENING + timedelta(days=1))
    team.begin(DAY_BEFORE)
    assert len(team.actions) == 6
    assert team.made == {"1.0": sha256(b"1.0")}
    assert team.recorded_live(DAY_BEFORE) is None
    assert team.recorded_live(OPENING) == team.pointer_digest() == sha256(b"1.0")
    assert team.service.app == "an app"

    def broken() -> Any:
        raise ValueError("half a pickle")

    monkeypatch.setattr(level1_manual.serve, "app", broken)
    team.morning(OPENING + timedelta(days=1), OPENING)
    assert struck == []  # nothing was copied
    team._restart()
    team.evening(OPENING + timedelta(days=1))
    assert team.service.app is None
    team.morning(OPENING + timedelta(days=2), OPENING)
    assert [action.split()[0] for action in team.actions[6:]] == ["Copy", "Restart"]


def test_the_incident_strikes_the_copy_on_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runbook, "shell", work)
    struck: list[Path] = []
    team = Level1(struck.append, OPENING + timedelta(days=7))
    team.begin(DAY_BEFORE)
    team.morning(OPENING + timedelta(days=7), OPENING)
    assert struck == [server() / MODEL]


def test_level_2s_release_lies_on_disk_before_it_is_deployed(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    seen: list[tuple[str, list[Path]]] = []
    struck: list[Path] = []

    def run(level: Path, as_of: date, steps: list) -> SimpleNamespace:
        for step in steps:
            if name_of(step) == "stored":
                step(None, home / "1.0")
            seen.append((name_of(step), list(struck)))
        return SimpleNamespace(release="1.0", folder=home / "1.0")

    monkeypatch.setattr(level2_pipeline, "run", run)
    monkeypatch.setattr("comparison.teams.level2.digest_of", lambda bundle: f"digest of {bundle.parent.name}")
    team = Level2(struck.append, OPENING)
    team._today = OPENING
    team.release(DAY_BEFORE)
    assert [name for name, _ in seen][-2:] == ["stored", "deploy"]
    assert seen[-1][1] == [home / "1.0" / "bundle"]
    assert team.made == {"1.0": "digest of 1.0"}
    assert team.recorded_live(OPENING) is None


class Workflow:
    """Level 3's pipeline and deployment, which fail when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing: dict[str, Exception] = {}
        self.deployed: list[str] = []
        self.trained = 0
        monkeypatch.setattr(level3_pipeline, "run", self.run)
        monkeypatch.setattr(level3_deploy, "deploy", self.deploy)

    def run(self, level: Path, as_of: date, actor: str) -> SimpleNamespace:
        if "pipeline" in self.failing:
            raise self.failing["pipeline"]
        self.trained += 1
        release = f"1.{self.trained - 1}"
        return SimpleNamespace(
            release=release, bundle_digest=f"digest of {release}", source=f"file:///models/{release}"
        )

    def deploy(self, level: Path, release: str, as_of: date, actor: str) -> None:
        if "deploy" in self.failing:
            raise self.failing["deploy"]
        self.deployed.append(release)


def test_level_3_starts_a_failed_workflow_again_the_next_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = Workflow(monkeypatch)
    struck: list[Path] = []
    team = Level3(struck.append, OPENING + timedelta(days=7))
    team.begin(DAY_BEFORE)
    assert (team.actions, workflow.deployed, team.service.app) == (["git push"], ["1.0"], "an app")
    workflow.failing = {"deploy": IntegrityError("half a file")}
    team.morning(OPENING + timedelta(days=7), OPENING)
    assert (team.refused, struck) == (1, [Path("/models/1.1")])
    workflow.failing = {"pipeline": CheckFailed("bad data")}
    team.morning(OPENING + timedelta(days=8), OPENING)
    workflow.failing = {}
    team.morning(OPENING + timedelta(days=9), OPENING)
    team.morning(OPENING + timedelta(days=10), OPENING)
    assert workflow.deployed == ["1.0", "1.2"]
    assert team.actions == ["git push", "start the workflow again", "start the workflow again"]


def test_levels_3_and_4_know_what_was_live_from_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    team = Level3(lambda stored: None, OPENING)
    assert team.recorded_live(OPENING) is None
    append(team.folder, Row(DAY_BEFORE, "deploy", "live", "", "1.0", "digest of 1.0", sequence=1))
    assert team.recorded_live(OPENING) == "digest of 1.0"


def test_level_4s_incident_strikes_the_open_challenger_and_the_loop_refuses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    struck: list[Path] = []
    ticked: list[date] = []
    entry = Registered("1.1", "2", "passed", "digest of 1.1", "file:///models/1.1")
    monkeypatch.setattr("level3_cicd.tools.registry.registered", lambda level: {"1.1": entry})
    monkeypatch.setattr(loop, "open_challenger", lambda level: "1.1")
    monkeypatch.setattr(Level4, "tick", staticmethod(ticked.append))
    team = Level4(struck.append, OPENING + timedelta(days=1))
    append(team.folder, Row(OPENING, "decide", "close", "damaged", "1.1"))
    for number in range(2):
        team.morning(OPENING + timedelta(days=number), OPENING)
        team.evening(OPENING + timedelta(days=number))
        assert (len(struck), team.refused) == (number, number)
    assert struck == [Path("/models/1.1")]
    assert ticked == [OPENING, OPENING + timedelta(days=1)]
    assert team.made == {"1.1": "digest of 1.1"}
    assert team._app() == "an app"

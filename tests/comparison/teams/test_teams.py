"""What each level's team does; pipelines, deployments and the loop are stand-ins that write down who asked."""

import json
import tomllib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from comparison.teams import level2, level3, level4
from comparison.teams.by_level import team_of
from comparison.teams.level1 import Level1
from comparison.teams.level2 import Level2
from comparison.teams.level3 import Level3
from comparison.teams.level4 import Level4
from comparison.teams.team import MACHINE, PERSON, Did, Look
from level1_manual import register, runbook, sheet
from level1_manual.train import MODEL
from level1_manual.workplace import laptop, server
from level2_basic_automation.store import run_folder
from level3_cicd.ledger import Row, append
from level4_monitoring.alarms import alarm_file
from level4_monitoring.config import LoopConfig
from level4_monitoring.health import Health
from level4_monitoring.kept import Alarm, Kept
from level4_monitoring.past import Past
from shared.dataset.day_files import digest_rows
from shared.dataset.feed import open_feed
from shared.errors import CheckFailed, DependencyDown, IntegrityError, UsageError
from shared.release.manifest import sha256
from shared.release.pointer import Pointer, point_to
from shared.steps import name_of
from tests.conftest import FIRST_DAY, write_checkerboard

OPENING = date(2017, 6, 5)
DAY_BEFORE = OPENING - timedelta(days=1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def waiting() -> list[tuple[str, Path]]:
    return []


@pytest.fixture
def waits(waiting: list) -> Callable[[str, Path], None]:
    return lambda digest, path: waiting.append((digest, path))


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


def words(team: Any) -> list[str]:
    return [one.words.split()[-1].split(".")[-1] for one in team.did]


def test_a_person_works_through_the_runbook(monkeypatch: pytest.MonkeyPatch, waits: Callable, waiting: list) -> None:
    monkeypatch.setattr(runbook, "shell", work)
    team = Level1(waits)
    assert (team.called_live(), team.live_on(OPENING), team.trainings()) == ("", None, 0)
    assert team.look(DAY_BEFORE) == Look(None, "models.xlsx")
    team.begin(DAY_BEFORE)
    assert len(team.did) == 6
    assert {one.by for one in team.did} == {PERSON}
    assert waiting == [(sha256(b"1.0"), server() / MODEL)]
    assert team.called_live() == team.live_on(OPENING) == sha256(b"1.0")
    assert team.live_on(DAY_BEFORE) is None
    assert team.look(DAY_BEFORE) == Look(0.3, "models.xlsx")
    assert team.trainings() == 1
    team.scheduled(OPENING, 7)
    assert len(team.did) == 6
    team.repeat(OPENING)
    assert words(team)[6:] == ['pkl"', "restart"]


def test_a_person_at_level_1_goes_on_from_the_step_that_failed(
    monkeypatch: pytest.MonkeyPatch, waits: Callable
) -> None:
    monkeypatch.setattr(
        runbook, "shell", lambda step, variables, quiet: 3 if step.number == 2 else work(step, variables)
    )
    team = Level1(waits)
    team.begin(DAY_BEFORE)
    assert [(one.code, bool(one.told)) for one in team.did] == [(0, False), (3, True)]
    monkeypatch.setattr(runbook, "shell", work)
    team.repeat(DAY_BEFORE)
    assert len(team.did) == 2 + 5
    with pytest.raises(UsageError, match="no command to go back"):
        team.go_back(DAY_BEFORE)
    with pytest.raises(UsageError, match="refuses no day"):
        team.accept(DAY_BEFORE)


class Cron:
    """Level 2's pipeline, which makes runs without training."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        self.home, self.steps, self.deployed = home, [], []
        monkeypatch.setattr(level2.pipeline, "run", self.run)
        monkeypatch.setattr(level2.deploy, "deploy", lambda level, release, as_of: self.deployed.append(release))
        monkeypatch.setattr(level2, "digest_of", lambda bundle: f"digest of {bundle.parent.name}")

    def run(self, level: Path, as_of: date, steps: list) -> None:
        self.steps = [name_of(step) for step in steps]
        release = f"1.{len(list(run_folder(level, '').glob('*')))}"
        folder = run_folder(level, release)
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({"ndcg_at_10": 0.25}))
        [stored] = [step for step in steps if name_of(step) == "stored"]
        stored(None, folder)
        point_to(level, Pointer(release, f"runs/{release}/bundle", f"digest of {release}"))


def test_cron_runs_weekly_and_what_it_made_waits_before_it_is_deployed(
    monkeypatch: pytest.MonkeyPatch, home: Path, waits: Callable, waiting: list
) -> None:
    cron, team = Cron(monkeypatch, home), Level2(waits)
    assert (team.look(DAY_BEFORE).number, team.called_live()) == (None, "")
    team.begin(DAY_BEFORE)
    for days_open in range(1, 8):
        team.scheduled(DAY_BEFORE + timedelta(days=days_open), days_open)
    assert cron.steps[-2:] == ["stored", "deploy"]
    assert [one.by for one in team.did] == [PERSON, MACHINE]
    assert waiting == [(f"digest of 1.{at}", run_folder(home / "level2", f"1.{at}") / "bundle") for at in (0, 1)]
    assert (team.called_live(), team.live_on(OPENING), team.trainings()) == ("digest of 1.1", None, 2)
    assert team.look(OPENING).number == 0.25
    team.go_back(OPENING)
    assert cron.deployed == ["1.0"]
    point_to(home / "level2", Pointer("1.0", "runs/1.0/bundle", "digest of 1.0"))
    with pytest.raises(UsageError, match="no release before"):
        team.go_back(OPENING)


class Workflow:
    """Level 3's pipeline and deployment, which fail when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing: dict[str, Exception] = {}
        self.deployed: list[str] = []
        self.trained = 0
        monkeypatch.setattr(level3.pipeline, "run", self.run)
        monkeypatch.setattr(level3.deploy, "deploy", self.deploy)

    def run(self, level: Path, as_of: date, actor: str) -> SimpleNamespace:
        if "pipeline" in self.failing:
            raise self.failing["pipeline"]
        release, self.trained = f"1.{self.trained}", self.trained + 1
        return SimpleNamespace(release=release, bundle_digest=f"digest of {release}", source=f"file:///m/{release}")

    def deploy(self, level: Path, release: str, as_of: date, actor: str) -> None:
        if "deploy" in self.failing:
            raise self.failing["deploy"]
        self.deployed.append(release)


def test_a_workflow_that_fails_is_an_exit_code_and_its_first_words(
    monkeypatch: pytest.MonkeyPatch, waits: Callable, waiting: list
) -> None:
    workflow, team = Workflow(monkeypatch), Level3(waits)
    team.begin(DAY_BEFORE)
    assert (workflow.deployed, waiting) == (["1.0"], [("digest of 1.0", Path("/m/1.0"))])
    workflow.failing = {"deploy": IntegrityError("half a file")}
    team.scheduled(OPENING, 7)
    assert team.did[-1] == Did("mlops --level 3 deploy model --version 1.1", MACHINE, 4, "half a file")
    workflow.failing = {"pipeline": CheckFailed("bad data")}
    team.scheduled(OPENING, 8)
    assert len(team.did) == 4
    team.repeat(OPENING)
    assert (team.did[-1].by, team.did[-1].code) == (PERSON, 3)
    workflow.failing = {"pipeline": ValueError("a crash")}
    team.take_again(OPENING)
    assert (team.did[-1].code, team.did[-1].told) == (1, "ValueError: a crash")
    monkeypatch.setattr(level3.deploy, "rollback", lambda level, as_of: None)
    team.go_back(OPENING)
    assert (team.did[-1].words, team.did[-1].code) == ("mlops --level 3 deploy rollback", 0)


def test_the_ledger_says_what_was_live_and_how_much_was_trained(
    waits: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Level3(waits)
    assert (team.live_on(OPENING), team.trainings(), team.called_live()) == (None, 0, "")
    append(team.folder, Row(DAY_BEFORE, "gate", "passed", "", "1.0", "digest of 1.0"))
    append(team.folder, Row(DAY_BEFORE, "deploy", "live", "", "1.0", "digest of 1.0", sequence=1))
    assert (team.live_on(OPENING), team.trainings()) == ("digest of 1.0", 1)
    report = SimpleNamespace(metrics={"ndcg_at_10": 0.2}, report=Path("2017-06-04.html"))
    monkeypatch.setattr(level3, "monitor_model", lambda level, as_of: report)
    assert team.look(DAY_BEFORE) == Look(0.2, "2017-06-04.html")


def test_a_person_accepts_refused_days_as_the_refusal_says(
    monkeypatch: pytest.MonkeyPatch, home: Path, waits: Callable
) -> None:
    workflow, team, day = Workflow(monkeypatch), Level3(waits), FIRST_DAY + timedelta(days=3)
    write_checkerboard(home / "shop")
    (home / "config.toml").write_text('model = "frecency"\n')
    monkeypatch.setattr(level3, "CONFIG", home / "config.toml")
    with pytest.raises(UsageError, match="No day is refused"):
        team.accept(OPENING)
    append(team.folder, Row(day, "validate", "refused", "", numbers={"findings": [{"day": str(day)}]}))
    team.accept(OPENING)
    digest = digest_rows(open_feed(home / "shop").day(day))[:16]
    assert tomllib.loads((home / "config.toml").read_text())["accepted_days"] == {str(day): digest}
    assert workflow.deployed == ["1.0"]
    with pytest.raises(UsageError, match="No day is refused"):
        team.accept(OPENING)


def test_the_loop_ticks_daily_and_its_challenger_waits(
    monkeypatch: pytest.MonkeyPatch, waits: Callable, waiting: list
) -> None:
    team = Level4(waits)
    workflow, ticked = Workflow(monkeypatch), []
    monkeypatch.setattr(level4, "tick_arrived", lambda level, now: ticked.append(now) or [])
    looked = []
    monkeypatch.setattr(level4.health, "look", lambda level, now, limits: looked.append(now) or Health(None, (), ""))
    monkeypatch.setattr(level4.loop, "open_challenger", lambda level: "1.1" if ticked else None)
    known = {"1.1": SimpleNamespace(bundle_digest="digest of 1.1", source="file:///m/1.1")}
    monkeypatch.setattr("level3_cicd.tools.registry.registered", lambda level: known)
    team.repeat(DAY_BEFORE)  # nothing is live yet: the first release again
    assert workflow.deployed == ["1.0"]
    waiting.clear()
    for days_open in range(3):
        team.scheduled(DAY_BEFORE + timedelta(days=days_open), days_open)
    assert ticked == [datetime(2017, 6, 6, 1), datetime(2017, 6, 7, 1)]
    assert waiting == [("digest of 1.1", Path("/m/1.1"))]
    assert [now - looked[0] for now in looked] == [0, 86_400 - 600, 86_400, 2 * 86_400 - 600]
    assert [one.words for one in team.did if one.by == MACHINE] == []  # who only looked has done nothing
    point_to(team.folder, Pointer("1.0", "bundles/1.0", "digest of 1.0"))
    monkeypatch.setattr(level4.loop, "tick", lambda day: ticked.append(day))
    team.take_again(OPENING)
    assert (ticked[-1], team.did[-1].words) == (OPENING, "mlops monitor model")


def test_what_the_loop_did_is_told_and_a_look_that_fails_is_no_end(
    monkeypatch: pytest.MonkeyPatch, waits: Callable
) -> None:
    team, kept = Level4(waits), Kept(DAY_BEFORE, alarms=(Alarm("quarantine", "a day"),))
    hold = Row(DAY_BEFORE, "decide", "hold", "", numbers={"kept": kept.as_data()})
    looks = [DependencyDown("busy"), Health(None, (Alarm("errors", "many"),), "roll back")]

    def look(level: Path, now: float, limits: LoopConfig) -> Health:
        assert limits.service.most_milliseconds > 10**6  # how busy the machine is decides nothing
        found = looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(level4.health, "look", look)
    monkeypatch.setattr(level4.loop, "open_challenger", lambda level: None)
    monkeypatch.setattr(level4, "tick_arrived", lambda level, now: [hold])
    team.scheduled(DAY_BEFORE, 1)
    assert [(one.words, one.told) for one in team.did] == [(level4.TICK, ""), ("mlops loop health", "roll back")]


def test_the_loops_alarms_are_read_from_its_file_and_days_in_quarantine_are_accepted(
    monkeypatch: pytest.MonkeyPatch, home: Path, waits: Callable
) -> None:
    team, accepted = Level4(waits), []
    assert team.alarms(0) == []
    team.folder.mkdir()
    alarm_file(team.folder).write_text('{"incident": "drift"}\n{"incident": "quality"}\n')
    assert team.alarms(1) == [{"incident": "quality"}]
    write_checkerboard(home / "shop")
    assert team.look(DAY_BEFORE).number is None
    with pytest.raises(UsageError, match="No day is in quarantine"):
        team.accept(OPENING)
    monkeypatch.setattr(Past, "quarantined", lambda self, digests: {OPENING})
    monkeypatch.setattr(level4.hands, "accept", lambda level, day, why, actor: accepted.append(day))
    team.accept(OPENING)
    assert accepted == [OPENING]


def test_a_level_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "comparison.teams.level2", raising=False)
    monkeypatch.setitem(sys.modules, "level2_basic_automation", None)
    with pytest.raises(UsageError, match=r"Level 2 cannot be compared: .*(\n.*)*--only"):
        team_of(2)
    assert team_of(1).level == 1

"""What commands print and in which order they ask; levels, services and servers are stand-ins."""

from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from level2_basic_automation import deploy as level2_deploy
from level2_basic_automation import pipeline as level2_pipeline
from level3_cicd import audit, ops
from level3_cicd import deploy as level3_deploy
from level3_cicd.ledger import Row, append
from level4_monitoring import schedule
from mlops import options
from mlops.commands import doctor, servers
from mlops.root import commands
from shared.dataset.clock import set_known_through
from shared.errors import CheckFailed, DependencyDown, MlopsError, UsageError
from shared.model.popular import Popular
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to
from shared.service import process
from shared.service.process import Process
from tests.conftest import FIRST_DAY, make_products, make_transactions, write_checkerboard

LAST = date(2017, 2, 9)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.delenv("GITHUB_WORKFLOW", raising=False)
    write_checkerboard(tmp_path / "shop")
    set_known_through(tmp_path / "shop", LAST)
    return tmp_path


def say(*words: str) -> str:
    """What a command prints that succeeds."""
    done: Result = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


class Running(Process):
    """A service that answers; asked: what it was asked."""

    asked: ClassVar[list[tuple[str, int]]] = []

    def is_itself(self) -> bool:
        return True

    def recommend(self, customer: str, k: int = 5) -> dict[str, Any]:
        Running.asked.append((customer, k))
        return {"release": "1.0", "customer": customer, "recommendations": [{"rank": 1, "name": "Tea", "reason": "x"}]}

    def get(self, path: str, seconds: float = 10) -> dict[str, Any]:
        return {"release": "1.0", "degraded": False, "error": ""}


@pytest.mark.parametrize("runs", [True, False])
def test_a_service_that_was_started_for_a_question_is_stopped_after_it(
    monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    events: list[str] = []
    running = Running(1, 8002)
    monkeypatch.setattr("mlops.commands.ask.find_sound", lambda level: running if runs else None)
    monkeypatch.setattr(process, "start", lambda *given: events.append("start") or running)
    monkeypatch.setattr(process, "stop", lambda at: events.append("stop"))
    told = say("--level", "2", "ask", "7", "-k", "3")
    assert told == "Level 2, release 1.0, recommends to customer 7:\n  1. Tea  (x)\n"
    assert Running.asked[-1] == ("7", 3)
    assert events == ([] if runs else ["start", "stop"])


def test_a_service_that_hangs_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = SimpleNamespace(is_itself=lambda: False, is_running=lambda: True, url="http://127.0.0.1:8002")
    monkeypatch.setattr(process, "find", lambda at, even_if_it_hangs: hanging)
    monkeypatch.setattr(servers, "SECONDS_TO_ANSWER", 0.01)
    with pytest.raises(DependencyDown, match=r"8002 hangs.\n  To fix: Run `mlops --level 2 down`"):
        servers.find_sound(2)
    monkeypatch.setattr(process, "find", lambda at, even_if_it_hangs: Running(1, 8002))
    assert servers.in_background(2) == Running(1, 8002)


def test_up_prints_the_addresses_and_down_what_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "start_servers", lambda level: {"prefect": "http://127.0.0.1:4200"})
    monkeypatch.setattr(ops, "stop_servers", lambda level: ["prefect"])
    monkeypatch.setattr(ops, "running_servers", lambda level: ["mlflow"] if level.name == "level4" else [])
    monkeypatch.setattr(servers, "find_sound", lambda level: Running(1, 8003))
    told = say("--level", "3", "up")
    assert "prefect:       http://127.0.0.1:4200\nservice:       http://127.0.0.1:8003/recommendations/1\n" in told
    told = say("--level", "3", "down")
    assert told.startswith("Stopped: prefect.\n")
    assert "Level 4 has something running, too: mlops --level 4 down" in told
    assert "Level 2" not in told


def test_a_deployment_is_told_with_what_it_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    level = home / "level2"
    for release in ("1.0", "1.1"):
        model = Popular().fit(make_transactions())
        write_bundle(level / "bundles" / release, model, make_products(), Evidence("data", "code"))

    def deploy(level: Path, release: str, as_of: date, actor: str) -> None:
        asked.append((release, as_of, actor))
        point_to(level, Pointer(release, f"bundles/{release}", "digest"))

    asked: list[tuple[str, date, str]] = []
    monkeypatch.setattr(level2_deploy, "find_release", lambda level, wanted: wanted)
    monkeypatch.setattr(level2_deploy, "deploy", deploy)
    monkeypatch.setattr(level2_deploy, "try_out", lambda *given: "all well")
    words = ("--level", "2", "deploy", "model", "--version")
    dry = say(*words, "1.0", "--dry-run")
    assert dry == "Would make 1.0 live; all well. The live release was not changed.\n"
    first = say(*words, "1.0", "--as-of", "2017-02-01")
    assert first.startswith("Release 1.0 is live.\n  No service runs; start one: mlops --level 2 serve --background\n")
    assert "nothing else changed" in say(*words, "1.0")
    assert first.endswith("Next:  mlops --level 2 ask c00\n")
    monkeypatch.setattr(process, "find", lambda at: Running(1, 8002))
    monkeypatch.setenv("GITHUB_WORKFLOW", "deploy")
    monkeypatch.setenv("GITHUB_ACTOR", "anna")
    second = say(*words, "1.1")
    assert second.startswith("Release 1.1 is live in place of 1.0.\n  Where: ")
    assert asked[0] == ("1.0", date(2017, 2, 1), "operator")
    assert asked[-1] == ("1.1", LAST, "deploy, started by anna")
    assert "in place of 1.1" in say(*words, "1.0", "--dry-run")
    assert level.exists()


def test_the_past_is_told_row_by_row(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert say("--level", "3", "deploy", "history") == "Nothing was live yet.\n"
    numbers = {"trained_through": "2017-02-01"}
    live = Row(LAST, "deploy", "live", "tried out", "1.0", "digest", "data", "abc", "anna", 1, numbers=numbers)
    append(home / "level3", live)
    told = say("--level", "3", "deploy", "history")
    assert told.startswith(
        "1.0  from 2017-02-10  deploy by anna: tried out\n     trained through 2017-02-01 on data data"
    )
    assert "1.0" in say("--level", "3", "deploy", "history", "--on", "2017-02-10")
    assert say("--level", "3", "deploy", "history", "--on", "2017-02-01") == "Nothing was live on 2017-02-01.\n"
    back = SimpleNamespace(release="1.0")
    asked: list[date] = []
    monkeypatch.setattr(level3_deploy, "rollback", lambda level, day, actor: asked.append(day) or back)
    assert say("--level", "3", "deploy", "rollback").startswith("Release 1.0 is live again.")
    assert asked == [LAST]  # the day of the level's last decision


def test_a_run_of_the_pipeline_is_told_with_the_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimpleNamespace(describe=lambda: "Trained.", next_command=lambda as_of: f"go on as of {as_of}")
    monkeypatch.setattr(level2_pipeline, "run", lambda level, as_of, **how: made)
    assert say("--level", "2", "pipeline", "run") == "Trained.\n  Next:  mlops --level 2 go on as of None\n"
    assert "go on as of 2017-02-01" in say("--level", "2", "pipeline", "run", "--as-of", "2017-02-01")
    assert say("--level", "2", "pipeline", "run", "--judge-only") == "Trained.\n"
    monkeypatch.setattr(level2_pipeline, "plan", lambda as_of, model: f"Would train as of {as_of}.")
    assert say("--level", "2", "pipeline", "run", "--dry-run") == f"Would train as of {LAST}.\n"


def test_the_status_of_a_level_without_a_pointer_is_what_its_service_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "release:           None\n" in say("--level", "1", "status")
    monkeypatch.setattr(process, "find", lambda at: Running(1, 8001))
    told = say("--level", "1", "status")
    assert "release:           1.0\n" in told
    assert "service:           http://127.0.0.1:8001\n" in told

    class Silent(Running):
        def get(self, path: str, seconds: float = 10) -> dict[str, Any]:
            raise DependencyDown("it does not answer")

    monkeypatch.setattr(process, "find", lambda at: Silent(1, 8002))
    assert "error:             it does not answer" in say("--level", "2", "status")


def test_the_status_names_the_histories_that_the_pointer_names(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    level = home / "level3"
    point_to(level, Pointer("1.0", "bundles/1.0", "digest", histories="histories/2017-02-08-abc"))
    days = {"trained_through": "2017-02-01", "histories_through": "2017-02-01"}
    monkeypatch.setattr("shared.release.manifest.read_manifest", lambda *given: days)
    assert '"histories_through": "2017-02-08"' in say("--level", "3", "status", "--json")


def test_the_loop_is_served_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[int] = []
    monkeypatch.setattr(schedule, "serve", lambda level, minutes: served.append(minutes))
    assert "every 7 minutes" in say("--level", "4", "loop", "start", "--minutes", "7")
    assert served == [7]


def test_a_day_that_was_accepted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("level4_monitoring.hands.accept", lambda level, day, why, actor: None)
    assert say("--level", "4", "loop", "accept", "2017-02-01", "--why", "a sale").startswith("2017-02-01 counts")


def test_a_level_that_is_not_here_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops.root.present", lambda: [1, 2])
    with pytest.raises(UsageError, match=r"Level 3 is not here; there are \[1, 2\]"):
        say("--level", "3", "status")


def test_a_day_ahead_of_the_shop_needs_a_word(home: Path) -> None:
    set_known_through(home / "shop", FIRST_DAY)
    asked = datetime(2017, 2, 1)
    with pytest.raises(UsageError):
        options.day_of(asked)
    assert "through 2017-02-01" in say(
        "--ahead", "--level", "2", "pipeline", "run", "--dry-run", "--as-of", "2017-02-01"
    )


def test_the_year_is_prepared_where_there_is_no_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "empty"))
    prepared: list[Path] = []
    monkeypatch.setattr(
        "shared.dataset.feed.open_feed", lambda shop, progress: prepared.append(shop) or list(progress([1, 2]))
    )
    options.prepare_shop()
    assert prepared == [tmp_path / "empty" / "shop"]
    assert "Preparing the year" in capsys.readouterr().err


def found(told: list[doctor.Finding]) -> dict[str, list[str]]:
    """What is wrong, by its name."""
    wrong: dict[str, list[str]] = {}
    for finding in told:
        if not finding.good:
            wrong.setdefault(finding.name, []).append(finding.detail)
    return wrong


def test_the_doctor_tells_what_does_not_agree(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "audit", lambda level: [f"the ledger of {level.name} was rewritten"])
    assert found(list(doctor.records(3))) == {"level 3 records": ["the ledger of level3 was rewritten"]}

    def damaged(level: Path) -> list[str]:
        raise CheckFailed("the ledger is of a newer version")

    monkeypatch.setattr(audit, "audit", damaged)
    assert found(list(doctor.records(3))) == {"level 3 records": ["the ledger is of a newer version"]}
    monkeypatch.setattr(audit, "audit", lambda level: [])
    assert [one.good for one in doctor.records(3)] == [True]
    assert list(doctor.records(2)) == []


def test_the_doctor_tells_services_that_hang_are_gone_or_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = home / "level2" / "service.json"
    note.parent.mkdir()
    note.write_text("{}")
    monkeypatch.setattr(process, "record_file", lambda at: note)
    monkeypatch.setattr(process, "hosts_elsewhere", lambda at: ["another machine"])
    monkeypatch.setattr(process, "is_of_another_home", lambda note: False)
    monkeypatch.setattr(process, "find", lambda at, even_if_it_hangs=False: None)
    told = list(doctor.release(2))
    assert [one.good for one in told] == [True, False]
    assert "on another machine" in told[0].detail
    assert told[1].mend is not None
    told[1].mend()
    assert not note.exists()
    hanging = SimpleNamespace(is_itself=lambda: False, url="http://127.0.0.1:8002")
    monkeypatch.setattr(process, "find", lambda at, even_if_it_hangs=False: hanging)
    assert found(list(doctor.release(2))) == {
        "level 2 service": ["hangs at http://127.0.0.1:8002; run `mlops --level 2 down`"]
    }
    monkeypatch.setattr(process, "is_of_another_home", lambda note: True)
    assert any("copy of another home" in one.detail for one in doctor.release(2))
    assert doctor.port(2).detail == "runs at http://127.0.0.1:8002"


def test_the_doctor_sets_aside_what_an_older_version_wrote(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "written_by_older", lambda level: "its ledger" if level.name == "level3" else "")
    monkeypatch.setattr(doctor, "set_older_aside", lambda level: f"set aside from {level.name}")
    told = [one for one in doctor.look() if one.name == "level 3 state"]
    assert [one.mend() for one in told if one.mend] == ["set aside from level3"]


def test_strangers_and_imports_that_were_killed_are_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "level2" / "runs" / "1.0").mkdir(parents=True)
    (home / "level2" / "runs" / "my own").mkdir()
    [told] = doctor.strangers(home / "level2")
    assert told.good
    assert "my own is no release" in told.detail
    left = home / ".shop.99999999"
    left.mkdir()
    (home / ".shop.1.lock").write_text("")
    [killed] = doctor.leftovers()
    assert killed.mend is not None
    killed.mend()
    assert not left.exists()
    with FileLock(home / "level2" / ".pipeline.lock"):
        (home / "level2" / "runs" / ".1.1.part").mkdir()
        assert list(doctor.leftovers()) == []


def test_a_token_is_printed_and_made_anew_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    first = say("--level", "4", "token").strip()
    assert say("--level", "4", "token").strip() == first
    assert say("--level", "4", "token", "--rotate").strip() not in ("", first)
    monkeypatch.setattr("shared.service.token.token_of", lambda level: "")
    with pytest.raises(MlopsError, match="cannot be written"):
        CliRunner().invoke(commands, ["--level", "3", "token"], catch_exceptions=False)

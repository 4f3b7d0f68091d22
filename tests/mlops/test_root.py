"""The command line's words and exit codes."""

import json
import os
import socket
from pathlib import Path

import pandas as pd
import pytest

from comparison.incidents.cut_bundle import cut
from level3_cicd.rollout.switch import locked
from mlops import root as cli
from shared.errors import CheckFailed, RolledBack
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.service.process import Process, create_time_of, write_record


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """(exit code, everything printed) of a command."""
    code, out, err = run_apart(capsys, *words)
    return code, out + err


def run_apart(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """(exit code, output, what was printed beside it) of a command."""
    import sys

    sys.argv = ["mlops", *words]
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


@pytest.mark.parametrize(
    ("words", "stand_in"),
    [
        ("--level 1 pipeline run", "RUNBOOK.md"),
        ("--level 1 deploy model --version 1.0", "copies model.pkl"),
        ("--level 1 deploy rollback", "an older copy"),
        ("--level 1 deploy history", "models.xlsx"),
        ("--level 1 monitor model", "a customer complains"),
        ("--level 2 deploy rollback", "deploying an older release again"),
        ("--level 2 deploy history", "nobody kept the past"),
        ("--level 2 monitor model", "service's log"),
    ],
)
def test_a_level_that_lacks_a_step_says_what_stands_in(
    home: Path, capsys: pytest.CaptureFixture[str], words: str, stand_in: str
) -> None:
    code, printed = run(capsys, *words.split())
    assert code == 2
    assert stand_in in printed
    assert "climb" in printed


def test_a_release_that_does_not_exist(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run(capsys, "--level", "2", "deploy", "model", "--version", "1.2")
    assert code == 2
    assert "1.2 not found; there is none yet" in printed


@pytest.mark.parametrize("level", ["2", "3"])
@pytest.mark.parametrize("name", ["../1.2", "1.2/../../x", "1.2\0", "x" * 5000])
def test_a_name_that_is_no_release(home: Path, capsys: pytest.CaptureFixture[str], name: str, level: str) -> None:
    code, printed = run(capsys, "--level", level, "deploy", "model", "--version", name)
    assert code == 2
    assert "is not a release number" in printed


def test_a_day_outside_of_the_year(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run(capsys, "--level", "2", "pipeline", "run", "--as-of", "2019-01-01")
    assert code == 2
    assert "2019-01-01 is after 2017-12-31" in printed


def test_the_level_comes_from_the_environment(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_LEVEL", "2")
    code, printed = run(capsys, "status", "--json")
    assert code == 0
    assert '"level": 2' in printed


@pytest.mark.thorough
def test_nothing_deployed_is_a_dependency_that_is_down(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run(capsys, "--level", "2", "ask", "1")
    assert code == 5
    assert "Nothing is deployed yet" in printed


def test_a_customer_without_a_name_is_a_mistake(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--level", "2", "ask", "")[0] == 2


def test_a_port_that_is_taken_is_told_before_anything_is_served(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, printed = run(capsys, "--level", "2", "serve", "--port", port)
    assert code == 2
    assert f"Port {port} is taken" in printed


@pytest.mark.parametrize("words", ["deploy rollback", "deploy model --version 1.0 --dry-run"])
def test_a_day_that_is_not_reached_is_not_written_down(
    home: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    code, printed = run(capsys, "--level", "3", *words.split(), "--as-of", "2027-06-04")
    assert code == 2
    assert "2027-06-04 is after 2017-12-31, the last day that the shop has reached" in printed
    assert not (home / "level3" / "ledger.db").exists()


def test_what_another_level_has_running_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "level2").mkdir()
    write_record(home / "level2", Process(os.getpid(), 8002, create_time_of(os.getpid())))
    code, printed = run(capsys, "--level", "1", "down")
    assert code == 0
    assert "nothing was running.\n  Level 2 has something running, too: mlops --level 2 down" in printed


def test_a_service_that_is_degraded_says_so_in_the_status(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Degraded(Process):
        def get(self, path: str, seconds: float = 10) -> dict:
            return {"release": "1.0", "degraded": True, "error": "live.json is gone; 1.0 goes on."}

    monkeypatch.setattr("shared.service.process.find", lambda folder: Degraded(0, 8003))
    code, printed = run(capsys, "--level", "3", "status")
    assert code == 0
    assert "answers with:      1.0\n" in printed
    assert "error:             live.json is gone" in printed


def test_a_held_lock_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(home / "level3"):
        code, printed = run(capsys, "--level", "3", "deploy", "rollback")
    assert code == 6
    assert "by process" in printed


def test_a_dry_run_says_what_it_would_do_and_does_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run(capsys, "--level", "2", "pipeline", "run", "--as-of", "2017-06-04", "--dry-run")
    assert code == 0
    assert "627,653 rows through 2017-06-04" in printed
    assert not (home / "level2").exists()


def test_the_doctor_finds_and_mends_leftovers(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = home / "level2" / "runs" / ".1.0.part"
    left.mkdir(parents=True)
    assert run(capsys, "doctor")[0] == 3
    assert left.exists()
    assert run(capsys, "doctor", "--fix")[0] == 0
    assert not left.exists()


def test_the_doctor_leaves_alone_what_is_being_worked_on(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    working = home / "level3" / "bundles" / ".fetch.now"
    working.mkdir(parents=True)
    with locked(home / "level3"):
        run(capsys, "doctor", "--fix")
        assert working.exists()
    run(capsys, "doctor", "--fix")
    assert not working.exists()


def test_the_doctor_finds_a_damaged_release(
    home: Path, capsys: pytest.CaptureFixture[str], transactions: pd.DataFrame, products: pd.DataFrame
) -> None:
    level = home / "level2"
    bundle = level / "runs" / "1.0" / "bundle"
    write_bundle(bundle, Frecency().fit(transactions), products, Evidence("data", "code"))
    assert run(capsys, "--level", "2", "deploy", "model", "--version", "1.0")[0] == 0
    assert run(capsys, "doctor")[0] == 0
    cut(bundle)
    code, printed = run(capsys, "doctor")
    assert code == 3
    assert "bytes instead of" in printed or "manifest's digest differs" in printed


def test_a_damaged_pointer_is_an_integrity_error(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "level2").mkdir()
    (home / "level2" / "live.json").write_text("{")
    assert run(capsys, "--level", "2", "status")[0] == 4


@pytest.mark.parametrize(("error", "code"), [(CheckFailed, 3), (RolledBack, 7), (OSError, 1)])
def test_every_error_ends_with_its_code_and_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: type[Exception], code: int
) -> None:
    def fail(**named: object) -> None:
        raise error("the reason")

    monkeypatch.setattr(cli, "commands", fail)
    ended, printed = run(capsys, "status")
    assert ended == code
    assert printed.startswith("Error: the reason")


def test_a_shop_is_imported_described_and_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    file = tmp_path / "till.csv"
    file.write_text("who,what,when\nanna,tea,2017-05-01\n,tea,2017-05-01\n")
    words = ["data", "import", str(file), "--customer", "who", "--product", "what", "--time", "when"]
    assert run(capsys, "data", "info")[0] == 2
    code, printed = run(capsys, *words, "--dry-run")
    assert code == 3
    assert "2 rows read, 1 taken, 1 left out" in printed
    assert not (tmp_path / "home").exists()
    code, printed = run(capsys, *words)
    assert code == 3
    assert "--accept-loss" in printed
    code, printed = run(capsys, *words, "--accept-loss")
    assert code == 0
    assert "1 row: no customer (row 3)" in printed
    assert "nothing changed" in run(capsys, *words)[1]
    code, printed = run(capsys, *words, "--quantity", "when")
    assert code == 2
    assert "--replace" in printed
    code, printed = run(capsys, "data", "info", "--json")
    assert code == 0
    assert '"no customer": 1' in printed


def test_imports_and_additions_can_be_told_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    file, later = tmp_path / "till.csv", tmp_path / "later.csv"
    file.write_text("who,what,when\nanna,tea,2017-05-01\n,tea,2017-05-01\n")
    later.write_text("who,what,when\nanna,tea,2017-05-02\n,tea,2017-05-02\n")
    words = ["data", "import", str(file), "--customer", "who", "--product", "what", "--time", "when", "--json"]
    code, told, _ = run_apart(capsys, *words, "--dry-run")
    assert (code, json.loads(told)["left_out"]) == (3, {"no customer": 1})
    code, told, _ = run_apart(capsys, *words, "--accept-loss")
    assert (code, json.loads(told)["examples"]) == (0, {"no customer": [3]})
    code, told, _ = run_apart(capsys, "data", "add", str(later), "--json", "--dry-run")
    assert (code, json.loads(told)["report"]["taken"]) == (3, 1)
    code, told, _ = run_apart(capsys, "data", "add", str(later), "--json", "--accept-loss")
    assert (code, json.loads(told)["told"]) == (0, ["1 new day, 2017-05-02, 1 row"])


@pytest.mark.parametrize(("name", "expected"), [("none.csv", 2), ("empty.csv", 3), ("broken.parquet", 3)])
def test_a_file_that_cannot_be_imported(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, expected: int
) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    words = ["--customer", "who", "--product", "what", "--time", "when"]
    code, printed = run(capsys, "data", "import", str(tmp_path / name), *words)
    assert code == expected
    assert printed.startswith("Error: ")
    assert "To fix: " in printed

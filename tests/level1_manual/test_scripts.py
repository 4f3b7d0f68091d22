"""The scripts that the runbook names, called one after the other on a small shop, without a shell."""

import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from level1_manual import evaluate, prepare, register, runbook, train
from level1_manual.sheet import rows
from level1_manual.workplace import laptop
from shared.errors import UsageError
from tests.conftest import FIRST_DAY, write_checkerboard

AS_OF = FIRST_DAY + timedelta(days=39)


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A laptop with the export of a small shop, and hands that type words behind a script's name."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    write_checkerboard(tmp_path / "shop")
    monkeypatch.setattr(sys, "argv", ["prepare", "--as-of", str(AS_OF)])
    prepare.main()
    return monkeypatch


def test_a_model_is_trained_judged_and_typed_into_the_sheet(
    typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train.main()
    evaluate.main()
    told = capsys.readouterr().out
    assert f"Trained on 800 transactions; {laptop() / train.MODEL} is overwritten" in told
    number = (laptop() / evaluate.NUMBER).read_text().strip()
    assert f"NDCG@10 {number} for 20 customers" in told
    typed.setattr(sys, "argv", ["register", "--release", "1.0", "--live-since", "2017-02-10"])
    register.main()
    assert rows(laptop() / register.SHEET) == [["1.0", "2017-02-10", number, "operator", ""]]
    with pytest.raises(UsageError, match=r"has a release 1\.0 already"):
        register.main()


def test_a_step_is_typed_into_a_shell_and_the_work_ends_where_one_fails(
    typed: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = [
        runbook.Step(1, "Write", 'echo "$RELEASE as of $AS_OF" > "$LAPTOP/written"'),
        runbook.Step(2, "Fail", "exit 3"),
        runbook.Step(3, "Never reached", "exit 0"),
    ]
    done = list(runbook.perform(date(2017, 6, 4), lambda step, given: runbook.shell(step, given, quiet=True), steps))
    assert [(step.title, code) for step, code in done] == [("Write", 0), ("Fail", 3)]
    assert (laptop() / "written").read_text() == "1.0 as of 2017-06-04\n"
    assert len((tmp_path / "level1" / runbook.ACTIONS).read_text().splitlines()) == 2

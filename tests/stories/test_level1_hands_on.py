"""Each step of the runbook is seen when it was done, and not before."""

from datetime import date
from pathlib import Path

import pytest

from level1_manual.runbook import perform, read_steps
from level1_manual.sheet import add_row
from level1_manual.workplace import laptop, server
from stories import level1_hands_on as hands_on

VARIABLES = {"RELEASE": "1.0", "TODAY": "2017-06-05"}


def do(number: int) -> None:
    """What the participant's command leaves behind."""
    files = {1: "transactions.csv", 2: "model.pkl", 3: "ndcg.txt"}
    if number in files:
        (laptop() / files[number]).write_text(str(number))
    elif number == 4:
        (server() / "model.pkl").write_bytes((laptop() / "model.pkl").read_bytes())
    else:
        add_row(laptop() / "models.xlsx", ["1.0", "2017-06-05", "0.3", "me", ""])


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_step_is_seen_once_it_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    for folder in (laptop(), server()):
        folder.mkdir(parents=True)
    (laptop() / "model.pkl").write_text("a model")
    step = read_steps()[number - 1]
    since = hands_on.stamps()
    assert not hands_on.was_done(step, VARIABLES, since)
    do(number)
    assert hands_on.was_done(step, VARIABLES, since)


def test_a_service_that_is_not_there_is_not_restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    assert not hands_on.was_done(read_steps()[5], VARIABLES, hands_on.stamps())


def test_the_participant_sees_the_command_with_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.setattr(hands_on, "was_done", lambda *_: True)
    outcomes = list(perform(date(2017, 6, 4), hands_on.wait_for_participant))
    assert [code for _, code in outcomes] == [0] * 6
    printed = capsys.readouterr().out
    assert 'prepare --as-of "2017-06-04"' in printed
    assert '--release "1.0" --live-since "2017-06-05"' in printed

"""A main program tells an operator's errors in words, and ends with their exit codes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shared import program
from shared.errors import CheckFailed
from shared.program import run_program


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.setattr(program, "settle", lambda: None)


def failing(error: BaseException) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (CheckFailed("bad data", fix="bring it again"), 3, "Error: bad data\n  To fix: bring it again\n"),
        (SystemExit(7), 7, ""),
        (OSError(28, "No space left on device", "file"), 1, "No space left on device: 'file'\n  To fix: look at"),
        (shutil.Error([("a", "b", "no space"), ("c", "d", "no space either")]), 1, "Error: no space\n  To fix"),
        (KeyboardInterrupt(), 130, "what was done so far stays"),
    ],
)
def test_an_error_is_told_and_its_code_is_the_programs(
    error: BaseException, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_program(failing(error))
    assert ended.value.code == code
    assert told in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_program(failing(ZeroDivisionError()))


def test_a_reader_who_has_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    turned: list[int] = []
    monkeypatch.setattr(program.os, "dup2", lambda nowhere, stream: turned.append(stream))
    with pytest.raises(SystemExit) as ended:
        run_program(failing(BrokenPipeError()))
    assert (ended.value.code, turned) == (0, [1, 2])


def test_a_home_that_was_copied_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "know_home", lambda home: "This home is a copy.")
    run_program(lambda: None)
    assert capsys.readouterr().err == "This home is a copy.\n"

"""What stands on a terminal in the end is what a pipe would have got, at any width."""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from mlops import progress
from shared.places import CHECKOUT
from shared.service.waiting import wait_until

PROGRAM = """
import logging, sys, time
from mlops.progress import bar, working
with working("Training, which takes a while (from level 3 on, Prefect takes about 20 s to start)"):
    time.sleep(0.25)
    print("printed meanwhile")
    logging.getLogger("level2").warning("2017-06-04: a warning of a log that is longer than forty columns are")
    time.sleep(0.15)
    sys.stdout.write("begun, ")
    time.sleep(0.25)
    print("and ended")
    for number in bar(range(3), "Preparing the year, day by day"):
        time.sleep(0.15)
print("Release 1.0 is trained and live: NDCG@10 0.2997.")
print("  Where: /a/very/long/path/that/does/not/fit/into/forty/columns/level2/runs/1.0")
print("  Next:  mlops --level 2 ask 1")
"""


def screen(written: str, columns: int) -> list[str]:
    """The lines that a terminal shows after all that was written; of its orders only those that are used are known."""
    lines, row, column = [[" "] * columns], 0, 0
    at = 0
    while at < len(written):
        if written.startswith("\x1b[K", at):
            lines[row][column:] = [" "] * (columns - column)
            at += 3
            continue
        letter = written[at]
        at += 1
        assert letter != "\x1b", f"an order that is not expected: {written[at - 1 : at + 8]!r}"
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
        else:
            if column == columns:
                row, column = row + 1, 0
            while row >= len(lines):
                lines.append([" "] * columns)
            lines[row][column] = letter
            column += 1
        while row >= len(lines):
            lines.append([" "] * columns)
    return [line for line in ("".join(line).rstrip() for line in lines) if line]


def wrapped(text: str, columns: int) -> list[str]:
    """The lines of a text as a terminal breaks them."""
    cut = [line[at : at + columns] for line in text.splitlines() for at in range(0, max(len(line), 1), columns)]
    return [line.rstrip() for line in cut if line.strip()]


def in_a_terminal(columns: int, environment: dict[str, str]) -> str:
    """What the program writes to a pseudo-terminal."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=CHECKOUT, env=environment, stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    written = b""
    while True:
        try:
            more = os.read(mine, 65536)
        except OSError:
            break
        if not more:
            break
        written += more
    os.close(mine)
    assert started.wait() == 0
    return written.decode().replace("\r\n", "\n\r")


def variables(columns: int, term: str = "xterm") -> dict[str, str]:
    return {**os.environ, "TERM": term, "PYTHONPATH": str(CHECKOUT), "COLUMNS": str(columns), "PYTHONUNBUFFERED": "1"}


@pytest.mark.thorough
@pytest.mark.parametrize("columns", [40, 100])
def test_the_screen_shows_in_the_end_what_a_pipe_gets(columns: int) -> None:
    piped = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=CHECKOUT,
        env=variables(columns),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout
    written = in_a_terminal(columns, variables(columns))
    assert "Training" in written
    assert "Training" not in piped
    assert screen(written, columns) == wrapped(piped, columns)


@pytest.mark.thorough
def test_a_terminal_that_takes_nothing_back_gets_no_line() -> None:
    assert "\x1b" not in in_a_terminal(40, variables(40, term="dumb"))


@pytest.mark.thorough
def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    command = f"{sys.executable} -m mlops --help | true; echo codes $?"
    done = subprocess.run(["bash", "-c", command], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.thorough
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_letter_that_the_terminal_lacks_ends_nothing(tmp_path: Path, encoding: str) -> None:
    environment = {**variables(80), "PYTHONIOENCODING": encoding, "MLOPS_HOME": str(tmp_path / "häuser 家")}
    command = [sys.executable, "-m", "mlops", "--level", "2", "status"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"level2" in done.stdout


class Terminal(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal that stands in for the outputs; asked for in the test, as pytest changes them before it."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "SECONDS_A_FRAME", 0.001)
    return made


def drawn(terminal: Terminal, text: str) -> bool:
    return wait_until(lambda: text in terminal.getvalue(), 5)


def test_the_line_gives_way_to_what_is_printed_and_is_gone_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    with progress.working("Training"):
        assert drawn(terminal, "| Training")
        sys.stdout.write("printed meanwhile\n")
        assert drawn(terminal, "/ Training")
        sys.stdout.write("begun, ")
        time.sleep(0.02)  # frames in which nothing is drawn over what was begun
        with progress.working("Evaluating"):
            sys.stdout.write("and ended\n")
            assert drawn(terminal, " Evaluating")
        assert sys.stderr.isatty()  # whatever else a stream can goes through
    assert (sys.stdout, sys.stderr) == (terminal, terminal)
    assert screen(terminal.getvalue(), 80) == ["printed meanwhile", "begun, and ended"]


def test_what_goes_into_a_pipe_leaves_the_line_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    with progress.working("Training"):
        sys.stdout.write("half a line")
        assert drawn(terminal, "/ Training")
    assert (pipe.getvalue(), screen(terminal.getvalue(), 80)) == ("half a line", [])


def test_items_are_counted_as_they_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    for number in progress.bar(range(3), "Days"):
        assert drawn(terminal, f" Days: {number + 1} of 3")
    for number in progress.bar(iter("ab"), "Letters"):
        assert drawn(terminal, f" Letters: {'ab'.index(number) + 1}")
    assert screen(terminal.getvalue(), 80) == ["Days ...", "Letters ..."]


def test_a_long_line_is_cut_and_a_terminal_that_goes_away_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    monkeypatch.setenv("COLUMNS", "20")
    with progress.working("A text that is longer than the terminal"):
        assert drawn(terminal, "| A text that is...")
        terminal.write = lambda text: gone()  # type: ignore[method-assign]


def gone() -> int:
    raise OSError("the terminal is gone")


def test_where_nobody_looks_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with progress.working("Training"):
        assert list(progress.bar(range(2), "Days")) == [0, 1]
    assert pipe.getvalue() == "Days ...\n"

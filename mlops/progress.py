"""Shows on the terminal that something is going on: one last line, which gives way to whatever is printed.

Silent where no person looks. What is printed meanwhile, a log's warning too, stands on lines of its own, and in the
end the screen holds what a pipe would have got.
"""

import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from itertools import cycle
from typing import Any, TextIO, TypeVar

Item = TypeVar("Item")
FRAMES = "|/-\\"  # letters that every terminal has
SECONDS_A_FRAME = 0.1
CLEAR = "\r\x1b[K"


class Line:
    """The last line of the terminal: a frame and a text, drawn again and again until it is closed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lock = threading.RLock()
        self._terminal = sys.stderr
        self._at_line_start = True
        self._ended = threading.Event()
        self._before = (sys.stdout, sys.stderr)
        self._thread = threading.Thread(target=self._turn, daemon=True)

    def open(self) -> None:
        """Begin to draw, and let what is printed go round the line."""
        sys.stdout, sys.stderr = (Around(stream, self) for stream in self._before)
        self._thread.start()

    def close(self) -> None:
        """Take the line away."""
        sys.stdout, sys.stderr = self._before
        self._ended.set()
        self._thread.join()
        with self._lock:
            self._clear()

    def print(self, stream: TextIO, text: str) -> int:
        """Write to a stream as if the line were not there."""
        with self._lock:
            self._clear()
            written = stream.write(text)
            stream.flush()
            if text and stream.isatty():
                self._at_line_start = text.endswith("\n")
            return written

    def _turn(self) -> None:
        for frame in cycle(FRAMES):
            with self._lock:
                if self._at_line_start and not self._ended.is_set():
                    self._draw(f"{frame} {self.text}")
            if self._ended.wait(SECONDS_A_FRAME):
                return

    def _draw(self, shown: str) -> None:
        columns = shutil.get_terminal_size().columns - 1  # a full line would begin the next one
        self._write(CLEAR + (shown if len(shown) <= columns else shown[: max(columns - 3, 0)] + "..."))

    def _clear(self) -> None:
        if self._at_line_start:
            self._write(CLEAR)

    def _write(self, text: str) -> None:
        try:
            self._terminal.write(text)
            self._terminal.flush()
        except (OSError, ValueError):  # the terminal is gone: nobody looks any more
            self._ended.set()


class Around:
    """A stream that prints round the line."""

    def __init__(self, stream: TextIO, line: Line) -> None:
        self._stream = stream
        self._line = line

    def write(self, text: str) -> int:
        """Write a text."""
        return self._line.print(self._stream, text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_open: list[Line] = []


@contextmanager
def working(on: str) -> Iterator[None]:
    """A line with a text while something is done."""
    if not somebody_looks():
        yield
        return
    with line(on):
        yield


def bar(items: Iterable[Item], label: str) -> Iterable[Item]:
    """Items, with their number on the line as they are taken; the label alone, where nobody looks."""
    sys.stderr.write(f"{label} ...\n")
    return counted(items, label) if somebody_looks() else items


def counted(items: Iterable[Item], label: str) -> Iterator[Item]:
    """Items, with their number on the line."""
    of = f" of {len(items)}" if isinstance(items, Sized) else ""
    with line(label) as shown:
        for number, item in enumerate(items, start=1):
            shown.text = f"{label}: {number}{of}"
            yield item


@contextmanager
def line(text: str) -> Iterator[Line]:
    """The line that is there, with another text meanwhile; a new one, if there is none."""
    if _open:
        before, _open[-1].text = _open[-1].text, text
        yield _open[-1]
        _open[-1].text = before
        return
    new = Line(text)
    _open.append(new)
    new.open()
    try:
        yield new
    finally:
        _open.remove(new)
        new.close()


def somebody_looks() -> bool:
    """Whether the errors' stream is a terminal that can take a line back."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

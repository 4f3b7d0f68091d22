"""Shows on the terminal that something is going on. Silent where no person looks."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


@contextmanager
def working(on: str) -> Iterator[None]:
    """A spinner with a text, on stderr."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(on):
        yield


def bar(items: Iterable[Item], label: str) -> Iterable[Item]:
    """A progress bar over items, on stderr; a line per label where nobody looks."""
    if not sys.stderr.isatty():
        sys.stderr.write(f"{label} ...\n")
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, description=label, console=Console(stderr=True))

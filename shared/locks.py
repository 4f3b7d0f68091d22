"""Locks that are not waited for: who finds one held is told so. They end with their process, also after a kill."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from shared.errors import Locked


@contextmanager
def held(*locks: Path, busy: str, fix: str = "Wait for it to end.") -> Iterator[None]:
    """Hold lock files, whose folders must be there. Raises Locked, which says `busy`, if somebody holds one."""
    with ExitStack() as holding:
        for lock in locks:
            try:
                holding.enter_context(FileLock(lock, timeout=0))
            except Timeout as error:
                raise Locked(busy, fix=fix) from error
        yield

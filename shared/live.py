"""What is live: one pointer file per level, replaced atomically, and what a service makes of it.

A person or a pipeline calls `point_to`; the service calls `follow` and keeps its last good release.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from shared.answering import Answers
from shared.bundle import Bundle, open_bundle, read_verified, unpack_histories
from shared.errors import IntegrityError, MlopsError, UsageError
from shared.histories import Histories
from shared.places import write_atomically


@dataclass(frozen=True)
class Pointer:
    """Which release answers customers now, with which histories; paths are below the level's folder."""

    release: str
    bundle: str
    bundle_digest: str
    sequence: int = 0
    histories: str = ""
    histories_digest: str = ""


@dataclass(frozen=True)
class Live:
    """A release in memory, ready to answer."""

    bundle: Bundle
    histories_digest: str
    sequence: int

    @cached_property
    def answers(self) -> Answers:
        """Its answers, made ready; asked for before the release goes live."""
        return Answers(self.bundle)

    @property
    def histories_through(self) -> date:
        """The last day that the customers' histories know of."""
        return self.bundle.model.histories_.day


def pointer_file(level: Path) -> Path:
    """Where a level keeps its pointer."""
    return level / "live.json"


def read_pointer(level: Path) -> Pointer | None:
    """The pointer of a level; None before the first deployment."""
    path = pointer_file(level)
    if not path.exists():
        return None
    try:
        return Pointer(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"{path} is damaged: {error}", fix="Deploy a release again.") from error


def require_pointer(level: Path) -> Pointer:
    """The pointer of a level; UsageError before the first deployment."""
    pointer = read_pointer(level)
    if pointer is None:
        raise UsageError(f"Nothing is deployed in {level}.", fix="Train and deploy a first release.")
    return pointer


def point_to(level: Path, pointer: Pointer) -> Pointer:
    """Make a release live in one atomic step. Its files must be complete by now."""
    before = read_pointer(level)
    after = replace(pointer, sequence=before.sequence + 1 if before else 1)
    write_atomically(pointer_file(level), json.dumps(asdict(after), indent=1).encode())
    return after


def load(level: Path, pointer: Pointer) -> Live:
    """Open what a pointer names, verified."""
    bundle = open_bundle(level / pointer.bundle, pointer.bundle_digest)
    digest = bundle.histories_digest
    if pointer.histories:
        bundle.model.with_histories(read_histories(level, pointer))
        digest = pointer.histories_digest
    return Live(bundle, digest, pointer.sequence)


def read_histories(level: Path, pointer: Pointer) -> Histories:
    """The histories that a pointer names apart from its bundle, verified."""
    path = level / pointer.histories
    size = path.stat().st_size if path.exists() else 0
    return unpack_histories(read_verified(path, {"sha256": pointer.histories_digest, "bytes": size}))


class Follower:
    """Holds what is live for a service and follows the pointer.

    A release that does not open is refused: the last good one goes on, and `trouble` says why. With
    `remember`, the last good one is noted in a file, so that a service can start from it, too.
    """

    def __init__(
        self, level: Path, on_trouble: Callable[[str], None] = lambda trouble: None, remember: bool = False
    ) -> None:
        self.level = level
        self.live: Live | None = None
        self.trouble = ""
        self._on_trouble = on_trouble
        self._seen = ""
        self._good = level / "last_good.json" if remember else None

    def follow(self) -> None:
        """Load what the pointer names, if it has changed."""
        try:
            pointer = read_pointer(self.level)
            if pointer is None:
                return
            if repr(pointer) != self._seen:
                self._take(pointer)
                self._seen = repr(pointer)
            self.trouble = ""
        except Exception as error:  # noqa: BLE001  whatever it is, the last good release goes on
            if str(error) != self.trouble:
                self._on_trouble(str(error))
            self.trouble = str(error)
            if self.live is None:
                self._take_last_good()

    def _take(self, pointer: Pointer) -> None:
        live = load(self.level, pointer)
        _ = live.answers  # made ready before a customer can ask
        self.live = live
        if self._good:
            write_atomically(self._good, json.dumps(asdict(pointer)).encode())

    def _take_last_good(self) -> None:
        if self._good is None or not self._good.exists():
            return
        try:
            self._take(Pointer(**json.loads(self._good.read_bytes())))
        except (MlopsError, OSError, ValueError, TypeError) as error:
            self._on_trouble(f"The last good release does not open either: {error}")

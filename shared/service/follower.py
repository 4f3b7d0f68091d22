"""What a service makes of the pointer: it follows it, and keeps its last good release."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

from shared.errors import MlopsError
from shared.release.bundle import Bundle, open_bundle
from shared.release.mapped import open_histories
from shared.release.pointer import Pointer, is_deliberately_empty, pointer_file, read_good, read_pointer
from shared.service.answers import Answers


@dataclass(frozen=True)
class Live:
    """A release that is open; its answers are made when they are asked for."""

    release: str
    bundle: Bundle
    histories_digest: str
    sequence: int
    answers: Answers

    def matches(self, pointer: Pointer) -> bool:
        """Whether a pointer names this very release with these very histories."""
        named = pointer.histories_digest or self.bundle.histories_digest
        mine = (self.release, self.bundle.digest, self.histories_digest)
        return mine == (pointer.release, pointer.bundle_digest, named)

    @property
    def histories_through(self) -> date:
        """The last day that the customers' histories know of."""
        return self.bundle.model.histories_.day


def load(level: Path, pointer: Pointer) -> Live:
    """Open what a pointer names, verified."""
    histories = open_histories(level / pointer.histories, pointer.histories_digest) if pointer.histories else None
    bundle = open_bundle(level / pointer.bundle, pointer.bundle_digest, histories)
    digest = pointer.histories_digest if histories else bundle.histories_digest
    return Live(pointer.release, bundle, digest, pointer.sequence, Answers(pointer.release, bundle))


class Source(Protocol):
    """The origin of a service's release, and the way in which it learns of a new one."""

    live: Live | None
    error: str

    def follow(self) -> None:
        """Load the release that is to be live now, if it has changed."""


class Follower:
    """Holds what is live for a service and follows the pointer.

    A release that does not open is refused: the last good one goes on, and `error` says why. The release
    before stays in memory, so that going back takes no loading. With `remember`, it starts from what was noted as good,
    if what is live does not open.
    """

    def __init__(
        self, level: Path, on_error: Callable[[str], None] = lambda error: None, remember: bool = False
    ) -> None:
        self.level = level
        self.live: Live | None = None
        self.error = ""
        self._on_error = on_error
        self._seen = ""
        self._before: Live | None = None
        self._remember = remember

    def follow(self) -> None:
        """Load what the pointer names, if it has changed."""
        try:
            pointer = read_pointer(self.level)
            if pointer is None:
                self._miss()
            elif repr(pointer) != self._seen:
                self._take(pointer)
                self._seen = repr(pointer)
            self.error = ""
        except Exception as error:  # noqa: BLE001  whatever it is, the last good release goes on
            if str(error) == self.error:
                return
            self.error = str(error)
            self._on_error(self.error)
            if self.live is None:
                self._take_last_good()

    def _miss(self) -> None:
        if is_deliberately_empty(self.level):
            self.live = self._before = None
            self._seen = ""
            return
        if self.live is None:
            self._take_last_good()
        if self.live:  # what was live goes on, but somebody should know
            raise MlopsError(f"{pointer_file(self.level)} is gone; {self.live.release} goes on.")

    def _take(self, pointer: Pointer) -> None:
        known = next((live for live in (self.live, self._before) if live and live.matches(pointer)), None)
        live = replace(known, sequence=pointer.sequence) if known else load(self.level, pointer)
        if self.live and self.live.release != live.release:
            self._before = self.live
        self.live = live

    def _take_last_good(self) -> None:
        for known in read_good(self.level) if self._remember else []:
            try:
                self._take(known)
            except Exception as error:  # noqa: BLE001  as in `follow`
                self._on_error(f"The release that was good does not open either: {error}")
            else:
                return

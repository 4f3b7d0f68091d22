"""What a service makes of the pointer: it follows it, and keeps its last good release."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
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
        """True if a pointer names this very release with these very histories."""
        named = pointer.histories_digest or self.bundle.histories_digest
        mine = (self.release, self.bundle.digest, self.histories_digest)
        return mine == (pointer.release, pointer.bundle_digest, named)

    @property
    def histories_through(self) -> date:
        """The last day that the customers' histories know of."""
        return self.bundle.model.histories_.day


class Loading:
    """A release that is being loaded, and how far it is."""

    def __init__(self, release: str) -> None:
        self.release = release
        self.step = ""
        # The thread's own clock shows that it works, also while a step takes long. Not every system has it.
        clock_of = getattr(time, "pthread_getcpuclockid", None)
        self._clock = clock_of(threading.get_ident()) if clock_of else None

    @property
    def worked(self) -> float:
        """The CPU seconds that its thread has worked so far, for this or before; where unknown, the process's."""
        seconds = time.process_time() if self._clock is None else time.clock_gettime(self._clock)
        return round(seconds, 1)


def load(level: Path, pointer: Pointer, on_step: Callable[[str], None] = lambda step: None) -> Live:
    """Open what a pointer names, verified. `on_step` is told of each step before it is taken."""
    on_step("opening the histories")
    histories = open_histories(level / pointer.histories, pointer.histories_digest) if pointer.histories else None
    on_step("opening the bundle")
    bundle = open_bundle(level / pointer.bundle, pointer.bundle_digest, histories)
    digest = pointer.histories_digest if histories else bundle.histories_digest
    return Live(pointer.release, bundle, digest, pointer.sequence, Answers(pointer.release, bundle))


class Source(Protocol):
    """The origin of a service's release, and the way in which it learns of a new one."""

    live: Live | None
    error: str

    def follow(self) -> None:
        """Load the release that is to be live now, if it has changed."""


class NoLongerNamed(Exception):
    """The pointer names something else than what is being loaded."""


class Follower:
    """Holds what is live for a service and follows the pointer.

    A release that does not open is refused: the last good one goes on, and `error` says why. The release
    before stays in memory, so that going back takes no loading. With `remember`, it starts from what was noted as good,
    if what is live does not open. `loading` is what it is loading at the moment.
    """

    def __init__(
        self, level: Path, on_error: Callable[[str], None] = lambda error: None, remember: bool = False
    ) -> None:
        self.level = level
        self.live: Live | None = None
        self.error = ""
        self.loading: Loading | None = None
        self._on_error = on_error
        self._seen: Pointer | None = None
        self._before: Live | None = None
        self._remember = remember

    def follow(self) -> None:
        """Load what the pointer names, if it has changed; and look again, as it may name another release by then."""
        try:
            while self._is_behind():
                pass
            self.error = ""
        except Exception as error:  # noqa: BLE001  whatever it is, the last good release goes on
            if str(error) == self.error:
                return
            self.error = str(error)
            self._on_error(self.error)
            if self.live is None:
                self._take_last_good()

    def _is_behind(self) -> bool:
        """Take what the pointer names; False if nothing was to be done."""
        pointer = read_pointer(self.level)
        if pointer is None:
            self._miss()
            return False
        if pointer == self._seen:
            return False
        with suppress(NoLongerNamed):  # then it is dropped, and never answers
            self._take(self._known(pointer) or self._load(pointer, self._require_named))
            self._seen = pointer
        return True

    def _miss(self) -> None:
        if is_deliberately_empty(self.level):
            self.live = self._before = self._seen = None
            return
        if self.live is None:
            self._take_last_good()
        if self.live:  # what was live goes on, but somebody should know
            raise MlopsError(f"{pointer_file(self.level)} is gone; {self.live.release} goes on.")

    def _known(self, pointer: Pointer) -> Live | None:
        """What is in memory already, if it is what a pointer names."""
        known = next((live for live in (self.live, self._before) if live and live.matches(pointer)), None)
        return replace(known, sequence=pointer.sequence) if known else None

    def _load(self, pointer: Pointer, require: Callable[[Pointer], None] = lambda pointer: None) -> Live:
        """Load what a pointer names, and say so meanwhile; `require` is asked before each step and after the last."""
        self.loading = loading = Loading(pointer.release)

        def on_step(step: str) -> None:
            require(pointer)
            loading.step = step

        try:
            live = load(self.level, pointer, on_step)
            require(pointer)
            return live
        finally:
            self.loading = None

    def _require_named(self, pointer: Pointer) -> None:
        if read_pointer(self.level) != pointer:
            raise NoLongerNamed

    def _take(self, live: Live) -> None:
        if self.live and self.live.release != live.release:
            self._before = self.live
        self.live = live

    def _take_last_good(self) -> None:
        for good in read_good(self.level) if self._remember else []:
            try:
                self._take(self._known(good) or self._load(good))
            except Exception as error:  # noqa: BLE001  as in `follow`
                self._on_error(f"The release that was good does not open either: {error}")
            else:
                return

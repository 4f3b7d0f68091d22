"""A run of the pipeline: what is constant for it, made once and handed down to all its steps."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from level3_cicd.config import PipelineConfig
from shared.dataset.read_once import ReadFeed


class Evidence(Protocol):
    """The record of a run that lasts: what it found is kept there, and shown to people."""

    @property
    def run_id(self) -> str:
        """The number of the run where it is kept."""

    def keep(self, name: str, content: Any) -> None:
        """Keep a JSON file."""

    def keep_numbers(self, bundle: Path) -> None:
        """Keep a bundle's metrics and settings."""

    def show_table(self, key: str, rows: list[dict[str, Any]], description: str) -> None:
        """Show a table on the run's page."""

    def show_link(self, key: str, link: str, text: str) -> None:
        """Show a link on the run's page."""


class Kept(Protocol):
    """Something that is computed once for the same inputs, and kept."""

    def __call__(self, name: str, key: str, function: Callable[[], Any], fits: Callable[[Any], bool]) -> Any:
        """The kept result of a function for a key, if there is one and it fits what was asked for; else a new one."""


def compute(name: str, key: str, function: Callable[[], Any], fits: Callable[[Any], bool]) -> Any:
    """Compute anew each time."""
    return function()


@dataclass(frozen=True)
class Run:
    """A run. release: the number that it will have; code, lock: digests of the code and of the requirements; work: a
    folder that goes with the run; judge_only: nothing is registered; kept: keeps what was computed.
    """

    level: Path
    feed: ReadFeed
    as_of: date
    config: PipelineConfig
    actor: str
    release: str
    revision: str
    lock: str
    code: str
    work: Path
    evidence: Evidence
    judge_only: bool = False
    kept: Kept = compute
    began: float = field(default_factory=time.perf_counter)

    @property
    def bundle(self) -> Path:
        """The folder of the bundle that the run makes."""
        return self.work / "bundle"

    @property
    def data_digest(self) -> str:
        """The digest of the data through `as_of`, as recorded in the feed."""
        return self.feed.digest(self.as_of)

    def key_of_inputs(self, *more: object) -> str:
        """The SHA-256 of all that a result depends on: the data as it was read, day, settings, code, and more."""
        settings = self.config.model_dump_json(exclude={"gate", "accepted_days"})
        parts = [self.feed.content_digest(), self.as_of, settings, self.code, self.lock, *more]
        return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()

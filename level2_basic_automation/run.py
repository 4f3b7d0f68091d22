"""A run of level 2's pipeline: what is constant for it, made once and handed down to all its steps."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shared.dataset.read_once import ReadFeed
from shared.model.config import ModelConfig
from shared.model.lesson_store import LESSONS, LessonStore
from shared.release.provenance import code_digest


@dataclass(frozen=True)
class Run:
    """A run. `release` is the number that it will have."""

    level: Path
    feed: ReadFeed
    as_of: date
    config: ModelConfig
    config_file: Path
    release: str

    @property
    def lessons(self) -> LessonStore:
        """What earlier trainings of a ranker have learnt from."""
        return LessonStore(self.level / LESSONS, self.feed.files_digest, code_digest(("shared",)))

"""Lessons kept on disk: a weekly training makes one new lesson and finds the others here.

A lesson is found again only for the same data through its week, the same catalogue, plan, features and code.
"""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from shared.model.facts import WEEK
from shared.model.features import FEATURES
from shared.model.lessons import Curriculum, Lesson
from shared.model.taxonomy import Taxonomy
from shared.places import write_atomically

LESSONS = "lessons"
# Ten label weeks of a training, and of one a week before; about 6 MB each.
MOST_KEPT = 16


@dataclass(frozen=True)
class LessonStore:
    """A folder of lessons. data_digest: the digest of the shop's data through a day; code: the code's digest."""

    folder: Path
    data_digest: Callable[[date], str]
    code: str

    def find(self, end: date, taxonomy: Taxonomy, plan: Curriculum) -> Lesson | None:
        """The lesson of the week after a day; None if it is not kept, or damaged."""
        try:
            with np.load(self._file(end, taxonomy, plan), allow_pickle=False) as arrays:
                lesson = Lesson(*(arrays[name] for name in Lesson._fields))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        fits = lesson.matrix.shape == (len(lesson.bought), len(FEATURES)) and lesson.sizes.sum() == len(lesson.bought)
        return lesson if fits else None

    def keep(self, end: date, taxonomy: Taxonomy, plan: Curriculum, lesson: Lesson) -> None:
        """Keep a lesson, and the newest others."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **lesson._asdict())
        write_atomically(self._file(end, taxonomy, plan), buffer.getvalue())
        files = sorted(self.folder.glob("*.npz"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-MOST_KEPT]:
            file.unlink(missing_ok=True)

    def _file(self, end: date, taxonomy: Taxonomy, plan: Curriculum) -> Path:
        data = self.data_digest(end + timedelta(days=WEEK))
        made_from = [data, taxonomy.digest, plan._asdict(), FEATURES, self.code]
        key = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
        return self.folder / f"{end}-{key[:32]}.npz"

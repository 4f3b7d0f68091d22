"""A stored release is cut off, as a full disk or a broken connection would: between training and going live."""

from datetime import date
from hashlib import sha256
from pathlib import Path

from comparison.incidents.incident import Answer, Incident, replace_file


class CutBundle(Incident):
    """The largest file of the release under way, or of the next one, loses its second half."""

    name = "cut-bundle"
    what = "the largest file of a release loses its second half before it goes live"
    door = "release"

    def release_waits(self, day: date, digest: str, stored: Path) -> None:
        """Strike the first release since day 0."""
        if day >= self.strike and not self.struck:
            cut(stored)
            # A file without a manifest is known by its own bytes: a sound copy of it is another release.
            self.struck[day] = digest if stored.is_dir() else sha256(stored.read_bytes()).hexdigest()

    def is_bad(self, answer: Answer) -> bool:
        """An answer of the cut release."""
        return answer.digest in self.struck.values()


def cut(stored: Path) -> None:
    """Let the largest file, of a folder or the only one, lose its second half."""
    files = [path for path in stored.rglob("*") if path.is_file()] if stored.is_dir() else [stored]
    largest = max(sorted(files), key=lambda path: path.stat().st_size)
    content = largest.read_bytes()
    replace_file(largest, content[: len(content) // 2])

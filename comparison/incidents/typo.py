"""A person mistypes a number where a level trains from."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from comparison.incidents.incident import Answer, Incident, replace_file

WEIGHT = re.compile(rb"(?mi)^(popular_weight *= *)2(?:\.0)?[ \t]*$")


class Typo(Incident):
    """`popular_weight` 2.0 becomes 200: everybody is recommended what all buy."""

    name = "typo"
    what = "popular_weight 2.0 becomes 200 where the level trains from"
    door = "configuration"

    _trained_so: frozenset[str] = frozenset()

    def night_before(self, day: date, configurations: Sequence[Path], deafen: Callable[[], bool]) -> None:
        """Strike all files that say what is trained."""
        if day >= self.strike and not self.struck:
            changed = [replaced(path) for path in configurations]
            if any(changed):
                self.struck[day] = "configuration"

    def release_waits(self, day: date, digest: str, stored: Path) -> None:
        """What is made since was trained so."""
        if self.struck and day >= min(self.struck):
            self._trained_so |= {digest}

    def is_bad(self, answer: Answer) -> bool:
        """An answer of a release that was trained so."""
        return answer.digest in self._trained_so


def replaced(path: Path) -> bool:
    """Mistype the number in a file; whether it was there."""
    content, times = WEIGHT.subn(rb"\g<1>200", path.read_bytes())
    if times:
        replace_file(path, content)
    return bool(times)

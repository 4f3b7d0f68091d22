"""Release numbers: `major.minor`, such as `1.2`."""

import re
from collections.abc import Iterable

from shared.errors import UsageError

PATTERN = re.compile(r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,5})")


def parse_release(text: str) -> tuple[int, int]:
    """(major, minor) of a release number. Raises UsageError for anything else.

    >>> parse_release("1.12")
    (1, 12)
    """
    match = PATTERN.fullmatch(text)
    if not match:
        shown = text if len(text) <= 40 else text[:40] + "..."
        raise UsageError(f"{shown!r} is not a release number.", fix="Write it as major.minor, for example 1.2.")
    return int(match[1]), int(match[2])


def is_release(text: str) -> bool:
    """True for a release number.

    >>> is_release("1.12"), is_release("1.0-good")
    (True, False)
    """
    return bool(PATTERN.fullmatch(text))


def next_release(existing: Iterable[str], major: int) -> str:
    """The number after the highest minor of a major.

    >>> next_release(["1.0", "1.10", "1.9"], major=1), next_release([], major=2)
    ('1.11', '2.0')
    """
    minors = [minor for at, minor in map(parse_release, existing) if at == major]
    return f"{major}.{max(minors, default=-1) + 1}"


def in_order(releases: Iterable[str]) -> list[str]:
    """Releases from the oldest number to the newest."""
    return sorted(releases, key=parse_release)


def require_release(wanted: str, existing: Iterable[str]) -> str:
    """The wanted release, if it exists. Otherwise a UsageError that names those that do."""
    parse_release(wanted)
    known = in_order(existing)
    if wanted not in known:
        if not known:
            raise UsageError(f"Release {wanted} not found; there is none yet.", fix="Train one: `mlops pipeline run`.")
        have = ", ".join(known[-10:])
        raise UsageError(f"Release {wanted} not found; have {have}.", fix="Deploy one of those, or train a new one.")
    return wanted

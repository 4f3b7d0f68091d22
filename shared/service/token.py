"""A level's token: who has it may change something, or ask from another machine. There is no default one.

It is made when the level's service first starts, in a file that its owner alone can read. Needs the standard library.
"""

import secrets
from contextlib import suppress
from pathlib import Path

from shared.places import write_atomically

FILE = "token"
OWNER_ONLY = 0o600


def token_file(level: Path) -> Path:
    """Where a level's token is kept."""
    return level / FILE


def read_token(level: Path) -> str:
    """A level's token; empty if it has none that can be read."""
    try:
        return token_file(level).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def token_of(level: Path) -> str:
    """A level's token, made now if it has none; empty where none can be kept."""
    known = read_token(level)
    if known:
        return known
    with suppress(OSError):
        return rotate(level)
    return ""


def rotate(level: Path) -> str:
    """A new token in the place of the one before, which counts no more. A running service follows."""
    token = secrets.token_urlsafe(32)
    write_atomically(token_file(level), f"{token}\n".encode(), OWNER_ONLY)
    return token


def is_same_token(given: str, wanted: str) -> bool:
    """Whether two tokens are the same, in a time that tells nothing about where they differ."""
    return secrets.compare_digest(given.encode(), wanted.encode())

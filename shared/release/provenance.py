"""Which code this is."""

import hashlib
import os
import subprocess

from shared.places import CHECKOUT

CHANGED = "+changes"


def lock_digest() -> str:
    """The SHA-256 of the locked requirements; `unknown` where there is no lock."""
    lock = CHECKOUT / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else "unknown"


def code_digest(packages: tuple[str, ...]) -> str:
    """The SHA-256 of the code of some packages as it lies here, committed or not, with each file's relative path."""
    found = hashlib.sha256()
    for path in sorted(path for package in packages for path in (CHECKOUT / package).rglob("*.py")):
        found.update(path.relative_to(CHECKOUT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def revision() -> str:
    """The commit that runs: what CI says (`GITHUB_SHA`), else git's HEAD, else `unknown`.

    Where files differ from that commit, `+changes` follows.
    """
    named = os.environ.get("GITHUB_SHA")
    if named:
        return named
    head = git("rev-parse", "HEAD")
    if not head:
        return "unknown"
    return f"{head}{CHANGED}" if git("status", "--porcelain", "--untracked-files=no") else head


def shorten(revision: str) -> str:
    """A revision for people.

    >>> shorten("0123456789abcdef+changes"), shorten("0123456789abcdef")
    ('0123456789ab+changes', '0123456789ab')
    """
    commit = revision.removesuffix(CHANGED)
    return commit[:12] + revision[len(commit) :]


def git(*words: str) -> str:
    """What git says of this checkout; nothing if it cannot be asked."""
    try:
        asked = subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""

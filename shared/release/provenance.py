"""Which code this is."""

import hashlib
import os
from pathlib import Path

from shared.git import ask_git
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
    """The commit that runs: HEAD of the checkout's own repository; without one what CI says, else `unknown`.

    Where files differ from that commit, `+changes` follows.
    """
    head = git("rev-parse", "HEAD")
    if not head:
        return revision_of_ci() or "unknown"
    return f"{head}{CHANGED}" if git("status", "--porcelain", "--untracked-files=no") else head


def revision_of_ci() -> str:
    """The commit that GitHub Actions has checked out here; nothing elsewhere, or if it works on another repository.

    A laptop may have GITHUB_SHA by chance, and another repository's workflow may have put this one in a folder.
    """
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if os.environ.get("GITHUB_ACTIONS") != "true" or not workspace or Path(workspace).resolve() != CHECKOUT:
        return ""
    return os.environ.get("GITHUB_SHA", "")


def shorten(revision: str) -> str:
    """A revision for people.

    >>> shorten("0123456789abcdef+changes"), shorten("0123456789abcdef")
    ('0123456789ab+changes', '0123456789ab')
    """
    commit = revision.removesuffix(CHANGED)
    return commit[:12] + revision[len(commit) :]


def git(*words: str) -> str:
    """What git says of this checkout; nothing if it cannot be asked."""
    return ask_git(CHECKOUT, *words)

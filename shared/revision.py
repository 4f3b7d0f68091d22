"""Which code this is."""

import hashlib
import os
import subprocess

from shared.places import CHECKOUT


def lock_digest() -> str:
    """The SHA-256 of the locked requirements; `unknown` where there is no lock."""
    lock = CHECKOUT / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else "unknown"


def code_digest(packages: tuple[str, ...] = ("shared", "level3_cicd")) -> str:
    """The SHA-256 of the code that lies here, committed or not."""
    found = hashlib.sha256()
    for path in sorted(path for package in packages for path in (CHECKOUT / package).glob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def revision() -> str:
    """The commit that runs: what CI says (`GITHUB_SHA`), else git's HEAD, else `unknown`."""
    named = os.environ.get("GITHUB_SHA")
    if named:
        return named
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return asked.stdout.strip() if asked.returncode == 0 else "unknown"

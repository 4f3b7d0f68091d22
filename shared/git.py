"""Runs git. Nothing of the user's reaches in: neither a GIT_* variable nor a setting of theirs or the system's.

Git itself sets GIT_DIR and more in hooks and in `rebase --exec`: a command that inherits them works on the user's
repository, whatever its folder.
"""

import os
import subprocess
from pathlib import Path

from shared.commands import run_command
from shared.errors import DependencyDown, MlopsError

SETTINGS = Path(__file__).with_name("git.config")
SECONDS = 120.0
# What a repository's own settings may not do when we ask it: run programs.
HARMLESS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")


def git_environment(folder: Path) -> dict[str, str]:
    """The environment of a git command in a folder, which does not look for a repository above that folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ours = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(SETTINGS),
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TEMPLATE_DIR": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_EDITOR": "true",
        "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
        "LC_ALL": "C.UTF-8",
    }
    return inherited | ours


def git(folder: Path, *words: str, seconds: float = SECONDS) -> str:
    """Run git in a folder; returns what it printed. Raises DependencyDown with git's words if it fails."""
    try:
        done = run_command(
            ["git", *HARMLESS, *words],
            seconds,
            cwd=folder,
            env=git_environment(folder),
            output=subprocess.PIPE,
            errors=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise DependencyDown("git is not installed.", fix="Install git, for example `apt install git`.") from error
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip()
        raise DependencyDown(f"git {words[0]} failed in {folder}: {told}")
    return done.stdout.decode(errors="replace").strip()


def ask_git(folder: Path, *words: str) -> str:
    """What git says of a folder's own repository; nothing if it has none, or cannot be asked."""
    if not (folder / ".git").exists():  # a checkout that lies inside another repository is not of that one
        return ""
    try:
        return git(folder, *words, seconds=20)
    except (MlopsError, OSError):
        return ""

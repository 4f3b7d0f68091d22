"""A scratch repository, and a runner that does on this machine what GitHub would do after a push.

The runner is nektos/act in host mode: neither GitHub nor Docker is needed.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shared.errors import DependencyDown, UsageError
from shared.places import CHECKOUT, home

WORKFLOWS = Path(".github/workflows")
STAND_IN = Path("stories/stand_in_action")
OPERATOR = {"user.name": "operator", "user.email": "operator@localhost"}
# The training workflow, which calls the deploying one.
PUSHED = ("push", "--workflows", str(WORKFLOWS), "--job", "deploy")
REMOTE_ACTION = re.compile(r"uses: (actions/(?:upload|download)-artifact@\w+)")


@dataclass(frozen=True)
class Scratch:
    """Three clones: `origin` is pushed to, in `work` somebody commits, `ci` is what the runner checks out."""

    origin: Path
    work: Path
    ci: Path


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; returns what it printed. Raises DependencyDown with git's words if it fails."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise DependencyDown("git is not installed.", fix="Install git, for example `apt install git`.") from error
    if done.returncode:
        raise DependencyDown(f"git {words[0]} failed in {folder}: {done.stderr.strip()}")
    return done.stdout.strip()


def make_scratch(folder: Path) -> Scratch:
    """A scratch origin with the code of this checkout's last commit, and clones of it."""
    scratch = Scratch(folder / "origin.git", folder / "work", folder / "ci")
    folder.mkdir(parents=True)
    if not (CHECKOUT / ".git").exists():
        raise UsageError(f"{CHECKOUT} is no git checkout.", fix="Clone the repository instead of copying its files.")
    git(folder, "clone", "--quiet", "--bare", "--no-hardlinks", str(CHECKOUT), str(scratch.origin))
    git(scratch.origin, "update-ref", "refs/heads/main", git(CHECKOUT, "rev-parse", "HEAD"))
    git(scratch.origin, "symbolic-ref", "HEAD", "refs/heads/main")
    for clone in (scratch.work, scratch.ci):
        git(folder, "clone", "--quiet", "--branch", "main", str(scratch.origin), str(clone))
        for setting, value in OPERATOR.items():  # who takes part needs no settings of their own
            git(clone, "config", setting, value)
    return scratch


def push(scratch: Scratch, diff: Path | None, message: str) -> str:
    """Apply a committed diff (none: an empty commit) and push it to main; returns the commit."""
    if diff:
        git(scratch.work, "apply", "--unidiff-zero", "--index", str(diff))
    git(scratch.work, "commit", "--quiet", "--allow-empty", "--message", message)
    git(scratch.work, "push", "--quiet", "origin", "HEAD:main")
    return git(scratch.work, "rev-parse", "HEAD")


def run_workflow(scratch: Scratch, as_of: date, log: Path, event: Sequence[str] = PUSHED) -> int:
    """Check main out and run what an event starts, a push to main if none is named. Returns its exit code."""
    git(scratch.ci, "pull", "--quiet", "--ff-only")
    log.parent.mkdir(parents=True, exist_ok=True)
    own = {"XDG_CACHE_HOME": str(home() / "act"), "XDG_CONFIG_HOME": str(home() / "act"), "NO_COLOR": "1"}
    with log.open("w") as output:
        return subprocess.run(
            [*runner(scratch.ci, event), "--var", f"MLOPS_DAY={as_of}"],
            cwd=scratch.ci,
            env={**os.environ, **own},
            stdout=output,
            stderr=output,
            check=False,
        ).returncode


def runner(checkout: Path, event: Sequence[str]) -> list[str]:
    """The command that plays an event. The remote actions that carry state are stood in for, as state stays here."""
    remote = {name for file in (checkout / WORKFLOWS).glob("level3-*.yml") for name in find_remote(file)}
    stand_ins = [word for name in sorted(remote) for word in ("--local-repository", f"{name}={checkout / STAND_IN}")]
    return [
        str(Path(sys.executable).with_name("act")), *event,
        "--platform", "ubuntu-latest=-self-hosted",
        "--env", f"VENV={sys.prefix}", "--var", f"MLOPS_HOME={home()}",
        *stand_ins,
    ]  # fmt: skip


def find_remote(workflow: Path) -> list[str]:
    """The remote actions of a workflow, but for the checkout, which the runner does itself."""
    return REMOTE_ACTION.findall(workflow.read_text())

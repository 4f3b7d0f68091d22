"""A scratch repository, and a runner that does on this machine what GitHub would do after a push.

The runner is nektos/act in host mode: neither GitHub nor Docker is needed.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shared.commands import run_command
from shared.errors import UsageError
from shared.git import git
from shared.places import CHECKOUT, home
from shared.surroundings import own_environment

WORKFLOWS = Path(".github/workflows")
STAND_IN = Path("stories/stand_in_action")
# Who takes part needs no settings of their own, and those they have change nothing here.
OPERATOR = {
    "user.name": "operator",
    "user.email": "operator@localhost",
    "commit.gpgSign": "false",
    "push.gpgSign": "false",
    "core.hooksPath": ".git/hooks",
    "core.autocrlf": "false",
}
# Four jobs, of which the longest may take half an hour.
SECONDS_OF_A_WORKFLOW = 5400.0
# The training workflow, which calls the deploying one.
PUSHED = ("push", "--workflows", str(WORKFLOWS), "--job", "deploy")
PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
REMOTE_ACTION = re.compile(r"uses: (actions/(?:upload|download)-artifact@\w+)")


@dataclass(frozen=True)
class Scratch:
    """Three clones: `origin` is pushed to, in `work` somebody commits, `ci` is what the runner checks out."""

    origin: Path
    work: Path
    ci: Path


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
        for setting, value in OPERATOR.items():
            git(clone, "config", setting, value)
        git(clone, "remote", "set-url", "origin", f"../{scratch.origin.name}")  # a copy pushes to its own
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
    with log.open("w") as output, by_plain_name(home() / "act") as state:
        return run_command(
            [*runner(scratch.ci, event), "--var", f"MLOPS_DAY={as_of}"],
            SECONDS_OF_A_WORKFLOW,
            cwd=scratch.ci,
            env=environment_of_runner(state),
            stdin=subprocess.DEVNULL,
            output=output,
            errors=output,
        ).returncode


@contextmanager
def by_plain_name(folder: Path) -> Iterator[Path]:
    """A folder by a name without spaces and the like, for as long as the block runs: act's shells read its parts."""
    folder.mkdir(parents=True, exist_ok=True)
    if PLAIN.fullmatch(str(folder)):
        yield folder
        return
    usual = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="mlops-act-", dir=usual if PLAIN.fullmatch(usual) else "/tmp") as plain:  # noqa: S108
        link = Path(plain) / "state"
        link.symlink_to(folder)
        yield link


def environment_of_runner(state: Path) -> dict[str, str]:
    """The environment of the runner: no setting of the user's, whose files it would look for in their folders.

    Each step runs the code of its own checkout: nothing here says where that is.
    """
    own = own_environment()
    for name in [name for name in own if name.startswith(("PYTHON", "MAKE", "MFLAGS", "MLOPS_", "GITHUB_", "ACT_"))]:
        del own[name]
    folders = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(state))
    return own | folders | {"NO_COLOR": "1"}


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

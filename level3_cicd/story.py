"""Plays level 3's story: commits are pushed, and the GitHub Actions workflow trains and deploys them.

`make level3` runs it. The runner is nektos/act in host mode, so neither GitHub nor Docker is needed.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from level3_cicd.deploy import rollback
from level3_cicd.ledger import Row, live_rows
from level3_cicd.serve import PORT
from shared.errors import DependencyDown, MlopsError
from shared.places import CHECKOUT, home, set_aside
from shared.running import Running, start, stop

WORKFLOW = ".github/workflows/level3-train.yml"
AUTHOR = {"GIT_AUTHOR_NAME": "operator", "GIT_AUTHOR_EMAIL": "operator@localhost"}
COMMITTER = {"GIT_COMMITTER_NAME": "operator", "GIT_COMMITTER_EMAIL": "operator@localhost"}
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Scratch:
    """A repository of the story's own: `origin` is pushed to, `work` is where somebody commits."""

    origin: Path
    work: Path


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; returns what it printed. Raises DependencyDown with git's words if it fails."""
    environment = {**os.environ, **AUTHOR, **COMMITTER}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DependencyDown(f"git {words[0]} failed: {done.stderr.strip()}", fix="Is git installed?")
    return done.stdout.strip()


def make_scratch(folder: Path) -> Scratch:
    """A scratch origin with the code of this checkout's last commit, and a clone of it to work in."""
    origin, work = folder / "origin.git", folder / "work"
    folder.mkdir(parents=True)
    git(folder, "clone", "--quiet", "--bare", "--no-hardlinks", str(CHECKOUT), str(origin))
    git(origin, "symbolic-ref", "HEAD", "refs/heads/main")
    git(origin, "branch", "--force", "main", git(CHECKOUT, "rev-parse", "HEAD"))
    git(folder, "clone", "--quiet", "--branch", "main", str(origin), str(work))
    return Scratch(origin, work)


def push_change(scratch: Scratch, file: str, before: str, after: str, message: str) -> str:
    """Change a file, commit and push it to main; returns the commit."""
    path = scratch.work / file
    text = path.read_text()
    if before not in text:
        raise MlopsError(f"{file} does not hold {before!r}.")
    path.write_text(text.replace(before, after, 1))
    git(scratch.work, "commit", "--quiet", "--all", "--message", message)
    git(scratch.work, "push", "--quiet", "origin", "main")
    return git(scratch.work, "rev-parse", "HEAD")


def run_workflow(scratch: Scratch, as_of: date, log: Path) -> int:
    """What GitHub would do after the push: check main out and run the workflow. Returns its exit code."""
    checkout = scratch.origin.parent / "ci"
    if not checkout.exists():
        git(scratch.origin.parent, "clone", "--quiet", "--branch", "main", str(scratch.origin), str(checkout))
    git(checkout, "pull", "--quiet", "--ff-only")
    act = Path(sys.executable).with_name("act")
    command = [
        str(act), "push", "--workflows", WORKFLOW, "--platform", "ubuntu-latest=-self-hosted",
        "--env", f"VENV={sys.prefix}", "--env", f"MLOPS_HOME={home()}", "--env", f"AS_OF={as_of}",
    ]  # fmt: skip
    own = {"XDG_CACHE_HOME": str(home() / "act"), "XDG_CONFIG_HOME": str(home() / "act")}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        return subprocess.run(
            command, cwd=checkout, env={**os.environ, **own}, stdout=output, stderr=output, check=False
        ).returncode


def release_by_push(scratch: Scratch, level: Path, as_of: date, change: tuple[str, str, str, str], tell: Tell) -> Row:
    """Push a change, let the workflow run, and return the ledger's row of what is live then."""
    commit = push_change(scratch, *change)
    tell(f"Pushed {commit[:12]} ({change[3]}); the workflow trains and deploys ...")
    log = level / "ci" / f"{commit[:12]}.log"
    if run_workflow(scratch, as_of, log):
        end = "\n".join(log.read_text().splitlines()[-12:])
        raise MlopsError(f"The workflow failed; {log} ends with:\n{end}")
    row = live_rows(level)[-1]
    tell(f"Release {row.release} is live; the ledger says: revision {row.revision[:12]}, {row.reason}")
    return row


def show(running: Running, customer: str, tell: Tell) -> None:
    """A customer's list from the running service."""
    answer = running.recommend(customer, k=3)
    tell(f"Customer {customer} is recommended, by release {answer['release']}:")
    for item in answer["recommendations"]:
        tell(f"  {item['rank']}. {item['name']}  ({item['reason']})")


def play(as_of: date, customer: str, tell: Tell) -> None:
    """Two pushes, two releases and a rollback, while one service answers all the time."""
    level = home() / "level3"
    stop(level)
    set_aside(level)
    scratch = make_scratch(level / "scratch")
    config = "level3_cicd/config.toml"
    release_by_push(scratch, level, as_of, (config, "half_life = 84.0", "half_life = 80.0", "Forget faster"), tell)
    running = start(level, "level3_cicd.serve", PORT)
    try:
        show(running, customer, tell)
        later = as_of + timedelta(days=7)
        release_by_push(
            scratch, level, later, (config, "popular_days = 28", "popular_days = 21", "Follow trends"), tell
        )
        show(running, customer, tell)
        tell(f"Rolled back: release {rollback(level, later).release} is live again")
        show(running, customer, tell)
    finally:
        stop(level)


def main() -> None:
    """Play the story to the terminal."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--as-of", type=date.fromisoformat, required=True)
    arguments.add_argument("--customer", default="1")
    asked = arguments.parse_args()

    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        play(asked.as_of, asked.customer, tell)
    except MlopsError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()

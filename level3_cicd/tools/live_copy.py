"""A read-only copy of the live release, which pull requests are compared with: they run on a fresh machine.

The deploying workflow offers it as an artifact (`python -m level3_cicd.tools.live_copy offer`), the one for pull
requests takes the newest (`take`). It never sees production's state, and where there is none it says so.
"""

import argparse
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.commands import run_command
from shared.errors import MlopsError, UsageError
from shared.places import CHECKOUT, level_folder
from shared.program import run_program
from shared.release.manifest import copy_bundle
from shared.release.pointer import Pointer, read_pointer, require_pointer, write_pointer
from shared.surroundings import own_environment

OFFERED = CHECKOUT / "live-copy"
ARTIFACT = "live"
SECONDS = 300.0


def offer(level: Path, folder: Path = OFFERED) -> None:
    """Copy what is live, verified, to a folder that becomes an artifact."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy_live(level, folder, require_pointer(level))


def take(level: Path, repository: str) -> str:
    """Make a level whose live release is the newest copy that main's deployments have offered; returns that in words.

    Whatever stands against it, a change can be judged without: the words say so.
    """
    if (level / "live.json").exists():
        raise UsageError(f"{level} has a live release of its own.", fix="This is for a fresh machine.")
    try:
        offered = newest(ask("api", f"repos/{repository}/actions/artifacts?name={ARTIFACT}&per_page=100"))
        with TemporaryDirectory() as temporary:
            where = ("--repo", repository, "--name", ARTIFACT, "--dir", temporary)
            ask("run", "download", str(offered["workflow_run"]["id"]), *where)
            pointer = read_pointer(Path(temporary))
            if pointer is None:
                raise MlopsError("the copy that was offered names no release")
            copy_live(Path(temporary), level, pointer)
    except (MlopsError, OSError, ValueError, KeyError, TypeError) as error:
        return f"not compared with a live release: {getattr(error, 'what', error)}"
    return f"compared with a copy of the live release {pointer.release}"


def copy_live(source: Path, target: Path, pointer: Pointer) -> None:
    """Copy a release and the pointer to it; the release brings its own histories."""
    plain = replace(pointer, bundle=f"bundles/{Path(pointer.bundle).name}", histories="", histories_digest="")
    (target / "bundles").mkdir(parents=True, exist_ok=True)
    copy_bundle(source / pointer.bundle, target / plain.bundle, pointer.bundle_digest)
    write_pointer(target, plain)


def newest(listing: str) -> dict[str, Any]:
    """The newest artifact of this repository's own main. Anybody's pull request may upload one by the same name."""
    for artifact in json.loads(listing)["artifacts"]:
        run = artifact["workflow_run"]
        own = run["head_branch"] == "main" and run["head_repository_id"] == run["repository_id"]
        if own and not artifact["expired"]:
            return dict(artifact)
    raise MlopsError("no deployment has offered a copy, or it has expired")


def ask(*words: str) -> str:
    """What GitHub's command line answers."""
    told = {"GH_TOKEN": os.environ.get("GH_TOKEN", ""), "GH_PROMPT_DISABLED": "1"}
    if not told["GH_TOKEN"]:
        raise MlopsError("there is no token to ask GitHub with")
    environment = {**own_environment(), **told}
    pipe = subprocess.PIPE
    done = run_command(["gh", *words], SECONDS, cwd=CHECKOUT, env=environment, output=pipe, errors=pipe)
    if done.returncode:
        raise MlopsError(f"GitHub does not give it: {done.stderr.decode(errors='replace').strip()[:200]}")
    return done.stdout.decode()


def main() -> None:
    """Offer or take a copy."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("what", choices=["offer", "take"])
    if arguments.parse_args().what == "offer":
        offer(level_folder(3))
        return
    told = take(level_folder(3), os.environ.get("GITHUB_REPOSITORY", ""))
    summary = os.environ.get("GITHUB_STEP_SUMMARY") or os.devnull
    for file in (Path("/dev/stdout"), Path(summary)):
        with file.open("a") as output:
            output.write(f"{told}\n")


if __name__ == "__main__":
    run_program(main)

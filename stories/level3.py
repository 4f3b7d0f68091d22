"""Plays level 3's story: commits are pushed, and the GitHub Actions workflows test, train and deploy them.

`make level3` runs it. One service answers from the first release to the end.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from level3_cicd.ledger import Row, read
from level3_cicd.serve import PORT
from level3_cicd.tools.servers import launch_prefect, recorded_server, stop_server
from shared.columns import AMOUNT
from shared.dataset.day_files import SCHEMA, day_file, digest_rows
from shared.dataset.feed import open_feed
from shared.dataset.shop import read_shop
from shared.errors import MlopsError
from shared.git import git
from shared.identity import FILE as IDENTITY
from shared.places import CHECKOUT, home, level_folder, link_or_copy, set_aside, shop_folder, write_atomically
from shared.program import run_program
from shared.release.pointer import readable_pointer
from shared.release.provenance import shorten
from shared.service.process import Process, find, launch_service, start, stop
from shared.surroundings import own_environment
from stories.local_actions import Scratch, make_scratch, push, run_workflow

CHANGES = Path("stories/changes")
LONGEST_REASON = 160
# What another home with another shop shares with this one, its identity too: what runs here is found there.
LINKED = (level_folder(3).name, "servers", "prefect", IDENTITY)
JOB_ENDED = re.compile(r"\[([^\]]+)\].*Job (succeeded|failed)")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Story:
    """What the chapters share. `waits`: somebody else pushes."""

    level: Path
    scratch: Scratch
    customer: str
    tell: Tell
    waits: bool = False

    def service(self) -> Process:
        """The live service; it was started before there was a release."""
        return find(self.level) or start(self.level, "level3_cicd.serve", PORT)

    def show(self) -> None:
        """A line of the ledger, and a recommendation of the live service."""
        for row in read(self.level)[-1:]:
            reason = textwrap.shorten(row.reason, LONGEST_REASON, placeholder=" ...")
            named = f"{row.release} " if row.release else ""
            self.tell(f"  ledger: {row.step} {row.verdict} {named}at {shorten(row.revision)}: {reason}")
        if readable_pointer(self.level) is None:
            self.tell("  live:   nothing yet")
            return
        answer = self.service().recommend(self.customer, k=3)
        names = " | ".join(item["name"] for item in answer["recommendations"])
        self.tell(f"  live:   release {answer['release']} recommends to customer {self.customer}: {names}")

    def release(self, diff: str, message: str, as_of: date, goes_live: bool) -> None:
        """Push a change and let the workflow run. What a participant pushes instead is run, too, and told."""
        while True:
            commit = push_or_wait(self, diff, message)
            subject = git(self.scratch.origin, "log", "-1", "--format=%s", commit)
            log = self.level / "ci" / f"{commit[:12]}.log"
            self.tell(f"  pushed {commit[:12]} ({subject}); the workflow runs, its log is {log}")
            began = time.monotonic()
            code = run_workflow(self.scratch, as_of, log)
            outcome = "succeeded" if code == 0 else "failed"
            self.tell(f"  the workflow {outcome} after {time.monotonic() - began:.0f} s: {', '.join(jobs(log))}")
            if (code == 0) == goes_live or not self.waits:
                expect((code == 0) == goes_live, self)
                return self.show()
            self.show()
            self.tell("  That is another outcome than this chapter is about. Push again:")


def jobs(log: Path) -> list[str]:
    """What became of each job of a workflow, as its log tells it."""
    ended = JOB_ENDED.findall(log.read_text(errors="replace"))
    return [f"{name.split('/')[-1].strip()} {outcome}" for name, outcome in ended]


def push_or_wait(story: Story, diff: str, message: str) -> str:
    """Push a committed diff, or wait until the participant has pushed; returns the commit."""
    path = story.scratch.work / CHANGES / f"{diff}.diff"
    for line in path.read_text().splitlines():
        if line[:1] in "+-" and line[:3] not in ("+++", "---"):
            story.tell(f"    {line}")
    if not story.waits:
        return push(story.scratch, path, message)
    before = git(story.scratch.origin, "rev-parse", "main")
    story.tell(f"  In another terminal:\n    cd {story.scratch.work}\n    git apply --unidiff-zero {path}")
    story.tell(f"    git commit -am '{message}' && git push origin HEAD:main")
    while (commit := git(story.scratch.origin, "rev-parse", "main")) == before:
        time.sleep(0.5)
    return commit


def first_release(story: Story, as_of: date) -> None:
    """A first change is merged, trained and deployed."""
    story.release("first", "Forget a little faster", as_of, goes_live=True)


def good_change(story: Story, as_of: date) -> None:
    """A second one follows while the service goes on answering."""
    story.release("good", "Follow trends of three weeks", as_of, goes_live=True)


def bad_change(story: Story, as_of: date) -> None:
    """A change that makes the recommender worse: the gate refuses it."""
    story.release("bad", "Recommend to all what is popular", as_of, goes_live=False)
    git(story.scratch.work, "revert", "--no-edit", "HEAD")


def failing_release(story: Story, as_of: date) -> None:
    """Tests and gate see nothing wrong, but on the shop's own names the service answers too little: staging refuses."""
    story.release("short", "Leave out what has a comma in its name", as_of, goes_live=False)
    git(story.scratch.work, "revert", "--no-edit", "HEAD")


def bad_data(story: Story, as_of: date) -> None:
    """A day arrives with its amounts in cents: validation stops the run before training."""
    with bad_delivery(story, as_of) as elsewhere:
        expect(mlops(story, "pipeline", "run", "--as-of", str(as_of), where=elsewhere) == 3, story)
    story.show()


@contextmanager
def bad_delivery(story: Story, day: date) -> Iterator[Path]:
    """A home like this one, but for a shop with another day: the real shop is not touched."""
    elsewhere = story.level / "scratch" / "home"
    shutil.copytree(shop_folder(), elsewhere / "shop", copy_function=link_or_copy)
    for name in LINKED:
        (elsewhere / name).symlink_to(home() / name)
    feed = open_feed(elsewhere / "shop")
    rows = feed.day(day)
    rows[AMOUNT] *= 100
    file = day_file(feed.folder, day)
    file.unlink()  # the other name of the same file must not change
    pq.write_table(pa.Table.from_pandas(rows, SCHEMA, preserve_index=False), file)
    about = read_shop(feed.folder)
    about["days"][day.isoformat()] = {"rows": len(rows), "digest": digest_rows(rows)}
    write_atomically(feed.folder / "shop.json", json.dumps(about, indent=1).encode())
    try:
        yield elsewhere
    finally:
        for name in LINKED:
            (elsewhere / name).unlink()
        shutil.rmtree(elsewhere)


def hanging_service(story: Story, as_of: date) -> None:
    """The live service is frozen during a switch to the sound 1.0: the switch is undone by itself."""
    service = story.service()
    os.kill(service.pid, signal.SIGSTOP)
    try:
        code = mlops(story, "deploy", "model", "--version", "1.0", "--as-of", str(as_of))
    finally:
        os.kill(service.pid, signal.SIGCONT)
    expect(code == 7, story)
    story.show()


def going_back(story: Story, as_of: date) -> None:
    """Somebody goes back by hand."""
    expect(mlops(story, "deploy", "rollback", "--as-of", str(as_of)) == 0, story)
    story.show()


CHAPTERS: list[tuple[Callable[[Story, date], None], int]] = [
    (first_release, 0),
    (good_change, 7),
    (bad_change, 7),
    (failing_release, 14),
    (bad_data, 14),
    (hanging_service, 14),
    (going_back, 14),
]


def mlops(story: Story, *words: str, where: Path | None = None) -> int:
    """Type a command, as a person would, in this home or another; returns its exit code."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "mlops", "--level", "3", *words],
        cwd=CHECKOUT,
        env={**own_environment(), "MLOPS_HOME": str(where or home())},
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stderr or done.stdout).strip().splitlines()[:4]
    story.tell(f"  $ mlops --level 3 {' '.join(words)}")
    for line in said:
        story.tell(f"    {line}")
    story.tell(f"  exit code {done.returncode} after {time.monotonic() - began:.1f} s")
    return done.returncode


def expect(happened: bool, story: Story) -> None:
    """End the story with the newest log's last lines, if a chapter does not go as it must."""
    if happened:
        return
    logs = sorted((story.level / "ci").glob("*.log"), key=lambda log: log.stat().st_mtime)
    end = "\n".join(logs[-1].read_text(errors="replace").splitlines()[-15:]) if logs else ""
    raise MlopsError(f"The story went another way than it must. The last workflow's log ends with:\n{end}")


def play(as_of: date, customer: str, tell: Tell, waits: bool = False) -> list[Row]:
    """All chapters; returns the ledger. What level 3 held before is set aside."""
    level = level_folder(3)
    stop(level)
    aside = set_aside(level)
    if aside:
        tell(f"What level 3 held before is now in {aside}")
    if stop_server(home(), f"mlflow-{level.name}"):
        tell("MLflow's server showed what is aside now; it was stopped.")
    prefect = recorded_server(home(), "prefect")
    had_prefect = bool(prefect and prefect.is_running())
    open_feed(shop_folder())
    story = Story(level, make_scratch(level / "scratch"), customer, tell, waits)
    try:
        launch_prefect(home())  # the pipeline waits for it; the tests of the first push need not
        launch_service(level, "level3_cicd.serve", PORT)
        for number, (chapter, days) in enumerate(CHAPTERS, start=1):
            tell(f"\n{number}. {chapter.__doc__}")
            chapter(story, as_of + timedelta(days=days))
    finally:
        stop(level)
        if not had_prefect:
            stop_server(home(), "prefect")
    tell(f"\nAll of it is kept below {level}. To look around:")
    tell("  mlops --level 3 deploy history\n  mlops --level 3 up      (pages of Prefect and MLflow, and the service)")
    return read(level)


def main() -> None:
    """Play the story to the terminal."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--as-of", type=date.fromisoformat, required=True)
    arguments.add_argument("--customer", default="1")
    arguments.add_argument("--hands-on", action="store_true", help="let a participant push")
    asked = arguments.parse_args()

    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    play(asked.as_of, asked.customer, tell, asked.hands_on)


if __name__ == "__main__":
    run_program(main)

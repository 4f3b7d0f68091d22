"""Level 3's story where a participant pushes: the workflow is stood in for."""

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from shared.errors import MlopsError
from stories import level3 as story
from stories.local_actions import Scratch, make_scratch, push

DAY = date(2017, 6, 4)
pytestmark = pytest.mark.thorough


def make_story(folder: Path, tell: Callable[[str], None], waits: bool) -> story.Story:
    return story.Story(folder, make_scratch(folder / "scratch"), "1", tell, waits)


def outcomes(codes: list[int]) -> Callable[[Scratch, date, Path], int]:
    """A workflow that ends with these codes, one after the other."""

    def run(scratch: Scratch, as_of: date, log: Path) -> int:
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"[level3-train/train   ]   Job {'failed' if codes[0] else 'succeeded'}\n")
        return codes.pop(0)

    return run


def test_a_participant_may_push_something_else_before_what_the_chapter_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    asked = threading.Semaphore(0)

    def tell(line: str) -> None:
        told.append(line)
        if "git commit" in line:
            asked.release()

    made = make_story(tmp_path, tell, waits=True)
    monkeypatch.setattr(story, "run_workflow", outcomes([0, 1]))

    def participate() -> None:
        for diff, message in ((None, "My own idea"), (made.scratch.work / story.CHANGES / "bad.diff", "The bad one")):
            asked.acquire(timeout=30)
            push(made.scratch, diff, message)

    participant = threading.Thread(target=participate)
    participant.start()
    made.release("bad", "Recommend to all what is popular", DAY, goes_live=False)
    participant.join()
    pushed = [line.split("(")[1].split(")")[0] for line in told if line.startswith("  pushed")]
    ended = [line.split(": ")[1] for line in told if line.startswith("  the workflow")]
    assert pushed == ["My own idea", "The bad one"]
    assert ended == ["train succeeded", "train failed"]
    assert sum("another outcome" in line for line in told) == 1
    assert told.count("  live:   nothing yet") == 2


def test_a_chapter_that_goes_another_way_ends_the_story_with_the_logs_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_story(tmp_path, lambda line: None, waits=False)
    monkeypatch.setattr(story, "run_workflow", outcomes([1]))
    with pytest.raises(MlopsError, match=r"went another way(.|\n)*Job failed"):
        made.release("first", "Forget a little faster", DAY, goes_live=True)

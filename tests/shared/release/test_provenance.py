"""What is said of the code that runs."""

from pathlib import Path

import pytest

from shared.places import CHECKOUT
from shared.release import provenance as revision

ON_ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(CHECKOUT), "GITHUB_SHA": "of the push"}


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ON_ACTIONS:
        monkeypatch.delenv(name, raising=False)


def set_all(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("changed", "told"), [("", "abc"), (" M shared/model.py", "abc+changes")])
def test_uncommitted_changes_are_told(monkeypatch: pytest.MonkeyPatch, changed: str, told: str) -> None:
    monkeypatch.setattr(revision, "git", lambda *words: "abc" if words[0] == "rev-parse" else changed)
    assert revision.revision() == told


def test_what_ci_says_counts_where_it_checked_this_out_without_a_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, ON_ACTIONS)
    monkeypatch.setattr(revision, "git", lambda *words: "")
    assert revision.revision() == "of the push"


@pytest.mark.parametrize(
    "other",
    [
        {"GITHUB_ACTIONS": "", "GITHUB_WORKSPACE": str(CHECKOUT)},
        {"GITHUB_WORKSPACE": ""},
        {"GITHUB_WORKSPACE": str(CHECKOUT.parent)},  # another repository's workflow has put this one in a folder
    ],
)
def test_what_ci_says_of_another_repository_does_not_count(
    monkeypatch: pytest.MonkeyPatch, other: dict[str, str]
) -> None:
    set_all(monkeypatch, ON_ACTIONS | other)
    monkeypatch.setattr(revision, "git", lambda *words: "")
    assert revision.revision() == "unknown"


def test_the_repository_knows_better_than_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, ON_ACTIONS)
    monkeypatch.setattr(revision, "git", lambda *words: "abc" if words[0] == "rev-parse" else "")
    assert revision.revision() == "abc"


def test_without_git_the_revision_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(revision, "CHECKOUT", tmp_path)
    assert revision.revision() == "unknown"


def test_the_digest_of_code_sees_names_and_contents_of_what_is_named_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(revision, "CHECKOUT", tmp_path)
    for name, content in {"model/a.py": "1", "model/deep/b.py": "2", "model/notes.md": "3", "other/c.py": "4"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    before = revision.code_digest(("model",))
    assert before != revision.code_digest(("model", "other"))
    (tmp_path / "model/notes.md").write_text("other words")
    (tmp_path / "other/c.py").write_text("5")
    assert revision.code_digest(("model",)) == before
    (tmp_path / "model/deep/b.py").write_text("6")
    changed = revision.code_digest(("model",))
    (tmp_path / "model/deep/b.py").rename(tmp_path / "model/deep/c.py")
    assert len({before, changed, revision.code_digest(("model",))}) == 3

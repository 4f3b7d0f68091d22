"""What is said of the code that runs."""

import pytest

from shared.release import provenance as revision


@pytest.mark.parametrize(("changed", "told"), [("", "abc"), (" M shared/model.py", "abc+changes")])
def test_uncommitted_changes_are_told(monkeypatch: pytest.MonkeyPatch, changed: str, told: str) -> None:
    monkeypatch.delenv("GITHUB_SHA", raising=False)
    monkeypatch.setattr(revision, "git", lambda *words: "abc" if words[0] == "rev-parse" else changed)
    assert revision.revision() == told


def test_what_ci_says_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", "of the push")
    assert revision.revision() == "of the push"


def test_without_git_the_revision_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_SHA", raising=False)
    monkeypatch.setattr(revision, "git", lambda *words: "")
    assert revision.revision() == "unknown"

"""Nothing of the user's reaches our git commands, and none of them reaches the user's repository."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from shared.errors import DependencyDown
from shared.git import ask_git, git
from shared.release import provenance
from stories.local_actions import make_scratch, push

# Settings with which commits, clones or pushes went wrong, or with which work was done elsewhere.
SETTINGS = {
    "commit.gpgsign": "true",
    "push.gpgSign": "true",
    "core.hooksPath": "/nonexistent",
    "core.autocrlf": "true",
    "clone.defaultRemoteName": "mine",
    "safe.bareRepository": "explicit",
    "protocol.file.allow": "never",
    "protocol.allow": "never",
    "init.templateDir": "/nonexistent",
    "core.bare": "true",
    "core.worktree": "/",
    "push.default": "nothing",
    "user.useConfigOnly": "true",
    "apply.whitespace": "error-all",
    "fetch.fsckObjects": "true",
    "core.fsmonitor": "/bin/false",
}

# Of its own: where the story's workflow runs these tests, its changes are made already.
CHANGE = """diff --git a/new.txt b/new.txt
new file mode 100644
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+a line
"""


def content(folder: Path) -> str:
    """One digest of all files below a folder."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


@pytest.fixture
def decoy(tmp_path: Path) -> Path:
    """A user's repository, with a commit, that nobody is to touch."""
    folder = tmp_path / "decoy"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "mine")
    return folder


def play(folder: Path) -> str:
    """What level 3's story does with git; returns what its runner would check out."""
    scratch = make_scratch(folder)
    change = folder / "change.diff"
    change.write_text(CHANGE)
    push(scratch, change, "a change")
    pushed = push(scratch, None, "another one")
    git(scratch.ci, "pull", "--quiet", "--ff-only")
    assert git(scratch.ci, "rev-parse", "HEAD") == pushed
    return git(scratch.ci, "log", "-1", "--format=%s by %an")


def test_a_repository_that_git_dir_names_is_left_alone(
    decoy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, head = content(decoy), provenance.revision()
    for name, value in {"GIT_DIR": ".git", "GIT_WORK_TREE": ".", "GIT_INDEX_FILE": ".git/index"}.items():
        monkeypatch.setenv(name, str(decoy / value))
    assert play(tmp_path / "scratch") == "another one by operator"
    assert provenance.revision() == head
    assert content(decoy) == before


@pytest.mark.thorough
@pytest.mark.parametrize("by", ["the environment", "a file"])
def test_no_setting_of_the_user_changes_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    if by == "a file":
        lines = []
        for name, value in SETTINGS.items():
            section, _, key = name.rpartition(".")
            section = section.replace("protocol.file", 'protocol "file"')
            lines.append(f"[{section}]\n\t{key} = {value}")
        (tmp_path / ".gitconfig").write_text("\n".join(lines))
        monkeypatch.setenv("HOME", str(tmp_path))
    else:
        monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(SETTINGS)))
        for number, (name, value) in enumerate(SETTINGS.items()):
            monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", name)
            monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    assert play(tmp_path / "scratch") == "another one by operator"


def test_a_folder_inside_of_another_repository_has_no_commit(decoy: Path) -> None:
    inside = decoy / "inside"
    inside.mkdir()
    assert ask_git(inside, "rev-parse", "HEAD") == ""
    (inside / ".git").mkdir()  # not a repository either
    assert ask_git(inside, "rev-parse", "HEAD") == ""
    with pytest.raises(DependencyDown, match="git rev-parse failed"):
        git(inside, "rev-parse", "HEAD")


def test_a_copy_of_a_scratch_pushes_to_its_own_origin(tmp_path: Path) -> None:
    scratch = make_scratch(tmp_path / "scratch")
    before = content(scratch.origin)
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(tmp_path / "scratch"), str(copy)], check=True)
    git(copy / "work", "commit", "--quiet", "--allow-empty", "--message", "in the copy")
    git(copy / "work", "push", "--quiet", "origin", "HEAD:main")
    assert git(copy / "origin.git", "log", "-1", "--format=%s", "main") == "in the copy"
    assert content(scratch.origin) == before

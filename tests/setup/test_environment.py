"""`make setup` makes the environment that is missing, and changes none that it did not make."""

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from shared.places import CHECKOUT


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, in a checkout of its own. Programs that it starts are stood in for: a venv is a file."""
    spec = importlib.util.spec_from_file_location("environment", CHECKOUT / ".ci" / "environment.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    (checkout / "requirements.lock").write_text("uv==1 \\\n    --hash=sha256:0\n")
    monkeypatch.chdir(checkout)
    script.started = []

    def run(words: list[str], variables: dict[str, str]) -> None:
        script.started.append((words, variables))
        if "venv" in words:
            script.python_of(Path(words[-1])).parent.mkdir(parents=True, exist_ok=True)
            script.python_of(Path(words[-1])).write_text("")

    monkeypatch.setattr(script, "run", run)
    monkeypatch.setattr(script, "pip_settings", lambda python: {})
    return script


def test_an_environment_is_made_once(environment: ModuleType) -> None:
    environment.main(".venv")
    made = len(environment.started)
    environment.main(".venv")
    assert made == len(environment.started) == 4


def test_another_lock_brings_it_up_to_date(environment: ModuleType) -> None:
    environment.main(".venv")
    Path("requirements.lock").write_text("uv==2 \\\n    --hash=sha256:1\n")
    (Path(".venv") / "kept").write_text("")
    environment.main(".venv")
    assert len(environment.started) == 8
    assert Path(".venv/kept").exists()


@pytest.mark.parametrize("change", ["rename", "copy"])
def test_a_renamed_or_copied_checkout_makes_it_anew(
    environment: ModuleType, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.main(".venv")
    (Path(".venv") / "of the old place").write_text("")
    checkout = Path.cwd()
    other = checkout.with_name("other")
    subprocess.run(
        ["mv" if change == "rename" else "cp", *(["-a"] if change == "copy" else []), checkout, other], check=True
    )
    monkeypatch.chdir(other)
    environment.main(".venv")
    assert len(environment.started) == 8
    assert not (other / ".venv" / "of the old place").exists()
    assert json.loads((other / ".venv" / environment.MARK).read_text())["path"] == str(other / ".venv")
    if change == "copy":
        assert (checkout / ".venv" / "of the old place").exists()


def test_a_users_own_environment_is_not_touched(environment: ModuleType, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "lib").mkdir(parents=True)
    (mine / "pyvenv.cfg").write_text("home = /usr/bin")
    with pytest.raises(SystemExit, match="did not make it"):
        environment.main(str(mine))
    assert environment.started == []
    assert sorted(entry.name for entry in mine.iterdir()) == ["lib", "pyvenv.cfg"]


def test_another_checkouts_environment_is_used_but_never_changed(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.main(".venv")
    theirs = Path(".venv").resolve()
    clone = Path.cwd().with_name("clone")
    subprocess.run(["cp", "-a", Path.cwd(), clone], check=True)
    monkeypatch.chdir(clone)
    environment.main(str(theirs))
    assert len(environment.started) == 4
    Path("requirements.lock").write_text("uv==2 \\\n    --hash=sha256:1\n")
    with pytest.raises(SystemExit, match="belongs to"):
        environment.main(str(theirs))
    assert len(environment.started) == 4


def test_a_link_to_another_checkouts_environment_does_not_empty_it(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.main(".venv")
    theirs = Path(".venv").resolve()
    clone = Path.cwd().with_name("clone")
    clone.mkdir()
    (clone / "requirements.lock").write_text("uv==3\n")
    (clone / ".venv").symlink_to(theirs)
    monkeypatch.chdir(clone)
    with pytest.raises(SystemExit, match="belongs to"):
        environment.main(".venv")
    assert (theirs / "bin" / "python").exists()


def test_what_a_kill_left_is_finished(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(words: list[str], variables: dict[str, str]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(environment, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            environment.main(".venv")
    environment.main(".venv")
    assert json.loads(Path(".venv", environment.MARK).read_text())["lock"]


def test_no_setting_of_the_users_but_where_packages_come_from(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_USER", "PIP_TARGET", "UV_SYSTEM_PYTHON", "UV_CONSTRAINT", "PYTHONPATH", "VIRTUAL_ENV", "GIT_DIR"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("UV_INDEX_URL", "https://mirror.example")
    environment.main(".venv")
    for _, variables in environment.started:
        assert not {"PIP_USER", "PIP_TARGET", "UV_SYSTEM_PYTHON", "UV_CONSTRAINT", "PYTHONPATH"} & set(variables)
        assert variables["UV_INDEX_URL"] == "https://mirror.example"


def test_text_is_lf_on_any_checkout() -> None:
    attributes = (CHECKOUT / ".gitattributes").read_text().splitlines()
    assert "* text=auto eol=lf" in attributes


@pytest.mark.parametrize(("home", "kept"), [("/nonexistent", False), ("/proc/self", False), ("", True)])
def test_an_account_without_a_home_keeps_no_downloads(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str, kept: bool
) -> None:
    for name in ("UV_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", home or str(tmp_path))
    monkeypatch.setattr(environment.os, "access", lambda path, mode: str(path).startswith(str(tmp_path)))
    environment.main(".venv")
    assert all(("UV_NO_CACHE" not in variables) == kept for _, variables in environment.started)

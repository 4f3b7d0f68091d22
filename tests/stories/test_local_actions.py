"""The runner of workflows works in any home, with none of the user's settings."""

from pathlib import Path

import pytest

from stories.local_actions import PLAIN, by_plain_name, environment_of_runner


@pytest.mark.parametrize("name", ["plain", "with a space", "ümlaut", "50%", "quote's"])
def test_the_runners_folder_has_a_name_that_its_shells_can_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with by_plain_name(folder) as plain:
        assert PLAIN.fullmatch(str(plain))
        (plain / "file").write_text("written")
    assert (folder / "file").read_text() == "written"
    assert plain == folder or not plain.exists()


def test_nothing_of_the_users_reaches_the_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = (
        "GIT_DIR",
        "PYTHONPATH",
        "PYTHONSAFEPATH",
        "MAKEFLAGS",
        "HTTPS_PROXY",
        "GITHUB_SHA",
        "MLOPS_HOME",
        "PREFECT_HOME",
    )
    for name in users:
        monkeypatch.setenv(name, "x")
    environment = environment_of_runner(tmp_path)
    assert not set(users) & set(environment)
    assert environment["HOME"] == str(tmp_path)

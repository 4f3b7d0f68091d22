"""Prefect finds our settings, and none of the user's own for it."""

import os
from pathlib import Path

import pytest

from level3_cicd.tools.prefect_settings import away_from_settings_files, prefect_settings, prepare_prefect


def test_the_users_settings_are_left_out_and_a_server_is_named_by_our_own_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_API_KEY": "x"})
    prepare_prefect(tmp_path)
    assert not {"PREFECT_API_URL", "PREFECT_API_KEY"} & set(os.environ)
    os.environ["MLOPS_PREFECT_URL"] = "http://127.0.0.1:4200/api"
    prepare_prefect(tmp_path)
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"


def test_a_home_with_any_letters_becomes_an_address(tmp_path: Path) -> None:
    url = prefect_settings(tmp_path / "hö me?#%41")["PREFECT_SERVER_DATABASE_CONNECTION_URL"]
    assert url == f"sqlite+aiosqlite:///{tmp_path}/h%C3%B6%20me%3F%23%2541/prefect/prefect.db"


def test_settings_files_where_the_user_is_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with away_from_settings_files(tmp_path / "home"):
        assert Path.cwd() == tmp_path / "home" / "prefect"
    assert Path.cwd() == tmp_path

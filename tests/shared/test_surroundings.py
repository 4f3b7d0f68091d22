"""Variables that a user has set for other programs change nothing in ours, at each level."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from shared.errors import UsageError
from shared.places import CHECKOUT
from shared.surroundings import ENVIRONMENT_MARK, is_a_copy, own_environment, require_own_code, settle

DEAD = "http://127.0.0.1:9"
# What a user's environment may hold, by the program that it is meant for.
TABLE = {
    "proxies": {
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), DEAD),
        **dict.fromkeys(("ALL_PROXY", "all_proxy"), "socks5://127.0.0.1:9"),
    },
    "certificates": dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "/nonexistent"),
    "uvicorn": {
        **{"WEB_CONCURRENCY": "3", "UVICORN_PORT": "1", "UVICORN_HOST": "8.8.8.8", "UVICORN_WORKERS": "4"},
        **{"UVICORN_RELOAD": "1", "FORWARDED_ALLOW_IPS": "x", "GUNICORN_CMD_ARGS": "--nope"},
    },
    "Prefect": {
        **{"PREFECT_API_URL": f"{DEAD}/api", "PREFECT_API_KEY": "x", "PREFECT_PROFILE": "nope"},
        **{"PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite:////nonexistent/x.db", "PREFECT_HOME": "/nonexistent"},
        **{"PREFECT_SERVER_API_PORT": "1", "PREFECT_SERVER_API_AUTH_STRING": "a:b", "PREFECT_LOGGING_LEVEL": "DEBUG"},
    },
    "MLflow": {
        **{"MLFLOW_TRACKING_URI": DEAD, "MLFLOW_REGISTRY_URI": DEAD, "MLFLOW_EXPERIMENT_ID": "77"},
        **{"MLFLOW_RUN_ID": "x", "MLFLOW_TRACKING_TOKEN": "x", "MLFLOW_DEFAULT_ARTIFACT_ROOT": "/nonexistent"},
        **{"MLFLOW_WORKSPACE": "x", "MLFLOW_BACKEND_STORE_URI": "x", "_MLFLOW_SERVER_FILE_STORE": "x"},
    },
    "Python": {"PYTHONWARNINGS": "error", "PYTHONSAFEPATH": "1", "PYTHONINSPECT": "1", "PYTHONOPTIMIZE": "2"},
    "git": {"GIT_DIR": "/nonexistent", "GIT_WORK_TREE": "/", "GIT_CONFIG_COUNT": "1"},
}
EVERY = [(name, value) for variables in TABLE.values() for name, value in variables.items()]


@pytest.mark.parametrize(("name", "value"), EVERY)
def test_a_variable_that_is_meant_for_another_program_is_left_out(name: str, value: str) -> None:
    environment = {"PATH": "/bin", "MLOPS_DAY": "2017-06-04", name: value}
    inherited = own_environment(environment)
    assert inherited.get(name) in (None, "1" if name == "PYTHONSAFEPATH" else None)
    assert inherited["MLOPS_DAY"] == "2017-06-04"
    settle(environment)
    assert name not in environment
    assert environment["PATH"] == "/bin"


def test_a_tracking_server_is_spoken_to_as_the_user_says_and_we_to_ourselves_without_proxies() -> None:
    named = {"MLOPS_MLFLOW_URI": "https://mlflow.example", "MLFLOW_TRACKING_TOKEN": "x", "HTTPS_PROXY": "http://proxy"}
    inherited = own_environment(
        named | {"MLFLOW_RUN_ID": "x", "ALL_PROXY": "socks5://proxy", "NO_PROXY": "example.org"}
    )
    assert named.items() <= inherited.items()
    assert inherited["NO_PROXY"] == "example.org,127.0.0.1,localhost,::1"
    assert not {"MLFLOW_RUN_ID", "ALL_PROXY"} & set(inherited)


def test_a_relative_home_is_the_same_folder_for_what_is_started_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLOPS_HOME", "a home")
    started = "import os; print(os.environ['MLOPS_HOME'])"
    told = subprocess.run(
        [sys.executable, "-c", started], cwd="/", env=own_environment(), capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str(tmp_path / "a home")


def test_what_we_start_runs_the_code_of_this_checkout_wherever_it_is_started(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").write_text("raise SystemExit('not ours')")
    told = subprocess.run(
        [sys.executable, "-c", "import shared; print(shared.__file__)"],
        cwd=tmp_path,
        env=own_environment({**os.environ, "PYTHONPATH": str(tmp_path)}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str(CHECKOUT / "shared" / "__init__.py")


@pytest.mark.thorough
@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_service_comes_up_and_is_asked_whatever_the_user_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: int
) -> None:
    everything = {name: value for variables in TABLE.values() for name, value in variables.items()}
    words = [sys.executable, "-m", "mlops", "--level", str(level)]
    environment = {**os.environ, **everything, "MLOPS_HOME": str(tmp_path), "PYTHONPATH": str(CHECKOUT)}
    environment.pop("PYTHONINSPECT")  # it would wait at a prompt, before any of our words are read

    def type_in(*more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*words, *more], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )

    try:
        up = type_in("serve", "--background")
        assert (up.returncode == 0) == (level > 1), up.stderr  # there is no model.pkl yet
        assert "runs at" in type_in("doctor").stdout or level == 1
        assert "Traceback" not in up.stderr
    finally:
        assert type_in("down").returncode == 0


def test_a_command_of_another_environment_than_the_one_that_runs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "copied" / ".venv" / "bin" / "mlops"
    command.parent.mkdir(parents=True)
    monkeypatch.setattr(sys, "argv", [str(command)])
    require_own_code()
    (command.parent.parent / "pyvenv.cfg").write_text("home = /usr/bin")
    with pytest.raises(UsageError, match=r"copied, but runs the code of"):
        require_own_code()


def test_an_environment_is_a_copy_where_its_mark_names_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "copied" / ".venv"
    copied.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(copied))
    assert is_a_copy()  # it bears no mark
    (copied / ENVIRONMENT_MARK).write_text(json.dumps({"path": str(tmp_path)}))
    assert is_a_copy()
    (copied / ENVIRONMENT_MARK).write_text(json.dumps({"path": str(copied)}))
    assert not is_a_copy()


def test_warnings_that_a_user_asks_for_are_not_told_and_a_closed_output_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    monkeypatch.setattr(sys, "stderr", None)
    with warnings.catch_warnings():
        settle(environment := {"PATH": "/bin", "PYTHONWARNINGS": "error"})
        warnings.warn("not told", stacklevel=1)
    assert sys.warnoptions == []
    assert "PYTHONWARNINGS" not in environment

"""Keeps the user's surroundings out of our programs: variables meant for other programs, proxies, warnings.

`run_program` calls `settle` before anything else; what starts a process of ours gives it `own_environment`.
"""

import json
import os
import sys
import warnings
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from shared.errors import UsageError
from shared.places import CHECKOUT, home

# Whose settings a user may have made for their own work with the same tools. What is meant for us is called MLOPS_*.
FOREIGN = ("GIT_", "PREFECT_", "MLFLOW_", "_MLFLOW_", "UVICORN_", "GUNICORN_", "ALEMBIC_", "SQLALCHEMY_")
FOREIGN_NAMES = (
    "WEB_CONCURRENCY",
    "FORWARDED_ALLOW_IPS",
    "PYTHONWARNINGS",
    "PYTHONSAFEPATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONPLATLIBDIR",
    "PYTHONCASEOK",
    "PYTHONEXECUTABLE",
    "__PYVENV_LAUNCHER__",
    "RUNNER_TRACKING_ID",  # by this, a runner of GitHub Actions finds and kills what a job has started
)
# How to reach others, and whom to trust; we speak to ourselves.
NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "WS_PROXY", "WSS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE"),
)
# How to talk to a tracking server that MLOPS_MLFLOW_URI names: who asks, and by which certificates.
OF_A_TRACKING_SERVER = (
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_AUTH",
    "MLFLOW_TRACKING_AWS_SIGV4",
    "MLFLOW_TRACKING_INSECURE_TLS",
    "MLFLOW_TRACKING_SERVER_CERT_PATH",
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "MLFLOW_S3_ENDPOINT_URL",
    "MLFLOW_S3_IGNORE_TLS",
)
# As `.ci/environment.py` writes it.
ENVIRONMENT_MARK = ".mlops-maturity.json"
TELEMETRY_OFF = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
OURSELVES = "127.0.0.1,localhost,::1"
SOCKS = ("ALL_PROXY", "all_proxy")


def is_foreign(name: str, with_server: bool) -> bool:
    """Whether a variable is none of our programs' business. `with_server`: they speak to a tracking server elsewhere.

    >>> is_foreign("GIT_DIR", False), is_foreign("MLOPS_HOME", False), is_foreign("https_proxy", False)
    (True, False, True)
    >>> is_foreign("MLFLOW_TRACKING_TOKEN", True), is_foreign("MLFLOW_TRACKING_TOKEN", False)
    (False, True)
    """
    if with_server and (name in OF_A_TRACKING_SERVER or name.upper() in NETWORK):
        return name in SOCKS  # who speaks HTTP to itself must not need a library for SOCKS
    return name.startswith(FOREIGN) or name in FOREIGN_NAMES or name.upper() in NETWORK


def own_environment(inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a process of ours: what it inherits without what is foreign to it.

    It runs the code of this checkout, in whatever folder it is started, on the home that this process has.
    """
    server = inherited.get("MLOPS_MLFLOW_URI", "")
    with_server = "://" in server and not server.startswith("sqlite")
    kept = {name: value for name, value in inherited.items() if not is_foreign(name, with_server)}
    if with_server:
        for name in ("NO_PROXY", "no_proxy"):
            kept[name] = ",".join(filter(None, (kept.get(name), OURSELVES)))
    return kept | TELEMETRY_OFF | {"PYTHONPATH": str(CHECKOUT), "PYTHONSAFEPATH": "1", "MLOPS_HOME": str(home())}


def require_own_code() -> None:
    """Refuse to run another checkout's code than the one whose command was typed.

    A copied checkout's commands name the original's Python and code; so does an environment that was copied.
    """
    typed = Path(sys.argv[0]).absolute().parent.parent
    of_a_command = (typed / "pyvenv.cfg").exists() and not is_same(typed, Path(sys.prefix))
    around = Path(sys.prefix).resolve().parent
    of_a_copy = (around / "shared" / "places.py").exists() and not is_same(around, CHECKOUT) and is_a_copy()
    if of_a_command or of_a_copy:
        raise UsageError(
            f"This command lies in {typed.parent if of_a_command else around}, but runs the code of {CHECKOUT}: it "
            "was copied or moved.",
            fix="Run `make setup` where you are; then type it again.",
        )


def is_a_copy() -> bool:
    """Whether the environment that runs was made at another place than where it lies."""
    try:
        mark = json.loads((Path(sys.prefix) / ENVIRONMENT_MARK).read_bytes())
        return not is_same(Path(mark["path"]), Path(sys.prefix))
    except (OSError, ValueError, KeyError, TypeError):
        return True


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same folder, which is there."""
    return one.exists() and other.exists() and one.samefile(other)


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make this process one of ours: its environment, its warnings, and letters that an output cannot show."""
    named = environment.get("MLOPS_HOME")
    own = own_environment(environment)
    for name in set(environment) - set(own):
        del environment[name]
    environment.update(own)
    for name in ("PYTHONPATH", "PYTHONSAFEPATH"):  # those are for the processes that it starts
        del environment[name]
    if not named:  # the default stays the default: who asks is told so
        del environment["MLOPS_HOME"]
    if sys.warnoptions:
        sys.warnoptions.clear()
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")

"""Makes the virtual environment from requirements.lock, if it is not there: `python environment.py FOLDER`.

Every make target runs it, with the standard library alone. An environment bears a mark that says who made it, where
it lies and from which lock; what bears none, or another checkout's, is never changed. A copied or renamed one is
made anew, as its programs would run the code of the place that they were made for.
"""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

MARK = ".mlops-maturity.json"
# What makes the packages come from where the user gets them; no other setting of pip and uv counts.
PIP_KEPT = (
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert", "proxy"),
    *("timeout", "default-timeout", "retries", "cache-dir", "no-cache-dir", "keyring-provider"),
)
UV_KEPT = re.compile(
    "UV_(INDEX|DEFAULT_INDEX|EXTRA_INDEX|FIND_LINKS|NATIVE_TLS|SYSTEM_CERTS|OFFLINE|INSECURE_HOST|HTTP_|REQUEST_|CACHE_DIR"
    "|NO_CACHE|LINK_MODE|CONCURRENT|KEYRING|CONFIG_FILE)"
)
FOREIGN = re.compile("(PIP|UV|PYTHON|GIT|VIRTUAL_ENV|CONDA|SETUPTOOLS|DIST_EXTRA)_?")


def main(named: str) -> None:
    """Make the environment, or say why not."""
    checkout, place = Path.cwd().resolve(), Path(named).resolve()
    lock = hashlib.sha256((checkout / "requirements.lock").read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    found = read_mark(place)
    if found.get("lock") == lock and found.get("path") == str(place) and python_of(place).exists():
        return
    refuse_what_is_not_ours(named, place, checkout, found)
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit("Python 3.11, 3.12 or 3.13 is needed; name one: make BASE_PYTHON=python3.11")
    sys.stdout.write(f"Setting up {named} from requirements.lock ...\n")
    sys.stdout.flush()
    make(checkout, place, afresh=found.get("path") != str(place) or not python_of(place).exists())
    write_mark(place, checkout, lock)


def read_mark(place: Path) -> "dict[str, str]":
    """What an environment says of itself; nothing if it is not of our making."""
    try:
        known = json.loads((place / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Before there were marks, a file was named after the lock.
        return {"checkout": ""} if any(place.glob(".installed-*")) else {}
    return known if isinstance(known, dict) else {}


def write_mark(place: Path, checkout: Path, lock: str) -> None:
    """Say of an environment who made it, where, and from which lock: none while it is not complete."""
    text = json.dumps({"checkout": str(checkout), "path": str(place), "lock": lock}, indent=1)
    (place / MARK).write_text(text, encoding="utf-8")


def refuse_what_is_not_ours(named: str, place: Path, checkout: Path, found: "dict[str, str]") -> None:
    """End with words, if a folder holds something else, or an environment that another checkout uses."""
    if place.exists() and not (place.is_dir() and (found or not any(place.iterdir()))):
        sys.exit(
            f"{named} is there already, and `make` did not make it, so nothing in it is changed.\n"
            "  To fix: unset VENV, or name a folder that is not there yet: make VENV=..."
        )
    if found and found.get("checkout") != str(checkout) and checkout not in place.parents:
        sys.exit(
            f"{named} belongs to {found.get('checkout') or 'another checkout'}, and is not what requirements.lock "
            "here asks for, so it is not changed.\n  To fix: unset VENV, or run `make setup` there with the same lock."
        )


def make(checkout: Path, place: Path, afresh: bool) -> None:
    """Create the environment and install the lock and this checkout."""
    if afresh and place.exists():
        for entry in place.iterdir():
            if entry.name != MARK:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    place.mkdir(parents=True, exist_ok=True)
    write_mark(place, checkout, lock="")
    clean = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
    clean.update({name: value for name, value in os.environ.items() if UV_KEPT.match(name)})
    if not has_a_cache(clean):
        clean["UV_NO_CACHE"] = "1"
    run([sys.executable, "-I", "-m", "venv", str(place)], clean)
    python = str(python_of(place))
    of_uv = re.search(r"^uv==(?:.*\\\r?\n)*.*$", (checkout / "requirements.lock").read_text(encoding="utf-8"), re.M)
    (place / "uv.txt").write_text(of_uv.group() + "\n" if of_uv else "", encoding="utf-8")
    pip = [python, "-I", "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    run([*pip, "-r", str(place / "uv.txt")], {**clean, **pip_settings(python)})
    uv = [python, "-I", "-m", "uv", "pip"]
    run([*uv, "sync", "--quiet", "--python", python, "--require-hashes", "requirements.lock"], clean)
    run([*uv, "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "--editable", "."], clean)


def has_a_cache(environment: "dict[str, str]") -> bool:
    """Whether downloads can be kept: an account may have no home, or one that is not there."""
    of_account = os.path.expanduser("~/.cache")  # noqa: PTH111  it raises nothing where there is none
    named = environment.get("UV_CACHE_DIR") or environment.get("XDG_CACHE_HOME") or of_account
    there = next(at for at in (Path(named), *Path(named).absolute().parents) if at.exists())
    return os.access(there, os.W_OK)


def pip_settings(python: str) -> "dict[str, str]":
    """Where the user's pip gets packages from, as variables; no file of theirs is read after this."""
    asked = subprocess.run([python, "-I", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    for line in asked.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in PIP_KEPT:
            settings["PIP_" + name.upper().replace("-", "_")] = str(ast.literal_eval(value))
    return settings


def python_of(place: Path) -> Path:
    """An environment's Python."""
    return place / "bin" / "python"


def run(words: "list[str]", environment: "dict[str, str]") -> None:
    """Run a program; if it fails, its words are the last ones."""
    code = subprocess.run(words, env=environment, check=False).returncode
    if code:
        sys.exit(f"`{' '.join(words[:6])} ...` failed; run `make setup` again once what it says is mended.")


if __name__ == "__main__":
    main(sys.argv[1])

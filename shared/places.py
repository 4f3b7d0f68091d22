"""Where state lives: everything that a run writes is below one folder."""

import os
import secrets
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path
from urllib.parse import quote

CHECKOUT = Path(__file__).resolve().parents[1]


def home() -> Path:
    """The folder that holds all state: `MLOPS_HOME`, else `var/` in the checkout."""
    named = os.environ.get("MLOPS_HOME")
    return Path(named).expanduser().resolve() if named else CHECKOUT / "var"


def shop_folder() -> Path:
    """The folder of the shop's feed."""
    return home() / "shop"


def level_folder(level: int) -> Path:
    """The folder of a level's state."""
    return home() / f"level{level}"


def is_writable(folder: Path) -> bool:
    """Whether something can be written into a folder, or it can be made."""
    there = next(at for at in (folder, *folder.absolute().parents) if at.exists())
    return os.access(there, os.W_OK)


def sqlite_url(path: Path, driver: str = "pysqlite") -> str:
    """The URL of a SQLite file, wherever it lies. The driver is named: without it, MLflow makes folders of the URL.

    >>> sqlite_url(Path("/a shop/what?/50%/mlflow.db"))
    'sqlite+pysqlite:////a%20shop/what%3F/50%25/mlflow.db'
    """
    return f"sqlite+{driver}:///{quote(str(path.absolute()))}"


def write_atomically(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Replace `path` in one step: a reader sees the old content or the new, also after a kill.

    mode: who may read it, less what the umask takes away; another account's service may have to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def link_or_copy(source: str, target: str) -> None:
    """Another name for the same file; a copy where there can be none, as on another disk."""
    with suppress(OSError):
        os.link(source, target)
        return
    shutil.copy2(source, target)


def set_aside(folder: Path) -> Path | None:
    """Move a folder's state below `aside/`, so that nothing is lost; returns where it is now, if there was any."""
    if not folder.exists():
        return None
    aside = folder.parent / "aside"
    aside.mkdir(exist_ok=True)
    targets = (aside / f"{folder.name}-{number}" for number in count(1))
    target = next(target for target in targets if not target.exists())
    folder.rename(target)
    return target

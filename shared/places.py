"""Where state lives: everything that a run writes is below one folder."""

import os
import tempfile
from itertools import count
from pathlib import Path

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


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` in one step: a reader sees the old content or the new, also after a kill."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


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

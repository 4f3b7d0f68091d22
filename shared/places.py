"""Where state lives: everything that a run writes is below one folder."""

import json
import os
import tempfile
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from shared.errors import IntegrityError, UsageError

CHECKOUT = Path(__file__).resolve().parents[1]


def home() -> Path:
    """The folder that holds all state: `MLOPS_HOME`, else `var/` in the checkout."""
    named = os.environ.get("MLOPS_HOME")
    return Path(named).expanduser().resolve() if named else CHECKOUT / "var"


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


def read_shop(shop: Path) -> dict[str, Any]:
    """What is noted of a shop: its name, source, and per day the number of rows and their digest."""
    note = shop / "shop.json"
    try:
        about = json.loads(note.read_bytes())
        if not about["days"]:
            raise ValueError("it holds no day")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{note} cannot be read: {error}",
            fix=f"Import the shop again with --replace, or remove {shop}: the next command prepares the real year.",
        ) from error
    return dict(about)


def today(shop: Path) -> date:
    """The last day that a step may know of when nobody names one.

    A replayed season leaves the day that it reached in `today`, as does who prepared a feed whose last day is
    not whole; without it, the shop's last day.
    """
    note = shop / "today"
    try:
        return date.fromisoformat(note.read_text().strip() if note.exists() else max(read_shop(shop)["days"]))
    except ValueError as error:
        raise IntegrityError(f"{note} does not hold a day: {error}", fix=f"Remove {note}.") from error


def require_known_day(shop: Path, day: date) -> None:
    """Refuse a day that the shop's feed has not reached."""
    last = max(read_shop(shop)["days"]) if (shop / "shop.json").exists() else date.max.isoformat()
    if day.isoformat() > last:
        raise UsageError(
            f"{day} is after the last day of the shop's feed, {last}.", fix=f"Pass --as-of {last} or before."
        )


def set_today(shop: Path, day: date) -> None:
    """Note the day that the shop has reached."""
    write_atomically(shop / "today", f"{day.isoformat()}\n".encode())


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

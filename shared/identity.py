"""A home knows itself: its own name, its path and the host that it was made on.

A copy that took its original's notes for its own would stop the original's service and write into its folders. So
the first command after a copy or a move notices it, and says so; a copy gets a name of its own, and what was noted
for another home, or by another host, does not count.
"""

import json
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

from shared.places import home as named_home
from shared.places import write_atomically

FILE = "home.json"


@dataclass(frozen=True)
class Identity:
    """What a home knows of itself. `folder`: its folder's number on the disk, which a move on one disk keeps."""

    name: str
    path: str
    host: str
    folder: int


def this_host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def read_identity(home: Path) -> Identity | None:
    """What a home has noted of itself; None if it has not."""
    try:
        return Identity(**json.loads((home / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def here(home: Path, name: str) -> Identity:
    """The identity of a home by this name at this place. A home that is made of links is where its note lies."""
    place = (home / FILE).resolve().parent
    return Identity(name, str(place), this_host(), place.stat().st_ino)


def is_itself(known: Identity, now: Identity) -> bool:
    """Whether a home is where it was, seen from this host or by another name of the same folder."""
    if known.path == now.path:
        return known.host == now.host or known.folder == now.folder
    if known.folder != now.folder:
        return False
    return known.host != now.host or is_same_folder(known.path, now.path)


def is_same_folder(one: str, other: str) -> bool:
    """Whether two paths lead to the same folder."""
    with suppress(OSError):
        return Path(one).samefile(other)
    return False


def was_moved(known: Identity, now: Identity) -> bool:
    """Whether a home is the very folder that it was, at another place of its disk."""
    return known.folder == now.folder and known.host == now.host and not is_itself(known, now)


def know_home(home: Path) -> str:
    """Note who a home is; returns in words that it was copied or moved, if it was. A home that is not there is none."""
    if not home.is_dir():
        return ""
    known = read_identity(home)
    if known is None:
        note(home, here(home, uuid4().hex))
        return ""
    now = here(home, known.name)
    if is_itself(known, now):
        return ""
    if was_moved(known, now):
        note(home, now)
        return f"This home was moved from {known.path}. What runs goes on, but knows the old place only: restart it."
    note(home, replace(now, name=uuid4().hex))
    return (
        f"This home is a copy of {known.path} on {known.host}, and goes its own way from now on. What runs there, and "
        "what is noted of it here, is not touched."
    )


def note(home: Path, identity: Identity) -> None:
    """Write an identity down; a home that cannot be written to has none of its own."""
    with suppress(OSError):
        write_atomically((home / FILE).resolve(), json.dumps(asdict(identity), indent=1).encode())


def home_name(folder: Path) -> str:
    """The name of the home that a folder of ours lies in; empty if it lies in none.

    What bears a copied name, as it cannot be changed there, has none that could be another's.
    """
    above = [folder, *folder.parents]
    home = next((at for at in above if (at / FILE).exists()), None)
    if home is None and named_home() in above:
        home = named_home()
        know_home(home)
    known = read_identity(home) if home else None
    if home is None or known is None:
        return ""
    now = here(home, known.name)
    return known.name if is_itself(known, now) or was_moved(known, now) else f"a copy at {now.path}"

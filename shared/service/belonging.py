"""Whose state a level holds: it bears the identity of the shop that it was made of, and another shop begins anew.

Commands call it before they look at a level, and pipelines before they write into it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from shared.dataset.shop import identity, read_shop
from shared.errors import IntegrityError
from shared.locks import held
from shared.places import set_aside, write_atomically
from shared.service.process import stop
from shared.text import one_line

MARK = "of_shop.json"
UNREADABLE = "whose record could not be read"
LOCKS = (".pipeline.lock", ".deploy.lock")
AGAIN = "Wait for it to end, then run the command again."


def settle(level: Path, shop: Path) -> str:
    """Let a level be of the shop that is here: state of another one is set aside, and said on stderr, too.

    State without a mark, of version 0.1.0, is taken to be of this shop. Returns what was done, '' if nothing.
    Raises Locked if somebody is at work with the state of the other shop.
    """
    about = read_shop(shop)
    here = {"identity": identity(about), "name": about.get("name", "")}
    before = read_mark(level)
    told = ""
    if before and before["identity"] != here["identity"] and not level.is_symlink():
        told = move(level, before["name"], here["name"])
        sys.stderr.write(f"{told}\n")
    if before != here:
        write_atomically(level / MARK, json.dumps(here).encode())
    return told


def mark_before_replacing(level: Path, shop: Path) -> None:
    """Let a level without a mark bear that of the shop that is about to be replaced, readable or not.

    Raises Locked if somebody is at work there.
    """
    require_quiet(level)
    if not level.exists() or read_mark(level):
        return
    try:
        about = read_shop(shop)
        here = {"identity": identity(about), "name": about.get("name", "")}
    except IntegrityError:
        here = {"identity": UNREADABLE, "name": UNREADABLE}
    write_atomically(level / MARK, json.dumps(here).encode())


def read_mark(level: Path) -> dict[str, Any]:
    """The shop that a level's state is of; empty if nothing says so."""
    try:
        mark = json.loads((level / MARK).read_bytes())
        return {"identity": str(mark["identity"]), "name": str(mark["name"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def move(level: Path, old: str, new: str) -> str:
    """Stop a level's services, and set its state aside; returns that in words."""
    require_quiet(level)
    for folder in (level, level / "server"):
        stop(folder)
    aside = set_aside(level)
    return (
        f"What {level.name} held was made of the shop {one_line(old)!r}; it is set aside in {aside}, whole. "
        f"{level.name} begins anew with {one_line(new)!r}."
    )


def require_quiet(level: Path) -> None:
    """Raise Locked if a pipeline or a deployment is at work in a level's folder."""
    if not level.exists():
        return
    with held(*(level / name for name in LOCKS), busy=f"Somebody is at work in {level}.", fix=AGAIN):
        return

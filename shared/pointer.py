"""What is live: one pointer file per level, replaced atomically by a person or a pipeline, followed by the service."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from shared.errors import IntegrityError, UsageError
from shared.places import write_atomically


@dataclass(frozen=True)
class Pointer:
    """Which release answers customers now, with which histories; paths are below the level's folder."""

    release: str
    bundle: str
    bundle_digest: str
    sequence: int = 0
    histories: str = ""
    histories_digest: str = ""


def pointer_file(level: Path) -> Path:
    """Where a level keeps its pointer."""
    return level / "live.json"


def last_good_file(level: Path) -> Path:
    """Where a service that remembers notes the last releases that it could open."""
    return level / "last_good.json"


def read_pointer(level: Path) -> Pointer | None:
    """The pointer of a level; None before the first deployment."""
    path = pointer_file(level)
    if not path.exists():
        return None
    try:
        return Pointer(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"{path} is damaged: {error}", fix="Deploy a release again.") from error


def require_pointer(level: Path) -> Pointer:
    """The pointer of a level; UsageError before the first deployment."""
    pointer = read_pointer(level)
    if pointer is None:
        raise UsageError(f"Nothing is deployed in {level}.", fix="Train and deploy a first release.")
    return pointer


def point_to(level: Path, pointer: Pointer) -> Pointer:
    """Make a release live in one atomic step. Its files must be complete by now."""
    before = readable_pointer(level)
    after = replace(pointer, sequence=before.sequence + 1 if before else 1)
    write_pointer(level, after)
    return after


def readable_pointer(level: Path) -> Pointer | None:
    """The pointer of a level; None also where it is damaged, for who is about to replace it."""
    with suppress(IntegrityError):
        return read_pointer(level)
    return None


def write_pointer(level: Path, pointer: Pointer) -> None:
    """Write a pointer as it is."""
    write_atomically(pointer_file(level), json.dumps(asdict(pointer), indent=1).encode())

"""What is live: one pointer file per level, replaced atomically by a person or a pipeline, followed by the service."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from shared.errors import IntegrityError, UsageError
from shared.places import write_atomically

# Version 0.1.0 wrote pointers without a format: those are 1.
FORMAT = 2


@dataclass(frozen=True)
class Pointer:
    """The release that answers customers now, with its histories; paths are below the level's folder.

    row: the hash of the ledger's row that made it live, once that is written, where a level has a ledger.
    """

    release: str
    bundle: str
    bundle_digest: str
    sequence: int = 0
    histories: str = ""
    histories_digest: str = ""
    row: str = field(default="", compare=False)
    format: int = field(default=FORMAT, compare=False)


def pointer_file(level: Path) -> Path:
    """Where a level keeps its pointer."""
    return level / "live.json"


def last_good_file(level: Path) -> Path:
    """Where the last releases are noted that were found good when they went live."""
    return level / "last_good.json"


def read_pointer(level: Path) -> Pointer | None:
    """The pointer of a level; None before the first deployment, and where it says that nothing is to be live."""
    path = pointer_file(level)
    if not path.exists():
        return None
    try:
        known = json.loads(path.read_bytes())
        if known is None:
            return None
        require_format(path, known.get("format", 1))
        return Pointer(**known)
    except (ValueError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{path} is damaged: {error}", fix="Deploy a release again.") from error


def require_format(path: Path, found: int) -> None:
    """Refuse what a newer version has written: it must not be taken for damaged, and be replaced."""
    if found > FORMAT:
        raise UsageError(
            f"{path} was written by a newer version, in format {found}; this one reads up to {FORMAT}.",
            fix="Use the newer version, or set MLOPS_HOME to another folder.",
        )


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


def go_back_file(level: Path) -> Path:
    """The file that undoes a switch when it is renamed to the pointer."""
    return level / "go_back.json"


def prepare_to_go_back(level: Path, before: Pointer | None) -> None:
    """Write, before a switch, what undoes it: on a disk that fills up meanwhile, undoing needs no more space."""
    content = asdict(replace(before, sequence=before.sequence + 2)) if before else None
    write_atomically(go_back_file(level), json.dumps(content, indent=1).encode())


def go_back(level: Path, after: Pointer) -> bool:
    """Undo a switch in one rename, if the pointer is what it was switched to; returns whether it was.

    After a first release nothing is live: a pointer that is only gone would leave a running service answering.
    """
    if readable_pointer(level) != after:
        forget_going_back(level)
        return False
    go_back_file(level).replace(pointer_file(level))
    if is_deliberately_empty(level):
        last_good_file(level).unlink(missing_ok=True)
    return True


def forget_going_back(level: Path) -> None:
    """Remove what would undo a switch: it was ended, or never made."""
    go_back_file(level).unlink(missing_ok=True)


def is_deliberately_empty(level: Path) -> bool:
    """True if the pointer says that nothing is to be live."""
    with suppress(IntegrityError):
        return pointer_file(level).exists() and read_pointer(level) is None
    return False


def remember_good(level: Path, pointer: Pointer) -> None:
    """Note that what is live was found good: from it, or from the release before, a service can start, too."""
    earlier = [known for known in read_good(level) if known.release != pointer.release]
    good = [asdict(known) for known in (pointer, *earlier[:1])]
    write_atomically(last_good_file(level), json.dumps(good).encode())


def read_good(level: Path) -> list[Pointer]:
    """The last two releases that were good, the newest first. Raises nothing: what is damaged is none."""
    try:
        return [Pointer(**known) for known in json.loads(last_good_file(level).read_bytes())]
    except (OSError, ValueError, TypeError):
        return []


def readable_pointer(level: Path) -> Pointer | None:
    """The pointer of a level; None also where it is damaged, for who is about to replace it."""
    with suppress(IntegrityError):
        return read_pointer(level)
    return None


def write_pointer(level: Path, pointer: Pointer) -> None:
    """Write a pointer as it is."""
    write_atomically(pointer_file(level), json.dumps(asdict(pointer), indent=1).encode())

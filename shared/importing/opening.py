"""Opens a shop's export by its suffix. The import calls it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from shared.errors import CheckFailed, UsageError
from shared.importing.exports import KINDS, Export, tidy


def open_export(
    path: Path, encoding: str | None = None, separator: str | None = None, wanted: Iterable[str | None] = ()
) -> Export:
    """Open an export by its suffix; its header has the `wanted` columns, or is its first line.

    Raises UsageError (no such file, unknown kind) or CheckFailed (damaged, empty).
    """
    names = {tidy(name) for name in wanted if name}
    require_file(path)
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path.name} is of no known kind; known are {', '.join(KINDS)}.", fix="Export it as CSV.")
    if not path.stat().st_size:
        raise CheckFailed(f"{path} is empty.", fix="Export it again.")
    if kind == "csv":
        from shared.importing.csv_export import open_csv

        return open_csv(path, encoding, separator, names)
    if kind == "parquet":
        from shared.importing.parquet_export import open_parquet

        return open_parquet(path)
    from shared.importing.xlsx_export import open_xlsx

    return open_xlsx(path, names)


def require_file(path: Path) -> None:
    """Raise UsageError if a path is no file."""
    if not path.is_file():
        found = f"{path} is a folder." if path.is_dir() else f"There is no file {path}."
        raise UsageError(found, fix="Name the file that the shop's system exported.")


def digest_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

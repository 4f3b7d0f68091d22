"""Opens a shop's export by its suffix. The import calls it."""

import hashlib
from pathlib import Path

from shared.errors import CheckFailed, UsageError
from shared.importing.exports import KINDS, Export


def open_export(path: Path, encoding: str | None = None, separator: str | None = None) -> Export:
    """Open an export by its suffix. Raises UsageError (no such file, unknown kind) or CheckFailed (damaged, empty)."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", fix="Name the file that the shop's system exported.")
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path.name} is of no known kind; known are {', '.join(KINDS)}.", fix="Export it as CSV.")
    if not path.stat().st_size:
        raise CheckFailed(f"{path} is empty.", fix="Export it again.")
    if kind == "csv":
        from shared.importing.csv_export import open_csv

        return open_csv(path, encoding, separator)
    if kind == "parquet":
        from shared.importing.parquet_export import open_parquet

        return open_parquet(path)
    from shared.importing.xlsx_export import open_xlsx

    return open_xlsx(path)


def digest_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

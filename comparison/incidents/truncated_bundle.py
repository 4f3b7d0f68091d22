"""What goes wrong in a season. An incident strikes files; it knows of no level."""

from pathlib import Path


def truncate(stored: Path) -> None:
    """Cut a stored model in half, as a full disk or a broken connection would: the file, or a folder's largest one."""
    files = [path for path in stored.rglob("*") if path.is_file()] if stored.is_dir() else [stored]
    largest = max(files, key=lambda path: path.stat().st_size)
    with largest.open("r+b") as file:
        file.truncate(largest.stat().st_size // 2)

"""Where the person of level 1 works: a laptop with scripts and a server with one file."""

from pathlib import Path

from shared.places import level_folder


def laptop() -> Path:
    """The folder of the person's laptop."""
    return level_folder(1) / "laptop"


def server() -> Path:
    """The folder of the server."""
    return level_folder(1) / "server"

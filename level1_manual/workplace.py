"""Where the person of level 1 works: a laptop with scripts and a server with one file."""

from pathlib import Path

from shared.places import home


def laptop() -> Path:
    """The folder of the person's laptop."""
    return home() / "level1" / "laptop"


def server() -> Path:
    """The folder of the server."""
    return home() / "level1" / "server"

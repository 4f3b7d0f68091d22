"""The teams by their level. A level whose folder is not here has no team."""

import importlib
from typing import cast

from comparison.teams.team import Team
from shared.errors import UsageError


def team_of(level: int) -> type[Team]:
    """The team that runs a level. Raises UsageError if the level, or one that it is built on, is not here."""
    try:
        module = importlib.import_module(f"comparison.teams.level{level}")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Level {level} cannot be compared: {error.name} is not here.", fix="Leave it out: name others with --only."
        ) from error
    return cast(type[Team], getattr(module, f"Level{level}"))

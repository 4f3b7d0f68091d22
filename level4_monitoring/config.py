"""The typed form of config.toml."""

import tomllib
from pathlib import Path

from pydantic import Field, ValidationError

from shared.config import Strict
from shared.errors import UsageError

CONFIG = Path(__file__).with_name("config.toml")


class LoopConfig(Strict):
    """When the loop acts."""

    challenger_every_days: int = Field(ge=1)
    shadow_least_days: int = Field(ge=1)
    shadow_most_days: int = Field(ge=1)
    shadow_margin: float = Field(ge=0, le=1)
    shadow_error: float = Field(gt=0, lt=1)


def read_loop_config(path: Path = CONFIG) -> LoopConfig:
    """The loop's configuration. Raises UsageError with every mistake in it."""
    try:
        return LoopConfig.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise UsageError(f"{path} cannot be used: {error}", fix="Correct the file.") from error

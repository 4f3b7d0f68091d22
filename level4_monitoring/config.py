"""The typed form of config.toml."""

from pathlib import Path

from pydantic import Field

from shared.config import Strict

CONFIG = Path(__file__).with_name("config.toml")


class LoopConfig(Strict):
    """When the loop acts."""

    challenger_every_days: int = Field(ge=1)
    shadow_least_days: int = Field(ge=1)
    shadow_most_days: int = Field(ge=1)
    shadow_margin: float = Field(ge=0, le=1)
    shadow_error: float = Field(gt=0, lt=1)

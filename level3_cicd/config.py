"""The typed form of config.toml."""

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.config import Strict
from shared.model.config import ModelConfig

CONFIG = Path(__file__).with_name("config.toml")


class GateLimits(Strict):
    """What a candidate must reach on the held-out week, as shares of the score that it is compared with.

    `docs/reference/gate.md` has each of them with its rule. pass_without_live: whether a candidate may pass although
    something is live that cannot be opened or fetched; a person sets it, for one run.
    """

    least_gain_over_popular: float = Field(ge=0, le=10)
    most_loss_to_live: float = Field(ge=0, le=1)
    most_loss_in_a_slice: float = Field(ge=0, le=1)
    least_coverage: float = Field(ge=0, le=1)
    most_milliseconds: float = Field(gt=0)
    pass_without_live: bool = False


class PipelineConfig(ModelConfig):
    """What to train and what to ask of it. accepted_days: odd days that somebody has looked at and found
    right, each with the digest of the rows that were looked at: `"2017-06-05" = "3f2a9c..."` below [accepted_days].
    """

    gate: GateLimits
    accepted_days: dict[date, Annotated[str, Field(min_length=12)]] = Field(default={})

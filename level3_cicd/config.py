"""The typed form of config.toml."""

from datetime import date
from pathlib import Path

from pydantic import Field

from shared.config import Strict
from shared.model.config import ModelConfig

CONFIG = Path(__file__).with_name("config.toml")


class GateLimits(Strict):
    """What a candidate must reach, in NDCG@10 on the held-out week."""

    least_gain_over_popular: float = Field(ge=0, le=1)
    most_loss_to_live: float = Field(ge=0, le=1)
    most_loss_in_a_slice: float = Field(ge=0, le=1)
    least_coverage: float = Field(ge=0, le=1)
    most_milliseconds: float = Field(gt=0)


class PipelineConfig(ModelConfig):
    """What to train and what to ask of it. accepted_days: odd days that somebody has looked at and found right."""

    gate: GateLimits
    accepted_days: tuple[date, ...] = ()

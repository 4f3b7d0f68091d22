"""The typed form of config.toml."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.errors import UsageError
from shared.model import MODELS

PATH = Path(__file__).with_name("config.toml")


class Config(BaseModel):
    """Which model to train, how, and the major number of its releases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    major: int = Field(ge=0, le=9999)
    parameters: dict[str, float | int] = {}

    @field_validator("model")
    @classmethod
    def known_model(cls, name: str) -> str:
        """Refuse a model that does not exist."""
        if name not in MODELS:
            raise ValueError(f"no model is called {name!r}; there are {sorted(MODELS)}")
        return name


def read_config(path: Path = PATH) -> Config:
    """The config in a TOML file. Raises UsageError with every mistake in it."""
    try:
        config = Config.model_validate(tomllib.loads(path.read_text()))
        MODELS[config.model](**config.parameters)
    except (OSError, tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
        raise UsageError(f"{path} cannot be used: {error}", fix="Correct the file.") from error
    return config

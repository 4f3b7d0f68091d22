"""Typed TOML configuration: frozen, and unknown keys are refused."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import UsageError
from shared.kinds import MODELS
from shared.model import Popular


class Strict(BaseModel):
    """A part of a configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelConfig(Strict):
    """Which model to train, how, and the major number of its releases."""

    model: str
    major: int = Field(ge=0, le=9999)
    parameters: dict[str, Annotated[float | int, Field(ge=0)]] = {}

    def estimator(self) -> Popular:
        """The unfitted model."""
        if self.model not in MODELS:
            raise UsageError(f"no model is called {self.model!r}; there are {sorted(MODELS)}")
        parameters: dict[str, Any] = dict(self.parameters)
        return MODELS[self.model](**parameters)


Config = TypeVar("Config", bound=Strict)


def read_config(path: Path, form: type[Config]) -> Config:
    """The configuration in a TOML file. Raises UsageError with every mistake in it."""
    try:
        config = form.model_validate(tomllib.loads(path.read_text()))
        if isinstance(config, ModelConfig):
            config.estimator()
    except ValidationError as error:
        mistakes = "; ".join(f"{'.'.join(map(str, at['loc']))}: {at['msg']}" for at in error.errors())
        raise UsageError(f"{path} cannot be used: {mistakes}", fix="Correct the file.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, UsageError) as error:
        raise UsageError(f"{path} cannot be used: {error}", fix="Correct the file.") from error
    return config

"""Typed TOML configuration: frozen, and unknown keys are refused."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import UsageError


class Strict(BaseModel):
    """A part of a configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Config = TypeVar("Config", bound=Strict)


def read_config(path: Path, form: type[Config]) -> Config:
    """The configuration in a TOML file. Raises UsageError with every mistake in it."""
    try:
        return form.model_validate(tomllib.loads(path.read_text()))
    except ValidationError as error:
        mistakes = "; ".join(f"{'.'.join(map(str, at['loc']))}: {at['msg']}" for at in error.errors())
        raise UsageError(f"{path} cannot be used: {mistakes}", fix="Correct the file.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, UsageError) as error:
        raise UsageError(f"{path} cannot be used: {error}", fix="Correct the file.") from error

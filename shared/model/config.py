"""The part of a level's configuration that says which model is trained, and how."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from shared.config import Strict
from shared.errors import UsageError
from shared.model.by_name import MODELS
from shared.model.popular import Popular


class ModelConfig(Strict):
    """Which model to train, how, and the major number of its releases."""

    model: str
    major: int = Field(ge=0, le=9999)
    parameters: dict[str, Annotated[float | int, Field(ge=0)]] = Field(default={})

    def estimator(self) -> Popular:
        """The unfitted model. Raises UsageError for an unknown name, TypeError for an unknown parameter."""
        if self.model not in MODELS:
            raise UsageError(f"no model is called {self.model!r}; there are {sorted(MODELS)}")
        parameters: dict[str, Any] = dict(self.parameters)
        return MODELS[self.model](**parameters)

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        self.estimator()
        return self

    def with_model(self, model: str | None) -> Self:
        """This configuration with another model and its default parameters; itself for None or the same model."""
        if model in (None, self.model):
            return self
        return type(self).model_validate(self.model_dump() | {"model": model, "parameters": {}})

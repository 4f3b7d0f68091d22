"""What a level's configuration says of its model."""

import pytest
from pydantic import ValidationError

from shared.errors import UsageError
from shared.model.config import ModelConfig
from shared.model.frecency import Frecency


def config(**changes: object) -> ModelConfig:
    return ModelConfig.model_validate({"major": 1, "model": "frecency", "parameters": {"half_life": 42.0}} | changes)


def test_a_configuration_makes_its_model_and_another_one_with_its_own_defaults() -> None:
    made = config().estimator()
    assert isinstance(made, Frecency)
    assert made.half_life == 42.0
    assert config().with_model(None).parameters == config().with_model("frecency").parameters == {"half_life": 42.0}
    other = config().with_model("popular")
    assert (other.model, other.parameters) == ("popular", {})


@pytest.mark.parametrize("changes", [{"model": "als"}, {"parameters": {"halflife": 1.0}}])
def test_a_model_that_cannot_be_made_is_refused(changes: dict) -> None:
    with pytest.raises((UsageError, ValidationError, TypeError), match=r"als|halflife"):
        config(**changes)

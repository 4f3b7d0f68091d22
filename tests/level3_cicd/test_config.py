"""Level 3's configuration: a mistake in it is named."""

from pathlib import Path

import pytest

from level3_cicd.config import CONFIG, PipelineConfig
from shared.config import read_config
from shared.errors import UsageError


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("half_life", "halflife"), "halflife"),
        (('"frecency"', '"magic"'), "no model is called"),
        (("most_loss_to_live = 0.03", "most_loss_to_live = -1"), "gate.most_loss_to_live"),
        (("[gate]", "[gate"), "cannot be used"),
        (("major = 1", "major = 1\nretries = 3"), "retries"),
    ],
)
def test_a_mistake_in_the_config_is_named(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.read_text().replace(*change))
    with pytest.raises(UsageError, match=complaint):
        read_config(file, PipelineConfig)


def test_a_config_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b'model = "fr\xe9cency"')
    with pytest.raises(UsageError, match="cannot be used"):
        read_config(file, PipelineConfig)

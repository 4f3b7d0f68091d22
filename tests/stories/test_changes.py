"""The changes that level 3's story pushes fit the code that they change."""

from pathlib import Path

import pytest

from shared.git import git
from shared.places import CHECKOUT

CHANGES = sorted((CHECKOUT / "stories" / "changes").glob("*.diff"))


@pytest.mark.thorough  # not in the workflow that the story plays: there they are made already
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.stem)
def test_a_change_applies(change: Path) -> None:
    git(CHECKOUT, "apply", "--check", "--unidiff-zero", str(change))

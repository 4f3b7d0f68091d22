"""Fair comparisons: what both sides know, and how long their lists are."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from shared.errors import CheckFailed
from shared.model.alike import require_same_knowledge

KNOWN = date(2017, 3, 1)


def side(trained: int, histories: int) -> Any:
    """A model whose training and histories end so many days after the last known day."""
    through = [KNOWN + timedelta(days=days) for days in (trained, histories)]
    return SimpleNamespace(trained_through_=through[0], histories_=SimpleNamespace(day=through[1]))


@pytest.mark.parametrize(
    ("trained", "histories", "fair"),
    [(0, 0, True), (-30, 0, True), (1, 0, False), (0, -1, False), (0, 1, False), (-30, -1, False)],
)
def test_both_sides_know_the_same_days_and_none_that_judges_them(trained: int, histories: int, fair: bool) -> None:
    sides = {"live": side(0, 0), "candidate": side(trained, histories)}
    if fair:
        require_same_knowledge(sides, KNOWN)
        return
    with pytest.raises(CheckFailed, match="No fair comparison: candidate was trained"):
        require_same_knowledge(sides, KNOWN)

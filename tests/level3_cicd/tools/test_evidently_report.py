"""Evidently's page: the same bins and numbers as the verdicts, and nobody's text becomes a script."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from level3_cicd.drift import Window, judge
from level3_cicd.monitor import show

pytestmark = pytest.mark.thorough
EVIL = "</script><script>alert(1)</script>"
HOSTILE = "<img src=x onerror=alert(2)>"


def baskets(number: int, seed: int) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    amount = np.exp(chance.normal(2, 0.8, number))
    return pd.DataFrame(
        {
            "basket_size": chance.poisson(3, number) + 1.0,
            "amount": amount,
            "amount_per_product": amount / 3,
            "department": chance.choice([EVIL, HOSTILE, "TEA"], number),
            "hour": chance.uniform(8, 20, number),
            "store": chance.choice([EVIL, "s1"], number),
        }
    )


def test_evidently_finds_the_same_numbers_in_the_same_bins_and_shows_text_as_text(tmp_path: Path) -> None:
    from level3_cicd.tools.evidently_report import report

    current = baskets(400, seed=1)
    seen = Window(current.assign(amount=current["amount"] * 1.3), baskets(1600, seed=2))
    found = judge(seen)
    page = tmp_path / "reports" / "page.html"
    theirs = report(seen, found, page, {"ndcg_at_10": 0.2, "customers": 3.0}, title=f"Release 1.0 {EVIL}")
    assert theirs == pytest.approx({column.column: column.value for column in found})
    html = page.read_text()
    assert EVIL not in html
    assert HOSTILE not in html
    assert "TEA" in html


def test_a_page_is_made_where_nothing_can_be_judged(tmp_path: Path) -> None:
    empty = baskets(0, seed=1)
    for number, seen in enumerate([Window(empty, empty), Window(baskets(3, 1), empty), Window(empty, baskets(300, 1))]):
        page = tmp_path / f"{number}.html"
        show(seen, judge(seen), page)
        assert "too few to judge" in page.read_text()
        show(seen, judge(seen), page, {}, "A week in which nobody bought")

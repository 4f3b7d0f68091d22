"""What others wrote stays text on Evidently's page."""

from pathlib import Path

import pandas as pd
import pytest

from level3_cicd.tools.evidently_report import FEATURES, harmless, report

HARM = "</script><script>alert(1)</script>"


def test_texts_are_escaped_and_numbers_are_not() -> None:
    rows = pd.DataFrame({"department": [HARM, "A & B\x1b"], "hour": [9.0, 10.0]})
    shown = harmless(rows)
    assert not shown["department"].str.contains("[<>\x1b]").any()
    assert shown["hour"].tolist() == [9.0, 10.0]


@pytest.mark.thorough
def test_a_departments_name_is_no_script_on_the_page(tmp_path: Path) -> None:
    rows = pd.DataFrame({name: [float(number % 7) for number in range(100)] for name in FEATURES})
    rows["department"] = [HARM if number % 2 else "Dairy" for number in range(100)]
    page = tmp_path / "page.html"
    report(rows, rows, 0.2, page, {"ndcg_at_10": 0.3}, title=HARM)
    assert "<script>alert" not in page.read_text()
    assert "alert(1)" in page.read_text()

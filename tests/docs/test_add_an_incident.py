"""The example of docs/how-to/add-an-incident.md is played as it stands there, by a level that is a stand-in."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from comparison.incidents import by_name
from comparison.incidents.incident import Incident
from mlops.root import commands
from shared.dataset.feed import Feed, open_feed
from shared.places import CHECKOUT
from tests.comparison.stand_ins import with_stand_ins
from tests.conftest import FIRST_DAY

PAGE = CHECKOUT / "docs" / "how-to" / "add-an-incident.md"
START = FIRST_DAY + timedelta(days=56 + 35)


def example() -> type[Incident]:
    """The class that the page defines."""
    [code] = re.findall(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL)
    defined: dict = {}
    exec(code, defined)  # noqa: S102  the page's own code
    return defined["DoubleTill"]


def test_the_pages_example_is_listed_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = with_stand_ins(monkeypatch, tmp_path, days=56 + 35 + 28)
    monkeypatch.setattr(by_name, "INCIDENTS", (*by_name.INCIDENTS, example()))
    monkeypatch.setattr("comparison.results.INCIDENTS", by_name.INCIDENTS)
    told = CliRunner().invoke(commands, ["drill", "--list"], catch_exceptions=False).output
    assert "double-till" in told
    done = CliRunner().invoke(commands, ["drill", "double-till", "--only", "3"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "each row is delivered twice" in done.output
    played: Feed = open_feed(tmp_path / "season" / "usual" / "played" / "level3" / "home" / "shop")
    rows = {number: len(played.day(START + timedelta(days=number))) for number in range(-2, 4)}
    assert rows == {-2: 20, -1: 40, 0: 40, 1: 40, 2: 20, 3: 20}
    assert {len(feed.day(START + timedelta(days=number))) for number in range(3)} == {20}

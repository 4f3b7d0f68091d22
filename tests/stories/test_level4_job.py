"""The scheduled workflow of level 4's loop, run by act: once with days to catch up, once with an open alarm."""

from pathlib import Path

import pytest

from level3_cicd.ledger import all_rows
from level4_monitoring.loop import tick
from level4_monitoring.past import Past
from shared.dataset.clock import set_known_through
from shared.model.frecency import Frecency
from stories.local_actions import WORKFLOWS, make_scratch, run_workflow
from tests.level4_monitoring.fakes import SmallShop

pytestmark = pytest.mark.story
SCHEDULE = ("schedule", "--workflows", str(WORKFLOWS / "level4-loop.yml"), "--var", "MLOPS_RUNNER=ubuntu-latest")
SUMMARY = "## Level 4's loop"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallShop:
    """A shop that has reached day 36, with a release and that day's tick."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLOPS_ALARMS", raising=False)
    (tmp_path / "home").mkdir()
    made = SmallShop(tmp_path / "home")
    made.train("1.0", 35, Frecency())
    made.deploy("1.0", 35)
    set_known_through(made.shop, made.day(36))
    made.serve(36, "1.0")
    tick(made.day(36))
    return made


def test_missed_days_are_caught_up_and_an_open_alarm_fails_the_job(shop: SmallShop, tmp_path: Path) -> None:
    scratch, log = make_scratch(tmp_path / "scratch"), tmp_path / "log"
    for number in (37, 38):
        shop.serve(number, "1.0")
    set_known_through(shop.shop, shop.day(38))
    assert run_workflow(scratch, shop.day(38), log, SCHEDULE) == 0, log.read_text()
    past = Past(all_rows(shop.level))
    assert [row.as_of for row in past.ticks] == [shop.day(number) for number in (36, 37, 38)]
    assert "job succeeded" in log.read_text().lower()
    set_known_through(shop.shop, shop.day(39))  # nobody was served on it
    assert run_workflow(scratch, shop.day(39), log, SCHEDULE) != 0
    told = log.read_text()
    assert f"Open: missing-value since {shop.day(39)}." in told
    assert "job failed" in told.lower()

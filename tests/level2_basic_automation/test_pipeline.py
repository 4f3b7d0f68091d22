"""Level 2's story: one command, and a switch without a restart."""

import json
from datetime import date
from pathlib import Path

import pytest

from level2_basic_automation import deploy, pipeline
from level2_basic_automation.serve import PORT
from shared.errors import UsageError
from shared.service.process import start, stop
from shared.service.waiting import wait_until

pytestmark = pytest.mark.story


def test_one_command_trains_and_deploys_and_the_service_follows(home: Path) -> None:
    first = pipeline.run(home / "level2", date(2017, 6, 4))
    service = start(home / "level2", "level2_basic_automation.serve", PORT)
    try:
        assert service.recommend("7")["release"] == "1.0"
        second = pipeline.run(home / "level2", date(2017, 6, 11))
        assert wait_until(lambda: service.recommend("7")["release"] == "1.1", 10)
        deploy.deploy(home / "level2", "1.0")
        assert wait_until(lambda: service.recommend("7")["release"] == "1.0", 10)
    finally:
        stop(home / "level2")
    assert (first.release, second.release) == ("1.0", "1.1")
    manifest = json.loads((first.folder / "bundle" / "manifest.json").read_text())
    assert manifest["trained_through"] == "2017-06-04"
    assert json.loads((first.folder / "metrics.json").read_text())["ndcg_at_10"] == pytest.approx(0.2997, abs=0.001)
    with pytest.raises(UsageError, match=r"have 1\.0, 1\.1"):
        deploy.deploy(home / "level2", "1.2")

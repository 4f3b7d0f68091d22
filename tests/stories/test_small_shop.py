"""A shop of about 150 rows a day in which nothing changes: two months by `data add`, and a tick for each day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

import level4_monitoring.serve
from comparison.customers import Service, shop
from level3_cicd import deploy, pipeline
from level3_cicd.ledger import Row
from level4_monitoring import loop
from level4_monitoring.alarms import VARIABLE
from level4_monitoring.explain import tell_drift
from level4_monitoring.kept import Kept, read_kept
from mlops.root import commands
from shared.dataset.feed import Feed, open_feed
from shared.places import level_folder, shop_folder
from tests.stories.shops import LOYALTY, export

pytestmark = [pytest.mark.story, pytest.mark.long]
# January and February; then March and April.
QUIET = replace(LOYALTY, first=date(2017, 1, 1), days=59, customers=150)
ADDED = 61


def typed(*words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Row]]:
    """The decisions of the days that were added."""
    folder = tmp_path_factory.mktemp("quiet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_HOME", str(folder / "home"))
        patch.delenv(VARIABLE, raising=False)
        typed("data", "import", str(export(QUIET, folder)), *QUIET.words)
        made = pipeline.run(level_folder(4), QUIET.last)
        deploy.deploy(level_folder(4), made.release, QUIET.last)
        typed("data", "add", str(export(QUIET, folder, QUIET.days, QUIET.days + ADDED - 1)))
        yield list(play(open_feed(shop_folder())))
        typed("down")


def play(feed: Feed) -> Iterator[Row]:
    """Day after day customers ask and buy, and the loop looks at it."""
    service, today = Service(), [QUIET.last]
    service.app = level4_monitoring.serve.app(clock=lambda: today[0], log_seconds=0.0)
    for number in range(1, ADDED + 1):
        today[0] = QUIET.last + timedelta(days=number)
        shop(service, feed, today[0])
        yield loop.tick(today[0])


def kept_of(row: Row) -> Kept:
    return read_kept(row.numbers["kept"])


def test_it_is_small(rows: list[Row]) -> None:
    delivered = [kept_of(row).values["rows"] or 0.0 for row in rows]
    assert len(rows) == ADDED
    assert 100 < sum(delivered) / len(delivered) < 200


def test_nothing_drifts(rows: list[Row]) -> None:
    assert [alarm for row in rows for alarm in kept_of(row).alarms if alarm.kind == "drift"] == []


def test_no_day_is_in_quarantine_and_quality_is_no_alarm(rows: list[Row]) -> None:
    kinds = {alarm.kind for row in rows for alarm in kept_of(row).alarms}
    assert not kinds & {"quarantine", "quality", "skew", "fallbacks", "errors"}


def test_it_says_what_it_cannot_see(rows: list[Row]) -> None:
    first, last = rows[0].numbers["told"], rows[-1].numbers["told"]
    assert "not armed" in first[0]
    assert "assortment alarm not armed" in first[1]
    assert "finds" in last[0]
    assert all(tell_drift(kept_of(row)) for row in rows)

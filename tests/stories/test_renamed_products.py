"""Half of the products get new numbers: change, not damage, and what is trained on it passes level 3's validation."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

import level4_monitoring.serve
from comparison.customers import Service, shop
from level3_cicd import deploy, pipeline
from level3_cicd.ledger import Row, all_rows
from level4_monitoring import loop
from level4_monitoring.alarms import VARIABLE
from level4_monitoring.kept import read_kept
from level4_monitoring.past import DECIDE
from mlops.root import commands
from shared.columns import PRODUCT
from shared.dataset.feed import Feed, open_feed
from shared.places import level_folder, shop_folder
from stories.level4 import GrowingShop, as_it_is, story_limits

pytestmark = [pytest.mark.story, pytest.mark.long]
BEGINS = date(2017, 4, 10)
DAYS = 28


def renamed(rows: pd.DataFrame) -> pd.DataFrame:
    """A day on which every other product has a new number."""
    code = rows[PRODUCT].astype(str)
    return rows.assign(**{PRODUCT: code.where(code.str[-1].isin(list("02468")), "9" + code)})


@dataclass
class Played:
    """What the loop wrote of the days, and how many days it was."""

    rows: list[Row]

    def of(self, step: str) -> list[Row]:
        return [row for row in self.rows if row.step == step and row.as_of >= BEGINS]


@pytest.fixture(scope="module")
def played(real_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_HOME", str(tmp_path_factory.mktemp("renamed")))
        patch.delenv(VARIABLE, raising=False)
        logging.getLogger("level4").setLevel(logging.ERROR)
        growing, today = GrowingShop(open_feed(real_shop), shop_folder()), [BEGINS]
        growing.open_with(BEGINS - timedelta(days=1))
        products = growing.real.products()  # the catalogue knows the new numbers before they are sold
        both = pd.concat([products, renamed(products)]).drop_duplicates(PRODUCT)
        both.to_parquet(growing.folder / "products.parquet", index=False)
        made = pipeline.run(level_folder(4), BEGINS - timedelta(days=1))
        deploy.deploy(level_folder(4), made.release, BEGINS - timedelta(days=1))
        service = Service()
        service.app = level4_monitoring.serve.app(clock=lambda: today[0], log_seconds=0.0)
        for number in range(DAYS):
            today[0] = BEGINS + timedelta(days=number)
            growing.arrive(today[0], renamed if number else as_it_is)
            shop(service, Feed(growing.folder), today[0])
            loop.tick(today[0], story_limits())
        yield Played(all_rows(level_folder(4)))
        commands(["down"], standalone_mode=False)


def test_no_day_is_in_quarantine_and_the_change_is_told(played: Played) -> None:
    assert [row.verdict for row in played.of("ingest")] == ["taken"] * DAYS
    told = {alarm.kind for row in played.of(DECIDE) for alarm in read_kept(row.numbers["kept"]).alarms}
    assert "change" in told


def test_what_was_trained_on_it_was_validated_and_judged(played: Played) -> None:
    """The gate judges only what level 3's validation let pass."""
    trainings = [row for row in played.of(DECIDE) if row.verdict == "retrain"]
    judged = [row for row in played.of("gate") if row.actor != "operator"]
    assert len(trainings) >= 2
    assert len(judged) == len(trainings)
    assert (judged[-1].as_of - BEGINS).days >= 14

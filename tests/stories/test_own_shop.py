"""Anybody's shop goes through all four levels: a wholesaler's year, in the layout of the UCI's Online Retail II."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from comparison.customers import Service, shop
from level2_basic_automation import pipeline as level2_pipeline
from level2_basic_automation.serve import app as level2_app
from level3_cicd import deploy, ledger
from level3_cicd import pipeline as level3_pipeline
from level3_cicd.monitor import monitor
from level3_cicd.serve import app as level3_app
from level4_monitoring import loop
from level4_monitoring.serve import app as level4_app
from shared.dataset.feed import open_feed
from shared.dataset.purchases import purchases

AS_OF = date(2010, 10, 10)
CUSTOMERS, PRODUCTS, LINES = 1500, 2000, 210_000
COLUMNS = "--customer|Customer ID|--product|StockCode|--time|InvoiceDate|--basket|Invoice|--quantity|Quantity"


def write_export(path: Path) -> Path:
    """A year of 210,000 lines: closed on Saturdays, one line in five without a customer, some invoices cancelled."""
    chance = np.random.default_rng(11)
    days = [day for day in pd.date_range("2009-12-01", "2010-11-30") if day.dayofweek != 5]
    size = LINES // 20
    invoice = np.repeat(np.arange(size), 20)
    day = np.sort(chance.integers(0, len(days), size))
    minute = chance.integers(9 * 60, 17 * 60, size)
    customer = chance.zipf(1.3, size) % CUSTOMERS
    # Two lines in three come from a customer's own range of 25 products, the others from what all buy.
    own = (customer[invoice] * 37 + chance.integers(0, 25, LINES)) % PRODUCTS
    product = np.where(chance.random(LINES) < 0.66, own, chance.zipf(1.2, LINES) % PRODUCTS)
    cancelled = chance.random(size)[invoice] < 0.02
    quantity = chance.integers(1, 25, LINES) * np.where(cancelled, -1, 1)
    known = chance.random(size)[invoice] >= 0.2
    number = pd.Series(489434 + invoice).astype(str)
    code = pd.Series(10000 + product).astype(str)
    time = pd.DatetimeIndex(days)[day] + pd.to_timedelta(minute, unit="min")
    table = pd.DataFrame(
        {
            "Invoice": number.mask(cancelled, "C" + number),
            "StockCode": code.mask(product % 3 == 0, code + "A"),
            "Description": "ITEM No. " + code,
            "Quantity": quantity,
            "InvoiceDate": time[invoice],
            "Price": (product % 90 + 10) / 10,
            "Customer ID": np.where(known, 12346.0 + customer[invoice], np.nan),
            "Country": np.where(customer[invoice] % 10, "United Kingdom", "France"),
        }
    )
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home that holds the wholesaler's shop, imported by the command."""
    folder = tmp_path_factory.mktemp("own")
    export = write_export(folder / "online_retail_II.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_HOME", str(folder / "home"))
        words = [*COLUMNS.split("|"), "--price", "Price", "--store", "Country", "--name", "Description"]
        command = [sys.executable, "-m", "mlops", "data", "import", str(export), *words, "--accept-loss"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "210,000 rows read" in told
        yield folder / "home"


@pytest.fixture(scope="module")
def customer(home: Path) -> str:
    """The customer who bought most often."""
    return str(purchases(open_feed(home / "shop").through(AS_OF))["customer_id"].mode()[0])


def recommended(service: Service, customer: str) -> set[str]:
    """The products on a customer's list."""
    return set(service.ask([customer])["product_id"])


pytestmark = pytest.mark.story


def test_the_export_was_taken(home: Path) -> None:
    feed = open_feed(home / "shop")
    left_out = feed.about["import"]["left_out"]
    assert set(left_out) == {"no customer", "cancelled"}
    assert feed.about["import"]["taken"] + sum(left_out.values()) == 210_000
    assert not any(day.weekday() == 5 for day in feed.days)


def test_level_1_recommends(home: Path, customer: str) -> None:
    command = [sys.executable, "-m", "stories.level1", "--as-of", str(AS_OF), "--customer", customer]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "ITEM No. " in told.split("now recommended")[1]
    assert "bought " in told.split("now recommended")[1]


def test_level_2_recommends(home: Path, customer: str) -> None:
    made = level2_pipeline.run(home / "level2", AS_OF)
    assert made.warnings == 0
    service = Service()
    service.app = level2_app()
    day = shop(service, open_feed(home / "shop"), AS_OF + timedelta(days=1))
    assert day.ndcg > 0.1
    assert len(recommended(service, customer)) == 10


def test_level_3_recommends_and_reports(home: Path, customer: str) -> None:
    entry = level3_pipeline.run(home / "level3", AS_OF)
    deploy.deploy(home / "level3", entry.release, AS_OF)
    service = Service()
    service.app = level3_app()
    assert shop(service, open_feed(home / "shop"), AS_OF + timedelta(days=1)).ndcg > 0.1
    assert len(recommended(service, customer)) == 10
    assert monitor(home / "level3", open_feed(home / "shop"), AS_OF).drifted == []


def test_level_4_runs_for_nine_days_of_which_one_is_closed(home: Path, customer: str) -> None:
    level, feed = home / "level4", open_feed(home / "shop")
    entry = level3_pipeline.run(level, AS_OF)
    deploy.deploy(level, entry.release, AS_OF)
    today = AS_OF
    service = Service()
    service.app = level4_app(clock=lambda: today)
    decisions = {}
    for number in range(1, 10):
        today = AS_OF + timedelta(days=number)
        shop(service, feed, today)
        decisions[today] = loop.tick(today)
    assert len(recommended(service, customer)) == 10
    open_days = [row for day, row in decisions.items() if day in feed.days]
    assert len(open_days) == 8
    assert all(row.numbers["kept"]["values"]["ndcg"] > 0.1 for row in open_days)
    assert "retrain" in [row.verdict for row in decisions.values()]
    assert [row.verdict for row in ledger.verdicts_of_gate(level)] == ["passed", "passed"]

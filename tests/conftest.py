"""Homes for tests: the real year is prepared once, each test gets a folder of its own."""

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from shared.columns import AMOUNT, BASKET, CUSTOMER, DEPARTMENT, NAME, PRODUCT, QUANTITY, STORE, TIME
from shared.dataset.feed import Feed, open_feed
from shared.dataset.writing import write_feed

FIRST_DAY = date(2017, 1, 1)
# Shops that tests have copies of, by name.
WRITTEN: dict[str, Path] = {}


def pytest_configure() -> None:
    """A run that a test plays is none of the workflow that the tests run in: its outputs and summary stay empty."""
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)


def pytest_sessionfinish() -> None:
    """Prefect's temporary server says goodbye to streams that pytest has closed by then."""
    logging.raiseExceptions = False


@pytest.fixture(scope="session")
def real_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real year as a feed, prepared once for all tests."""
    shop = tmp_path_factory.mktemp("real") / "shop"
    open_feed(shop)
    return shop


@pytest.fixture(scope="session")
def new_home(real_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes homes that hold the real shop and nothing else, and points MLOPS_HOME to them."""

    def make() -> Path:
        home = tmp_path_factory.mktemp("home")
        shutil.copytree(real_shop, home / "shop", copy_function=os.link)
        os.environ["MLOPS_HOME"] = str(home)
        return home

    return make


@pytest.fixture
def home(new_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    monkeypatch.setenv("MLOPS_HOME", "")
    folder = new_home()
    monkeypatch.setenv("MLOPS_HOME", str(folder))
    return folder


def make_transactions(customers: int = 20, products: int = 20, days: int = 40) -> pd.DataFrame:
    """The checkerboard: even customers buy even products, odd ones odd products, one a day in turn.

    The right answer is known: a customer's list holds products of their own colour only.
    """
    return checkerboard(customers, products, days).copy()


@cache
def checkerboard(customers: int, products: int, days: int) -> pd.DataFrame:
    """The checkerboard, made once for all tests."""
    rows = []
    for day in range(days):
        for customer in range(customers):
            product = (2 * day + customer) % products
            product += (customer - product) % 2
            time = pd.Timestamp(FIRST_DAY + timedelta(days=day)) + pd.Timedelta(hours=10)
            rows.append((f"c{customer:02}", f"b{day}-{customer}", f"p{product:02}", f"s{customer % 4}", time, 1.0, 2.0))
    columns = [CUSTOMER, BASKET, PRODUCT, STORE, TIME, QUANTITY, AMOUNT]
    return pd.DataFrame(rows, columns=columns).astype({TIME: "datetime64[ms]"})


def make_products(products: int = 20) -> pd.DataFrame:
    """The checkerboard's catalogue."""
    identifiers = [f"p{product:02}" for product in range(products)]
    return pd.DataFrame({PRODUCT: identifiers, NAME: [f"Product {at}" for at in identifiers], DEPARTMENT: "ALL"})


def write_checkerboard(shop: Path, customers: int = 20, days: int = 40) -> Feed:
    """Write the checkerboard as a shop: a copy of one that is written once for all tests."""
    return copy_shop(f"checkerboard {customers} {days}", shop, lambda: make_transactions(customers, days=days))


def copy_shop(name: str, shop: Path, transactions: Callable[[], pd.DataFrame], products: int = 20) -> Feed:
    """A copy of the shop of that name, which is written the first time."""
    if name not in WRITTEN:
        folder = Path(tempfile.mkdtemp(prefix="shop-"))
        atexit.register(shutil.rmtree, folder)
        write_feed(folder / "shop", transactions(), make_products(products), name=name.split()[0])
        WRITTEN[name] = folder / "shop"
    shutil.copytree(WRITTEN[name], shop)
    return open_feed(shop)


@pytest.fixture
def transactions() -> pd.DataFrame:
    """The checkerboard."""
    return make_transactions()


@pytest.fixture
def products() -> pd.DataFrame:
    """The checkerboard's catalogue."""
    return make_products()

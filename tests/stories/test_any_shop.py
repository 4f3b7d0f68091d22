"""Shops of unlike habits go from their own file to a recommendation at each level, and through the comparison."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from shared.columns import CUSTOMER
from shared.dataset.feed import open_feed
from tests.stories.shops import LOYALTY, SHOPS, Shop, export

pytestmark = [pytest.mark.story, pytest.mark.long]


def mlops(home: Path, *words: str, expected: int = 0) -> str:
    """What a command prints, which ends with the expected exit code."""
    command = [sys.executable, "-m", "mlops", *words]
    return typed(home, command, expected)


def typed(home: Path, command: list[str], expected: int = 0) -> str:
    """What a program prints on stdout."""
    environment = {**os.environ, "MLOPS_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=SHOPS, ids=lambda shop: shop.name)
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Shop]]:
    """A home that holds a shop, imported from its own file."""
    shop: Shop = request.param
    folder = tmp_path_factory.mktemp(shop.name)
    told = mlops(folder / "home", "data", "import", str(export(shop, folder)), *shop.words)
    assert f"to {shop.last}" in told
    yield folder / "home", shop
    mlops(folder / "home", "down")


def recommended(home: Path, level: int, shop: Shop) -> list[str]:
    """The products that a level recommends to a customer of the shop."""
    answer = json.loads(mlops(home, "--level", str(level), "ask", shop.customer, "-k", "10", "--json"))
    return [item["name"] for item in answer["recommendations"]]


def release(home: Path, level: int, as_of: date) -> None:
    """Train a release of a level and make it live."""
    mlops(home, "--level", str(level), "pipeline", "run", "--as-of", str(as_of))
    if level > 2:
        mlops(home, "--level", str(level), "deploy", "model", "--version", "candidate", "--as-of", str(as_of))


def test_every_customer_is_kept_apart(own: tuple[Path, Shop]) -> None:
    home, shop = own
    feed = open_feed(home / "shop")
    known = set(feed.through(feed.last_day)[CUSTOMER])
    assert len(known) == shop.customers
    assert shop.customer in known
    assert set(feed.about["import"]["left_out"]) == shop.left_out
    assert (feed.first_day, feed.last_day) == (shop.first, shop.last)


def test_level_1_recommends(own: tuple[Path, Shop]) -> None:
    home, shop = own
    words = ["--as-of", str(shop.last), "--customer", shop.customer]
    told = typed(home, [sys.executable, "-m", "stories.level1", *words])
    assert "bought " in told.split("now recommended")[1]


@pytest.mark.parametrize("level", [2, 3, 4])
def test_a_level_recommends(own: tuple[Path, Shop], level: int) -> None:
    home, shop = own
    release(home, level, shop.last - timedelta(days=3))
    assert len(set(recommended(home, level, shop))) == 10


def test_level_4_watches_the_next_days(own: tuple[Path, Shop]) -> None:
    home, shop = own
    for days_before in (2, 1, 0):
        mlops(home, "--level", "4", "monitor", "model", "--as-of", str(shop.last - timedelta(days=days_before)))


def test_the_shop_grows_and_each_level_takes_the_new_days_in(own: tuple[Path, Shop]) -> None:
    home, shop = own
    if shop is not LOYALTY:
        pytest.skip("one shop grows; the others are played through the comparison as they are")
    later = export(shop, home.parent, shop.days, shop.days + 6)
    last = shop.last + timedelta(days=7)
    assert f"7 new days, {shop.last + timedelta(days=1)} to {last}" in mlops(home, "data", "add", str(later))
    assert "added already" in mlops(home, "data", "add", str(later))
    typed(home, [sys.executable, "-m", "stories.level1", "--as-of", str(last), "--customer", shop.customer])
    for level in (2, 3, 4):
        release(home, level, last)
        assert len(set(recommended(home, level, shop))) == 10


def test_the_comparison_plays_all_levels(own: tuple[Path, Shop]) -> None:
    home, _shop = own
    told = mlops(home, "compare", "--demo")
    assert "served NDCG@10" in told
    assert "None" not in told
    assert "nan" not in told

"""What being old costs, on a shop whose customers change what they buy."""

import pickle
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from comparison.incidents.by_name import make
from comparison.staleness import Nightly, Staleness, live_model
from comparison.world import World
from shared.columns import CUSTOMER, PRODUCT, TIME
from shared.dataset.feed import open_feed
from shared.dataset.writing import write_feed
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to
from tests.conftest import FIRST_DAY, make_products, make_transactions

OLD, DAY = FIRST_DAY + timedelta(days=10), FIRST_DAY + timedelta(days=39)


@pytest.fixture
def world(tmp_path: Path) -> World:
    rows = make_transactions()
    later = rows[TIME] >= pd.Timestamp(OLD + timedelta(days=1))
    # From then on each buys the same thing every day, which they never bought before.
    rows.loc[later, PRODUCT] = "q" + rows.loc[later, CUSTOMER].str[-1]
    write_feed(tmp_path / "shop", rows, make_products(), name="checkerboard")
    feed = open_feed(tmp_path / "shop")
    return World(feed, make("nothing", DAY, feed))


def deploy(level: Path, model: Frecency) -> None:
    digest = write_bundle(level / "bundle", model, make_products(), Evidence("data", "code"))
    point_to(level, Pointer("1.0", "bundle", digest))


def test_fresh_histories_and_fresh_parameters_are_told_apart(world: World, tmp_path: Path) -> None:
    deploy(tmp_path / "level3", Frecency().fit(world.feed.through(OLD), as_of=OLD))
    found = Staleness(world).measure(3, tmp_path / "level3", DAY)
    assert found["fresh_histories"] == pytest.approx(20.0)  # each of 20 gets it first
    assert found["fresh_parameters"] == pytest.approx(20.0)
    assert Staleness(world).measure(3, tmp_path / "nothing", DAY) == {}


def test_level_1s_model_is_read_as_its_service_reads_it(world: World, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    assert live_model(1, tmp_path) is None
    model = Frecency().fit(world.feed.through(OLD), as_of=OLD)
    (tmp_path / "server" / "model.pkl").write_bytes(pickle.dumps((model, {})))
    found = live_model(1, tmp_path)
    assert isinstance(found, Frecency)
    assert found.trained_through_ == OLD


def test_the_nightly_model_carries_histories_forward_and_goes_back_if_it_must(world: World) -> None:
    nightly = Nightly(world)
    later = nightly.ndcg(DAY)
    assert nightly.ndcg(DAY) == later
    assert nightly.ndcg(DAY - timedelta(days=7)) == Nightly(world).ndcg(DAY - timedelta(days=7))
    assert nightly.ndcg(DAY) == later
    assert nightly.ndcg(DAY + timedelta(days=99)) == 0.0  # nobody shops

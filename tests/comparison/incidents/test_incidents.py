"""What each incident does, on a small shop; none of them knows a level."""

import os
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from comparison.incidents.by_name import INCIDENTS, kind_of, make
from comparison.incidents.incident import Answer, Incident
from comparison.incidents.several import Several
from comparison.world import World
from shared.columns import CUSTOMER, PRODUCT
from shared.dataset.feed import Feed, open_feed
from shared.errors import UsageError
from tests.conftest import FIRST_DAY, make_products, write_checkerboard

STRIKE = FIRST_DAY + timedelta(days=30)
BEFORE = STRIKE - timedelta(days=1)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    shop = tmp_path_factory.mktemp("shop") / "shop"
    write_checkerboard(shop)
    return open_feed(shop)


def answer(products: list[str], digest: str = "digest", live: str = "digest", sold: set[str] = frozenset()) -> Answer:
    return Answer(products, digest, live, frozenset(sold))


def test_the_control_does_nothing(feed: Feed) -> None:
    world = World(feed, make("nothing", STRIKE, feed))
    assert world.delivered(STRIKE) is None
    assert world.rows(STRIKE).equals(feed.day(STRIKE))
    assert world.incident.strikes_on(STRIKE) == "nothing"
    assert not world.incident.is_bad(answer(["p00"]))
    assert world.incident.asked(STRIKE).right


def test_a_release_is_cut_once_and_other_names_of_the_file_keep_it_whole(tmp_path: Path) -> None:
    stored, checkpoint = tmp_path / "bundle", tmp_path / "checkpoint.npz"
    stored.mkdir()
    (stored / "large.npz").write_bytes(b"0123456789")
    (stored / "small").write_bytes(b"x")
    os.link(stored / "large.npz", checkpoint)
    incident = kind_of("cut-bundle")(STRIKE)
    incident.release_waits(BEFORE, "too early", stored)
    assert (stored / "large.npz").read_bytes() == b"0123456789"
    incident.release_waits(STRIKE + timedelta(days=2), "cut", stored)
    incident.release_waits(STRIKE + timedelta(days=3), "next", stored)
    assert (stored / "large.npz").read_bytes() == b"01234"
    assert checkpoint.read_bytes() == b"0123456789"
    assert incident.is_bad(answer([], "cut"))
    assert not incident.is_bad(answer([], "next"))
    assert [incident.strikes_on(STRIKE + timedelta(days=number)) for number in (1, 2)] == ["", "cut"]


def test_a_cut_file_is_known_by_its_own_bytes_so_a_sound_copy_is_not_bad(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"0123456789")
    incident = kind_of("cut-bundle")(STRIKE)
    incident.release_waits(STRIKE, "digest of the whole", tmp_path / "model.pkl")
    assert not incident.is_bad(answer([], "digest of the whole"))
    assert incident.is_bad(answer([], sha256(b"01234").hexdigest()))


@pytest.mark.parametrize(
    "written", ["popular_weight = 2.0", "POPULAR_WEIGHT = 2", "half_life = 84\npopular_weight = 2.0"]
)
def test_a_number_is_mistyped_where_it_stands(tmp_path: Path, written: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"{written}\n# popular_weight = 2.0 as ever\n")
    incident = kind_of("typo")(STRIKE)
    incident.night_before(BEFORE, [file], lambda: False)
    assert "200" not in file.read_text()
    incident.night_before(STRIKE, [file], lambda: False)
    assert file.read_text().count("200") == 1
    incident.release_waits(STRIKE, "trained so", tmp_path)
    assert incident.is_bad(answer([], "trained so"))
    assert not incident.is_bad(answer([]))
    assert incident.strikes_on(STRIKE) == "configuration"


def test_a_configuration_without_the_number_is_not_struck(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("half_life = 84.0\n")
    incident = kind_of("typo")(STRIKE)
    incident.night_before(STRIKE, [tmp_path / "config.toml"], lambda: False)
    assert not incident.struck


def test_a_service_goes_deaf_once_it_runs_and_administrators_restart_it() -> None:
    incident = kind_of("deaf-service")(STRIKE)
    assert not incident.is_bad(answer([], "old", "new"))
    incident.night_before(STRIKE, [], lambda: False)
    assert not incident.asked(STRIKE).restart
    incident.night_before(STRIKE, [], lambda: True)
    assert incident.is_bad(answer([], "old", "new"))
    assert not incident.is_bad(answer([], "new", "new"))
    assert incident.asked(STRIKE).restart


def test_product_numbers_change_in_the_files_alone_until_the_supplier_was_asked(feed: Feed) -> None:
    world = World(feed, make("renumbered-products", STRIKE, feed))
    told = world.delivered(BEFORE)  # its file comes in the night before day 0
    assert told is not None
    assert set(told[PRODUCT]) == {f"0{name}" for name in feed.day(BEFORE)[PRODUCT]}
    assert world.delivered(BEFORE - timedelta(days=1)) is None
    assert world.bought(STRIKE)[PRODUCT].isin(make_products()[PRODUCT]).all()
    assert world.incident.is_bad(answer(["0p00"], sold={"p00"}))
    assert not world.incident.is_bad(answer(["p00"], sold={"p00"}))
    said = world.incident.asked(STRIKE + timedelta(days=2))
    assert said.bring_again == tuple(BEFORE + timedelta(days=number) for number in range(3))
    assert world.delivered(STRIKE) is None  # now that it is brought again
    assert world.incident.asked(STRIKE + timedelta(days=9)).right


def test_a_new_assortment_changes_world_deliveries_and_catalogue_alike(feed: Feed) -> None:
    world = World(feed, make("new-assortment", STRIKE, feed))
    assert world.delivered(BEFORE) is None
    sold, catalogue = set(world.rows(STRIKE)[PRODUCT]), set(world.catalogue(STRIKE)[PRODUCT])
    assert set(feed.day(BEFORE)[PRODUCT]) <= catalogue  # days that were delivered before stay readable
    assert sold <= catalogue
    assert sum(name.startswith("N") for name in catalogue) == 6  # of 20
    told = world.delivered(STRIKE)
    assert told is not None
    assert told.equals(world.rows(STRIKE))
    assert set(world.catalogue(BEFORE)[PRODUCT]) == set(make_products()[PRODUCT])
    assert not world.sells(STRIKE) & set(world.incident.successors)  # type: ignore[attr-defined]


def test_half_of_the_customers_exchange_their_numbers(feed: Feed) -> None:
    world = World(feed, make("reissued-cards", STRIKE, feed))
    numbers = world.incident.numbers  # type: ignore[attr-defined]
    assert set(numbers) == set(numbers.values())
    assert len(numbers) == 10
    assert all(old != new for old, new in numbers.items())
    assert sorted(world.rows(STRIKE)[CUSTOMER]) == sorted(feed.day(STRIKE)[CUSTOMER])


def test_every_customer_has_a_new_number(feed: Feed) -> None:
    world = World(feed, make("renumbered-cards", STRIKE, feed))
    assert world.bought(STRIKE)[CUSTOMER].str.startswith("R").all()
    assert not world.bought(BEFORE)[CUSTOMER].str.startswith("R").any()


@pytest.mark.parametrize("name", [kind.name for kind in INCIDENTS])
def test_the_same_name_day_and_seed_do_the_same_and_nothing_before_the_strike(feed: Feed, name: str) -> None:
    one, other = (World(feed, make(name, STRIKE, feed)) for _ in range(2))
    for number in range(-3, 3):
        day = STRIKE + timedelta(days=number)
        assert one.rows(day).equals(other.rows(day))
        assert one.known_through(day).equals(other.known_through(day))
        if number < -1:
            assert one.delivered(day) is None
            assert one.rows(day).equals(feed.day(day))


def test_an_unknown_incident_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"no incident 'cut-bundel'(.|\n)*mean cut-bundle(.|\n)*renumbered-cards"):
        kind_of("cut-bundel")


class Noted(Incident):
    """Notes what it is asked."""

    name = "noted"
    door = "release"

    def release_waits(self, day: date, digest: str, stored: Path) -> None:
        self.struck[day] = digest


def test_several_incidents_are_each_asked_and_their_words_put_together(feed: Feed, tmp_path: Path) -> None:
    renumbered = make("renumbered-products", STRIKE, feed)
    deaf = make("deaf-service", STRIKE, feed)
    both = Several(STRIKE, incidents=(Noted(STRIKE), renumbered, deaf))
    both.night_before(STRIKE, [], lambda: True)
    both.release_waits(STRIKE, "digest", tmp_path)
    assert both.strikes_on(STRIKE) == "noted renumbered-products deaf-service"
    assert both.is_bad(answer(["0p00"], sold={"p00"}))
    assert not both.is_bad(answer([]))
    rows = feed.day(STRIKE)
    assert isinstance(both.delivery(STRIKE, rows), pd.DataFrame)
    assert both.alters_delivery(STRIKE)
    said = both.asked(STRIKE + timedelta(days=1))
    assert (said.right, said.restart, len(said.bring_again)) == (False, True, 2)
    assert not both.alters_delivery(STRIKE + timedelta(days=1))

"""A level's state is of one shop: another shop sets it aside, whole, and says so."""

import json
from pathlib import Path

import pytest
from filelock import FileLock

from shared.dataset.writing import write_feed
from shared.errors import Locked
from shared.places import set_aside
from shared.service.belonging import MARK, settle
from tests.conftest import make_products, make_transactions


def open_shop(home: Path, name: str, customers: int) -> Path:
    """Let another shop take the place of the one that is here."""
    set_aside(home / "shop")
    write_feed(home / "shop", make_transactions(customers), make_products(), name=name)
    return home / "shop"


@pytest.fixture
def level(tmp_path: Path) -> Path:
    """A level that holds something made of the first shop."""
    folder = tmp_path / "level3"
    settle(folder, open_shop(tmp_path, "first", 6))
    (folder / "ledger.db").write_text("rows")
    return folder


def test_the_same_shop_changes_nothing(tmp_path: Path, level: Path) -> None:
    assert settle(level, tmp_path / "shop") == ""
    assert settle(level, open_shop(tmp_path, "first", 6)) == ""
    assert (level / "ledger.db").exists()


def test_another_shop_sets_the_level_aside_in_words(
    tmp_path: Path, level: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = settle(level, open_shop(tmp_path, "second", 8))
    aside = tmp_path / "aside" / "level3-1"
    assert "made of the shop 'first'" in told
    assert str(aside) in told
    assert told in capsys.readouterr().err
    assert (aside / "ledger.db").read_text() == "rows"
    assert [path.name for path in level.iterdir()] == [MARK]
    assert json.loads((level / MARK).read_text())["name"] == "second"


def test_state_of_an_earlier_version_is_taken_to_be_of_this_shop(tmp_path: Path, level: Path) -> None:
    (level / MARK).unlink()
    assert settle(level, tmp_path / "shop") == ""
    assert (level / MARK).exists()


def test_nothing_is_moved_while_somebody_is_at_work(tmp_path: Path, level: Path) -> None:
    shop = open_shop(tmp_path, "second", 8)
    with FileLock(level / ".pipeline.lock"), pytest.raises(Locked):
        settle(level, shop)
    assert (level / "ledger.db").exists()

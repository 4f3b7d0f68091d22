"""What version 0.1.0 wrote is refused in words and set aside whole; what a newer version wrote is refused."""

import json
import shutil
from pathlib import Path

import pytest

from shared.dataset.clock import known_through
from shared.dataset.feed import open_feed
from shared.errors import UsageError
from shared.places import CHECKOUT
from shared.release.pointer import readable_pointer
from shared.release.state_version import (
    BUNDLE_FORMAT,
    POINTER_FORMAT,
    format_in,
    require_this_version,
    set_older_aside,
    written_by_older,
)

OLD = CHECKOUT / "tests" / "fixtures" / "v0.1.0"
LEVELS = ["level2", "level3", "level4"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copytree(OLD, tmp_path / "home")
    return tmp_path / "home"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_of_an_older_version_is_refused_and_set_aside_with_all_that_it_held(home: Path, level: str) -> None:
    before = contents(home / level)
    with pytest.raises(UsageError, match=r"older version(.|\n)*mlops doctor --fix"):
        require_this_version(home / level)
    assert "aside" in set_older_aside(home / level)
    assert not (home / level).exists()
    assert contents(home / "aside" / f"{level}-1") == before
    require_this_version(home / level)


def test_a_shop_of_an_older_version_is_read_with_the_day_that_it_had_reached(home: Path) -> None:
    feed = open_feed(home / "shop")
    assert (len(feed.days), known_through(home / "shop").isoformat()) == (8, "2017-01-07")
    assert len(feed.through(feed.last_day)) == 48


def test_bundles_alone_tell_their_version(home: Path) -> None:
    (home / "level3" / "live.json").unlink()
    assert "is a bundle of format 4" in written_by_older(home / "level3")


def test_a_pointer_of_a_newer_version_is_not_taken_for_damaged(home: Path) -> None:
    pointer = home / "level2" / "live.json"
    pointer.write_text(json.dumps(json.loads(pointer.read_bytes()) | {"format": 99}))
    with pytest.raises(UsageError, match="written by a newer version"):
        readable_pointer(home / "level2")


@pytest.mark.parametrize(
    ("content", "found"),
    [('{"format": 3}', 3), ("{}", 1), ('{"format": "3"}', 3), ("[]", None), ("null", None), ("{", None)],
)
def test_the_format_in_a_file(tmp_path: Path, content: str, found: int | None) -> None:
    (tmp_path / "file").write_text(content)
    assert format_in(tmp_path / "file") == found
    assert format_in(tmp_path / "nothing") is None


@pytest.mark.parametrize("place", ["bundles/1.0/manifest.json", "runs/a/bundle/manifest.json"])
def test_only_an_older_bundle_is_told_wherever_it_lies(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    for version in (BUNDLE_FORMAT, BUNDLE_FORMAT + 1):
        (tmp_path / place).write_text(json.dumps({"format": version}))
        assert written_by_older(tmp_path) == ""
    (tmp_path / place).write_text(json.dumps({"format": BUNDLE_FORMAT - 1}))
    assert written_by_older(tmp_path) == (
        f"{(tmp_path / place).parent} is a bundle of format {BUNDLE_FORMAT - 1}; this version opens {BUNDLE_FORMAT}"
    )


def test_only_an_older_pointer_is_told(tmp_path: Path) -> None:
    for version, told in (
        (POINTER_FORMAT, ""),
        (POINTER_FORMAT + 1, ""),
        (POINTER_FORMAT - 1, "live.json is of format 1"),
    ):
        (tmp_path / "live.json").write_text(json.dumps({"format": version}))
        assert (told in written_by_older(tmp_path)) if told else not written_by_older(tmp_path)

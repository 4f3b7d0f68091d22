"""The pointer and its follower: a switch is atomic, and what does not open is refused."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from comparison.incidents.cut_bundle import cut
from shared.errors import IntegrityError, UsageError
from shared.model.frecency import Frecency
from shared.model.histories import Histories
from shared.release import mapped
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import digest_of
from shared.release.pointer import (
    Pointer,
    go_back,
    point_to,
    prepare_to_go_back,
    read_good,
    read_pointer,
    remember_good,
    require_pointer,
)
from shared.service import follower
from shared.service.follower import Follower


@pytest.fixture
def level(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> Path:
    for release in ("1.0", "1.1"):
        write_bundle(tmp_path / release, Frecency().fit(transactions), products, Evidence("data", "code"))
    return tmp_path


def pointer(level: Path, release: str) -> Pointer:
    return Pointer(release, release, digest_of(level / release))


def test_each_switch_counts_one_up(level: Path) -> None:
    assert [point_to(level, pointer(level, release)).sequence for release in ("1.0", "1.1", "1.0")] == [1, 2, 3]


def test_the_follower_takes_over_a_new_release(level: Path) -> None:
    point_to(level, pointer(level, "1.0"))
    service = Follower(level)
    service.follow()
    point_to(level, pointer(level, "1.1"))
    service.follow()
    assert service.live is not None
    assert (service.live.release, service.error) == ("1.1", "")


def test_the_follower_keeps_the_last_good_release_and_says_why(level: Path) -> None:
    told: list[str] = []
    service = Follower(level, on_error=told.append)
    point_to(level, pointer(level, "1.0"))
    service.follow()
    cut(level / "1.1")
    point_to(level, pointer(level, "1.1"))
    service.follow()
    service.follow()
    assert service.live is not None
    assert service.live.release == "1.0"
    assert str(level / "1.1") in service.error
    assert len(told) == 1


def test_a_pointer_that_is_gone_changes_nothing_but_is_told(level: Path) -> None:
    service = Follower(level)
    service.follow()
    assert (service.live, service.error) == (None, "")
    point_to(level, pointer(level, "1.0"))
    service.follow()
    (level / "live.json").unlink()
    service.follow()
    assert service.live is not None
    assert "live.json is gone; 1.0 goes on" in service.error


def test_a_service_starts_from_the_last_good_release_if_the_pointer_is_gone(level: Path) -> None:
    remember_good(level, point_to(level, pointer(level, "1.0")))
    (level / "live.json").unlink()
    started = Follower(level, remember=True)
    started.follow()
    assert started.live is not None
    assert (started.live.release, "is gone" in started.error) == ("1.0", True)


def test_where_nothing_is_to_be_live_a_running_service_answers_no_more(level: Path) -> None:
    first = point_to(level, pointer(level, "1.0"))
    remember_good(level, first)
    service = Follower(level, remember=True)
    service.follow()
    prepare_to_go_back(level, None)
    go_back(level, first)
    service.follow()
    assert (service.live, service.error, read_pointer(level)) == (None, "", None)
    started = Follower(level, remember=True)
    started.follow()
    assert started.live is None
    point_to(level, pointer(level, "1.0"))
    service.follow()
    assert service.live is not None


def test_the_last_two_good_releases_are_remembered(level: Path) -> None:
    for release in ("1.0", "1.1", "1.1", "1.0", "1.1"):
        remember_good(level, pointer(level, release))
    assert [good.release for good in read_good(level)] == ["1.1", "1.0"]
    (level / "last_good.json").write_text("[{")
    assert read_good(level) == []


def test_a_damaged_pointer_can_be_replaced(level: Path) -> None:
    (level / "live.json").write_text("{")
    assert point_to(level, pointer(level, "1.0")) == read_pointer(level)


def test_going_back_needs_no_file_of_the_release_before(level: Path) -> None:
    service = Follower(level)
    for release in ("1.0", "1.1"):
        point_to(level, pointer(level, release))
        service.follow()
    back = pointer(level, "1.0")
    shutil.rmtree(level / "1.0")
    point_to(level, back)
    service.follow()
    assert service.live is not None
    assert (service.live.release, service.live.sequence, service.error) == ("1.0", 3, "")


def test_a_service_that_remembers_starts_from_the_last_good_release(level: Path) -> None:
    remember_good(level, point_to(level, pointer(level, "1.0")))
    cut(level / "1.1")
    point_to(level, pointer(level, "1.1"))
    started, forgetful = Follower(level, remember=True), Follower(level)
    started.follow()
    forgetful.follow()
    assert started.live is not None
    assert started.live.release == "1.0"
    assert str(level / "1.1") in started.error
    assert forgetful.live is None


def test_a_service_starts_from_the_release_before_if_the_last_good_one_is_damaged_by_now(level: Path) -> None:
    for release in ("1.0", "1.1"):
        remember_good(level, point_to(level, pointer(level, release)))
    cut(level / "1.1")
    started = Follower(level, remember=True)
    started.follow()
    assert started.live is not None
    assert started.live.release == "1.0"
    assert str(level / "1.1") in started.error


def test_before_the_first_deployment_there_is_nothing(tmp_path: Path) -> None:
    assert read_pointer(tmp_path) is None
    with pytest.raises(UsageError, match="Nothing is deployed"):
        require_pointer(tmp_path)


def test_a_damaged_pointer_is_told_apart_from_none(tmp_path: Path) -> None:
    (tmp_path / "live.json").write_text('{"release": ')
    with pytest.raises(IntegrityError, match="damaged"):
        read_pointer(tmp_path)


def switch_while_loading(
    monkeypatch: pytest.MonkeyPatch, level: Path, release: str, switch: Callable[[], object]
) -> list[str]:
    """Something happens while a release is loaded; returns the releases that were loaded whole, as they are."""
    loaded: list[str] = []
    real = follower.load

    def load(level: Path, pointer: Pointer, on_step: Callable[[str], None]) -> follower.Live:
        live = real(level, pointer, on_step)
        if pointer.release == release:
            switch()
        loaded.append(pointer.release)
        return live

    monkeypatch.setattr(follower, "load", load)
    return loaded


def test_a_release_that_is_rolled_back_while_it_is_loaded_never_answers(
    level: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[str] = []

    class Watched(Follower):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "live" and isinstance(value, follower.Live):
                answered.append(value.release)
            super().__setattr__(name, value)

    first = point_to(level, pointer(level, "1.0"))
    service = Watched(level)
    service.follow()
    prepare_to_go_back(level, first)
    second = point_to(level, pointer(level, "1.1"))
    loaded = switch_while_loading(monkeypatch, level, "1.1", lambda: go_back(level, second))
    service.follow()
    assert service.live is not None
    assert (service.live.release, service.live.sequence, loaded) == ("1.0", 3, ["1.1"])
    assert answered == ["1.0", "1.0"]


def test_a_release_that_is_named_while_another_is_loaded_is_taken_over_at_once(
    level: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to(level, pointer(level, "1.0"))
    loaded = switch_while_loading(monkeypatch, level, "1.0", lambda: point_to(level, pointer(level, "1.1")))
    service = Follower(level)
    service.follow()
    assert service.live is not None
    assert (service.live.release, loaded) == ("1.1", ["1.0", "1.1"])


def test_a_release_that_is_no_longer_named_is_not_loaded_to_the_end(
    level: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = point_to(level, pointer(level, "1.0"))
    service = Follower(level)
    service.follow()
    second = point_to(level, replace(pointer(level, "1.1"), histories="1.1/histories", histories_digest="another"))
    prepare_to_go_back(level, first)
    opened: list[str] = []

    def open_histories(folder: Path, digest: str) -> Histories:
        opened.append(folder.parent.name)
        go_back(level, second)
        return mapped.open_histories(folder)

    monkeypatch.setattr(follower, "open_histories", open_histories)
    cut(level / "1.1")
    service.follow()  # the bundle is damaged, which would be an error if it were opened
    assert (opened, service.error) == (["1.1"], "")


def test_a_follower_says_what_it_is_loading(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, str, bool]] = []
    service = Follower(level)

    def look() -> None:
        loading = service.loading
        assert loading is not None
        said.append((loading.release, loading.step, loading.worked >= 0))

    point_to(level, pointer(level, "1.0"))
    switch_while_loading(monkeypatch, level, "1.0", look)
    service.follow()
    assert [(release, works) for release, _, works in said] == [("1.0", True)]
    assert said[0][1]
    assert service.loading is None

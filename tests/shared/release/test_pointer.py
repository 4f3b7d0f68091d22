"""What is live: written whole, switched in one step, and switched back in one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared.errors import IntegrityError, UsageError
from shared.release.pointer import (
    Pointer,
    forget_going_back,
    go_back,
    go_back_file,
    is_deliberately_empty,
    last_good_file,
    point_to,
    pointer_file,
    prepare_to_go_back,
    read_good,
    read_pointer,
    readable_pointer,
    remember_good,
    require_pointer,
)

FIRST, SECOND, THIRD = (Pointer(f"1.{number}", f"runs/1.{number}", f"digest {number}") for number in range(3))


def test_each_switch_has_the_next_number(tmp_path: Path) -> None:
    assert read_pointer(tmp_path) is None
    assert [point_to(tmp_path, one).sequence for one in (FIRST, SECOND, FIRST)] == [1, 2, 3]
    assert read_pointer(tmp_path) == replace(FIRST, sequence=3)
    assert require_pointer(tmp_path) == read_pointer(tmp_path)


def test_before_the_first_deployment_a_required_pointer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nothing is deployed"):
        require_pointer(tmp_path)


def test_a_switch_is_undone_with_what_was_written_before_it_and_counts_as_one_more(tmp_path: Path) -> None:
    before = point_to(tmp_path, FIRST)
    prepare_to_go_back(tmp_path, before)
    after = point_to(tmp_path, SECOND)
    assert go_back(tmp_path, after)
    assert read_pointer(tmp_path) == replace(FIRST, sequence=3)
    assert not go_back_file(tmp_path).exists()


def test_undoing_a_first_release_leaves_word_that_nothing_is_to_be_live(tmp_path: Path) -> None:
    prepare_to_go_back(tmp_path, None)
    after = point_to(tmp_path, FIRST)
    remember_good(tmp_path, after)
    assert not is_deliberately_empty(tmp_path)
    assert go_back(tmp_path, after)
    assert (read_pointer(tmp_path), is_deliberately_empty(tmp_path)) == (None, True)
    assert read_good(tmp_path) == []


def test_a_first_release_that_was_never_found_good_can_be_undone(tmp_path: Path) -> None:
    prepare_to_go_back(tmp_path, None)
    assert go_back(tmp_path, point_to(tmp_path, FIRST))
    assert is_deliberately_empty(tmp_path)


def test_the_row_that_made_it_live_is_no_part_of_what_is_live() -> None:
    assert replace(FIRST, row="its hash", format=1) == FIRST
    assert replace(FIRST, histories_digest="another") != FIRST


def test_undoing_a_later_release_keeps_what_was_good(tmp_path: Path) -> None:
    before = point_to(tmp_path, FIRST)
    remember_good(tmp_path, before)
    prepare_to_go_back(tmp_path, before)
    assert go_back(tmp_path, point_to(tmp_path, SECOND))
    assert read_good(tmp_path) == [before]


def test_what_somebody_else_has_made_live_meanwhile_is_not_undone(tmp_path: Path) -> None:
    prepare_to_go_back(tmp_path, point_to(tmp_path, FIRST))
    after = point_to(tmp_path, SECOND)
    theirs = point_to(tmp_path, THIRD)
    assert not go_back(tmp_path, after)
    assert read_pointer(tmp_path) == theirs
    assert not go_back_file(tmp_path).exists()


def test_a_switch_that_was_ended_cannot_be_undone_any_more(tmp_path: Path) -> None:
    prepare_to_go_back(tmp_path, point_to(tmp_path, FIRST))
    forget_going_back(tmp_path)
    forget_going_back(tmp_path)  # nor does it matter if there is nothing to forget
    assert not go_back_file(tmp_path).exists()


def test_the_last_two_good_releases_are_remembered_each_once(tmp_path: Path) -> None:
    for pointer in (FIRST, SECOND, SECOND, THIRD, replace(THIRD, sequence=9)):
        remember_good(tmp_path, pointer)
    assert [(one.release, one.sequence) for one in read_good(tmp_path)] == [("1.2", 9), ("1.1", 0)]
    last_good_file(tmp_path).write_text("[{}]")
    assert read_good(tmp_path) == []


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 2, "odd": 1}', '{"release": "1.0"}'])
def test_a_damaged_pointer_is_refused_and_can_be_replaced(tmp_path: Path, content: str) -> None:
    pointer_file(tmp_path).write_text(content)
    with pytest.raises(IntegrityError, match=r"live\.json is damaged"):
        read_pointer(tmp_path)
    assert (readable_pointer(tmp_path), is_deliberately_empty(tmp_path)) == (None, False)
    assert point_to(tmp_path, FIRST).sequence == 1


def test_a_pointer_of_a_newer_version_is_refused_in_words_and_one_of_an_older_is_read(tmp_path: Path) -> None:
    known = {"release": "1.0", "bundle": "runs/1.0", "bundle_digest": "digest 0"}
    pointer_file(tmp_path).write_text(json.dumps(known | {"format": 3}))
    with pytest.raises(UsageError, match=r"in format 3; this one reads up to 2"):
        read_pointer(tmp_path)
    pointer_file(tmp_path).write_text(json.dumps(known))
    assert read_pointer(tmp_path) == FIRST

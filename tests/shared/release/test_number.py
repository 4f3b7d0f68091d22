"""Release numbers."""

import pytest

from shared.errors import UsageError
from shared.release.number import in_order, is_release, next_release, parse_release, require_release


@pytest.mark.parametrize(
    "text", ["", "1", "1.2.3", "v1.2", "../1.2", "1.2/../../x", "1.2\0", "1.02", "latest", "9" * 5000]
)
def test_anything_else_is_no_release(text: str) -> None:
    with pytest.raises(UsageError, match="not a release number"):
        parse_release(text)


@pytest.mark.parametrize(("text", "shown"), [("x" * 40, "x" * 40), ("x" * 41, "x" * 40 + "...")])
def test_a_refusal_shows_the_beginning_of_what_is_long(text: str, shown: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_release(text)
    assert refused.value.what == f"'{shown}' is not a release number."


def test_numbers_are_ordered_as_numbers() -> None:
    assert in_order(["1.10", "1.9", "0.3"]) == ["0.3", "1.9", "1.10"]


def test_a_missing_release_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"1\.2 not found; have 1\.0, 1\.1"):
        require_release("1.2", ["1.1", "1.0"])


def test_a_missing_release_names_ten_at_most_and_says_what_to_do_where_there_is_none() -> None:
    with pytest.raises(UsageError) as refused:
        require_release("2.0", [f"1.{minor}" for minor in range(12)])
    assert refused.value.what == "Release 2.0 not found; have " + ", ".join(f"1.{at}" for at in range(2, 12)) + "."
    with pytest.raises(UsageError, match="there is none yet"):
        require_release("1.0", [])
    with pytest.raises(UsageError, match="not a release number"):
        require_release("latest", ["1.0"])
    assert require_release("1.0", ["1.1", "1.0"]) == "1.0"


def test_the_next_number_is_of_its_major_alone() -> None:
    assert next_release(["1.0", "2.7", "1.3"], 1) == "1.4"
    assert next_release(["1.0", "2.7"], 3) == "3.0"
    assert [is_release(text) for text in ("0.0", "9999.999999", "10000.0", "1.1000000")] == [True, True, False, False]

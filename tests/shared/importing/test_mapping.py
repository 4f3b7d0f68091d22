"""What is said of an export is kept, what is left open stays open, and what cannot be is refused."""

import json

import pytest

from shared.errors import UsageError
from shared.importing.mapping import Mapping, check_mapping
from shared.importing.numbers import Style


def mapping(**said: object) -> Mapping:
    """Three columns and what else is said."""
    return Mapping("c", "p", "t", **said)  # type: ignore[arg-type]


def test_what_is_not_said_of_numbers_is_open() -> None:
    assert mapping().style == Style(".", "")
    assert mapping(decimal=",", thousands=".").style == Style(",", ".")
    styles = [Style("."), Style(","), Style(".", ","), Style(",", ".")]
    assert [mapping().allows(style) for style in styles] == [True] * 4
    assert [mapping(decimal=".").allows(style) for style in styles] == [True, False, True, False]
    assert [mapping(thousands="").allows(style) for style in styles] == [True, True, False, False]
    assert [mapping(decimal=".", thousands="").allows(style) for style in styles] == [True, False, False, False]


def test_point_zero_is_said_for_all_columns_or_for_each() -> None:
    assert mapping(point_zero="drop").drops_point_zero("customer")
    assert not mapping(point_zero="keep").drops_point_zero("customer")
    assert not mapping().drops_point_zero("customer")
    each = mapping(point_zero={"customer": "drop", "product": "keep"})
    assert [each.drops_point_zero(name) for name in ("customer", "product", "store")] == [True, False, False]


def test_json_brings_back_what_it_held_and_a_later_version_may_hold_more() -> None:
    kept = mapping(missing=("NA",), left_out=("POST",), found=("cancelled",), point_zero={"customer": "drop"})
    data = json.loads(json.dumps(kept.as_data()))
    assert Mapping.from_data(data | {"of a later version": 1}) == kept


def test_the_named_columns_are_all_that_may_be_named() -> None:
    named = mapping(basket="b", quantity="q", amount="a", price="x", store="s", name="n")
    assert named.columns == ["c", "p", "t", "b", "q", "a", "x", "s", "n"]


@pytest.mark.parametrize(
    ("said", "decimal", "thousands"),
    [
        ({}, None, None),
        ({"decimal": ","}, ",", None),
        ({"thousands": ","}, ".", ","),
        ({"thousands": "."}, ",", "."),
        ({"thousands": "'"}, None, "'"),
        ({"thousands": "\u00a0"}, None, " "),
        ({"decimal": ",", "thousands": ""}, ",", ""),
    ],
)
def test_of_two_signs_one_tells_the_other(said: dict[str, str], decimal: str | None, thousands: str | None) -> None:
    checked = check_mapping(mapping(**said))
    assert (checked.decimal, checked.thousands) == (decimal, thousands)


@pytest.mark.parametrize("thousands", ["a", "1", "+", "-", "''"])
def test_a_sign_or_a_letter_does_not_separate_thousands(thousands: str) -> None:
    with pytest.raises(UsageError, match="does not separate thousands"):
        check_mapping(mapping(thousands=thousands))


@pytest.mark.parametrize("twice", [{"product": "c"}, {"time": "c"}, {"time": "p"}])
def test_one_column_is_not_two_things(twice: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="is named as the"):
        check_mapping(Mapping(**{"customer": "c", "product": "p", "time": "t", **twice}))
    assert check_mapping(mapping(basket="c", store="p", name="p")).basket == "c"


def test_a_column_without_a_name_cannot_be_named() -> None:
    with pytest.raises(UsageError, match="without a name"):
        check_mapping(mapping(basket=""))

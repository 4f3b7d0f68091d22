"""A catalogue is read as it is written, or made from the rows; what may be no product is proposed."""

from collections import Counter
from pathlib import Path

import pytest

from shared.columns import DEPARTMENT, NAME, PRODUCT
from shared.errors import CheckFailed, UsageError
from shared.importing.catalogue import (
    Catalogue,
    candidates,
    compare_catalogue,
    guess_column,
    products_from,
    read_catalogue,
)
from shared.importing.mapping import Mapping
from shared.importing.opening import open_export

PLAIN = Mapping("c", "p", "t")


def read(path: Path, text: str, *named: str | None, mapping: Mapping = PLAIN) -> Catalogue:
    """A catalogue from a CSV; named: the columns with identifier, name and department."""
    (path / "products.csv").write_text(text)
    identifier, name, department = (*named, None, None, None)[:3]
    return read_catalogue(open_export(path / "products.csv"), mapping, identifier, name, department)


def lines(found: Catalogue) -> list[list[str]]:
    """The catalogue's products, which are numbered from 0."""
    assert found.products.index.tolist() == list(range(len(found.products)))
    return found.products[[PRODUCT, NAME, DEPARTMENT]].to_numpy().tolist()


def test_columns_are_guessed_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, "id,Product group,Description\nb,Tea,Green  tea\na,,\n")
    assert lines(found) == [["a", "a", "unknown"], ["b", "Green tea", "Tea"]]
    assert (
        found.notes[-1] == "the catalogue: 'id' is the product, 'Description' its name, 'Product group' its department"
    )
    assert found.notes[0] == "the catalogue's encoding: utf-8"


def test_named_columns_come_before_guessed_ones(tmp_path: Path) -> None:
    found = read(tmp_path, "name,key,kind,category\nTea,a,hot,x\n", "key", "name", "kind")
    assert lines(found) == [["a", "Tea", "hot"]]
    with pytest.raises(UsageError, match="'sort' is not in"):
        read(tmp_path, "id,name\na,Tea\n", "id", "name", "sort")


def test_without_names_and_departments_identifiers_stand_for_names(tmp_path: Path) -> None:
    found = read(tmp_path, "id,size\na,1\n")
    assert lines(found) == [["a", "a", "unknown"]]
    assert found.notes[-1].endswith("'id' is the product, 'id' its name; it tells no departments")


def test_a_product_counts_once_as_it_is_named_first(tmp_path: Path) -> None:
    found = read(tmp_path, "id,name\na,Tea\na,Tea\na,Green tea\nb,Mug\nb,Cup\nb,Jar\nc,Pot\n,None\n")
    assert lines(found) == [["a", "Tea", "unknown"], ["b", "Mug", "unknown"], ["c", "Pot", "unknown"]]
    assert "the catalogue names 2 products in several ways: the first one counts" in found.notes


def test_identifiers_are_read_as_those_of_the_rows(tmp_path: Path) -> None:
    mapping = Mapping("c", "p", "t", missing=("NA",), point_zero={"product": "drop"})
    assert [row[0] for row in lines(read(tmp_path, "id,name\n7.0,Tea\nNA,Mug\n\x01,Cup\n", mapping=mapping))] == ["7"]
    assert [row[0] for row in lines(read(tmp_path, "id,name\n7.0,Tea\nNA,Mug\n"))] == ["7.0", "NA"]


@pytest.mark.parametrize(("good", "refused"), [(49, False), (48, True)])
def test_one_line_of_fifty_may_be_broken(tmp_path: Path, good: int, refused: bool) -> None:
    text = "id,name\n" + "".join(f"{at},Cup {at}\n" for at in range(good)) + "x,Cup, with a spoon\n"
    if not refused:
        assert read(tmp_path, text).notes[-1].startswith("1 line of the catalogue left out: mend the export")
        return
    with pytest.raises(CheckFailed, match=r"1 line of 49 of the catalogue products\.csv cannot .* such as 'x,Cup"):
        read(tmp_path, text)


def test_a_catalogue_is_compared_with_what_was_sold(tmp_path: Path) -> None:
    found = read(tmp_path, "id,name\na,Tea\nb,Mug\n")
    sold = Counter({("a", "Tea"): 3, ("x", "Cup"): 1, ("x", "Mug"): 1})
    assert compare_catalogue(found, "products.csv", sold) == ["the catalogue has 1 of the 2 products that were sold"]
    assert compare_catalogue(found, "products.csv", Counter()) == []
    with pytest.raises(CheckFailed, match=r"None of the 2 products .* it has 'a', 'b', and sold were 'x', 'y'"):
        compare_catalogue(found, "products.csv", Counter({("y", "Cup"): 1, ("x", "Mug"): 1}))
    with pytest.raises(CheckFailed, match="it has nothing, and sold"):
        compare_catalogue(read(tmp_path, "id,name\n"), "products.csv", sold)


def test_a_column_is_guessed_by_the_words_of_its_name() -> None:
    assert guess_column(["id", "x", "Item NAME", "title"], "id", ("name", "title")) == "Item NAME"
    assert guess_column(["name", "title"], "name", ("name", "title")) == "title"
    assert guess_column(["id"], "id", ("name",)) is None


def test_a_product_of_the_rows_has_its_most_frequent_name_that_is_none_of_its_identifiers() -> None:
    seen = Counter({("b", "Cup"): 1, ("b", "Mug"): 2, ("a", "a"): 9, ("a", "Tea"): 1, ("c", "c"): 1})
    made = products_from(seen)
    assert made.to_numpy().tolist() == [["a", "Tea", "unknown"], ["b", "Mug", "unknown"], ["c", "c", "unknown"]]
    assert made.index.tolist() == [0, 1, 2]
    assert list(made) == [PRODUCT, NAME, DEPARTMENT]


def test_what_is_called_like_no_product_is_proposed_the_most_frequent_first() -> None:
    numbered = {(f"P{at}", f"Cup {at}"): 9 for at in range(30)}
    odd = {("POSTAGE", "POSTAGE"): 1, ("X1", "Bank charges"): 2, ("X2", "Gift card for you"): 3, ("X3", "X3"): 4}
    told = candidates(Counter(numbered | odd))
    assert told == ["X1 'Bank charges' (2 rows)", "POSTAGE 'POSTAGE' (1 row)"]


def test_no_more_than_twenty_are_proposed() -> None:
    assert len(candidates(Counter({(f"{at} fee", "Fee"): 1 for at in range(30)}))) == 20


@pytest.mark.parametrize(("without", "proposed"), [(1, 1), (2, 0)])
def test_one_without_a_digit_among_nine_with_is_proposed(without: int, proposed: int) -> None:
    seen = {(f"P{at}", "Cup"): 1 for at in range(9)} | {("MUG" + "S" * at, "Mug"): 1 for at in range(without)}
    assert len(candidates(Counter(seen))) == proposed

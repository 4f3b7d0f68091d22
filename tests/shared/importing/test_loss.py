"""What is left out is told with its reason, its amount and the option that mends it; much of it needs a word."""

from pathlib import Path

import pandas as pd
import pytest

from shared.columns import BASKET, CUSTOMER, PRODUCT
from shared.dataset.feed import Feed
from shared.errors import CheckFailed
from shared.identifiers import LONGEST_ID
from shared.importing.mapping import Mapping
from shared.importing.shop_import import Source, import_shop

SALES = Mapping("who", "what", "when", basket="inv", quantity="qty", price="price", name="name")
GOOD = "anna,milk,2017-05-01 10:00,{},1,2.00,Milk\n"


def sales(tmp_path: Path, *odd: str, good: int = 97) -> Path:
    """A CSV of good rows and some odd ones."""
    file = tmp_path / "sales.csv"
    rows = "".join(GOOD.format(number) for number in range(good))
    file.write_text(f"who,what,when,inv,qty,price,name\n{rows}" + "".join(f"{row}\n" for row in odd))
    return file


def load(tmp_path: Path, file: Path, mapping: Mapping = SALES, **settings: bool) -> pd.DataFrame:
    """The feed's rows after an import."""
    import_shop(Source(file, mapping), tmp_path / "shop", **settings)
    feed = Feed(tmp_path / "shop")
    return feed.through(feed.last_day)


NOBODY = ",milk,2017-05-01 10:00,b,1,2.00,Milk"


def test_a_small_loss_needs_no_word(tmp_path: Path) -> None:
    assert len(load(tmp_path, sales(tmp_path, NOBODY))) == 97


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ([NOBODY] * 3, r"3 rows worth 6\.00: no customer \(row 99, 100, 101\).*--customer"),
        (["anna,milk,soon,b,1,2.00,Milk"] * 3, r"time cannot be read.*--time-format"),
        (["anna,milk,2017-05-01,b,x,2.00,Milk"] * 3, r"quantity cannot be read.*--decimal"),
        ([",milk,2017-05-01 10:00,b,1,900.00,Milk"], r"82\.3% of the amount.*\n.*1 row worth 900\.00: no customer"),
        (["anna,milk,2017-05-01,b,-1,2.00,Milk"] * 40, r"40 rows worth 80\.00: return.*--quantity"),
    ],
)
def test_a_large_or_selective_loss_is_no_success(tmp_path: Path, odd: list[str], told: str) -> None:
    file = sales(tmp_path, *odd)
    with pytest.raises(CheckFailed, match=told) as refused:
        load(tmp_path, file)
    assert "--accept-loss" in str(refused.value)
    assert not (tmp_path / "shop").exists()
    assert len(load(tmp_path, file, accept_loss=True)) == 97


def test_a_few_returns_need_no_word(tmp_path: Path) -> None:
    assert len(load(tmp_path, sales(tmp_path, *["anna,milk,2017-05-01,b,-1,2.00,Milk"] * 10))) == 97


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x9b"])
@pytest.mark.parametrize("place", ["a{}b", "{}a", "ab{}"])
def test_what_is_no_identifier_is_left_out(tmp_path: Path, character: str, place: str) -> None:
    odd = place.format(character)
    report = import_shop(Source(sales(tmp_path, f"{odd},milk,2017-05-01,b,1,2.00,Milk"), SALES), tmp_path / "shop")
    assert dict(report.left_out) == {"identifier with a control character": 1}


def test_a_long_customer_is_not_made_too_long_by_an_invented_basket(tmp_path: Path) -> None:
    long, longer = "x" * LONGEST_ID, "x" * (LONGEST_ID + 1)
    file = sales(tmp_path, *(f"{who},milk,2017-05-0{day},,1,2.00,Milk" for who in (long, longer) for day in (1, 2)))
    rows = load(tmp_path, file, accept_loss=True)
    mine = rows[rows[CUSTOMER] == long]
    assert len(mine) == mine[BASKET].nunique() == 2
    assert mine[BASKET].str.len().max() <= LONGEST_ID
    assert longer not in set(rows[CUSTOMER])


@pytest.mark.parametrize("settings", [{"leave_out": "post.*"}, {"left_out": ("POST", "D")}])
def test_what_is_no_product_can_be_left_out_and_is_proposed(tmp_path: Path, settings: dict) -> None:
    odd = ["anna,POST,2017-05-01,b,1,2.00,Postage", "anna,D,2017-05-01,c,1,2.00,Discount"]
    file = sales(tmp_path, *odd, *["anna,85048,2017-05-01,d,1,2.00,Glass ball"] * 3)
    report = import_shop(Source(file, SALES), tmp_path / "all")
    assert {candidate.split(" ")[0] for candidate in report.candidates} == {"POST", "D"}
    mapping = Mapping("who", "what", "when", basket="inv", quantity="qty", price="price", name="name", **settings)
    rows = load(tmp_path, file, mapping)
    assert "POST" not in set(rows[PRODUCT])
    assert ("D" in set(rows[PRODUCT])) == ("leave_out" in settings)

"""Later files of a shop: what they bring is the shop's, or they are refused in words, and nothing is undone."""

from datetime import date
from pathlib import Path

import pytest

from shared.columns import AMOUNT, CUSTOMER, NAME, PRODUCT, QUANTITY
from shared.dataset.feed import Feed
from shared.errors import CheckFailed, MlopsError, UsageError
from shared.importing.days_added import add_days, tell_days
from shared.importing.shop_import import Source, import_shop
from tests.shared.importing.files import MAPPING, april, bring, csv, grown, rows, taken, with_catalogue


def test_a_later_file_of_floats_names_the_same_customers(tmp_path: Path) -> None:
    found = grown(tmp_path, rows(cust=lambda at: at % 5), april(cust=lambda at: f"{at % 5}.0"))
    assert set(found[CUSTOMER]) == {"0", "1", "2", "3", "4"}


def test_a_later_file_is_asked_about_nobody_too(tmp_path: Path) -> None:
    later = april(cust=lambda at: "NULL" if at % 2 else f"C{at}")
    with pytest.raises(UsageError, match="--missing 'NULL'"):
        grown(tmp_path, rows(), later)
    add_days(tmp_path / "later.csv", tmp_path / "shop", otherwise={"missing": ("NULL",)}, accept_loss=True)
    assert "NULL" not in set(taken(tmp_path / "shop")[CUSTOMER])


def test_what_marked_a_cancelled_invoice_may_mark_sales_later(tmp_path: Path) -> None:
    first = rows(inv=lambda at: "W7" if at == 3 else 500 + at, qty=lambda at: "-1" if at == 3 else "1")
    with pytest.raises(UsageError, match="--cancelled W if they are cancelled, or --cancelled ''"):
        grown(tmp_path, first, april(inv=lambda at: f"W{at}"))
    add_days(tmp_path / "later.csv", tmp_path / "shop", otherwise={"cancelled": ""})
    assert len(taken(tmp_path / "shop")) == 19 + 60


def test_a_later_file_may_be_written_otherwise_where_that_is_said(tmp_path: Path) -> None:
    later = april(price='"1,50"')
    with pytest.raises(CheckFailed, match="--decimal"):
        grown(tmp_path, rows(), later)
    add_days(tmp_path / "later.csv", tmp_path / "shop", otherwise={"decimal": ",", "thousands": ""})
    assert taken(tmp_path / "shop").query("time >= '2017-04-01'")[AMOUNT].unique().tolist() == [1.5]


def test_the_first_file_again_undoes_no_correction(tmp_path: Path) -> None:
    bring(csv(tmp_path / "first.csv", rows()))
    add_days(csv(tmp_path / "part.csv", rows(10)[:5]), tmp_path / "shop", accept_loss=True)
    corrected = csv(tmp_path / "corrected.csv", rows(qty="3"))
    add_days(corrected, tmp_path / "shop")
    for again in ("first.csv", "part.csv", "corrected.csv"):
        assert add_days(tmp_path / again, tmp_path / "shop").known
    assert set(taken(tmp_path / "shop")[QUANTITY]) == {3.0}


def test_the_first_file_again_undoes_nothing_whatever_is_said_with_it(tmp_path: Path) -> None:
    bring(csv(tmp_path / "first.csv", rows()))
    add_days(csv(tmp_path / "corrected.csv", rows(qty="3")), tmp_path / "shop")
    assert add_days(tmp_path / "first.csv", tmp_path / "shop", otherwise={"missing": ("NULL",)}).known
    assert set(taken(tmp_path / "shop")[QUANTITY]) == {3.0}


def test_a_known_file_changes_nothing_however_much_it_loses_and_may_bring_products(tmp_path: Path) -> None:
    first = csv(tmp_path / "first.csv", rows(20, cust=lambda at: "" if at == 3 else "C1"))
    catalogue = csv(tmp_path / "products.csv", [f"P{at},Thing,Food" for at in range(6)], header="id,name,group")
    import_shop(Source(first, MAPPING, products=catalogue), tmp_path / "shop", accept_loss=True)
    add_days(csv(tmp_path / "corrected.csv", rows(qty="3", cust="C1")), tmp_path / "shop")
    for dry_run in (True, False):
        assert add_days(first, tmp_path / "shop", dry_run=dry_run).known
    more = csv(tmp_path / "more.csv", ["P6,Mug,Home", "P5,Cup,Home"], header="id,name,group")
    added = add_days(first, tmp_path / "shop", products=more)
    assert (added.known, added.changes, added.products, added.renamed) == (True, [], 1, True)
    assert set(taken(tmp_path / "shop")[QUANTITY]) == {3.0}
    assert Feed(tmp_path / "shop").products().set_index(PRODUCT).loc["P6", NAME] == "Mug"


def test_a_whole_catalogue_may_come_with_a_product_that_it_lacks(tmp_path: Path) -> None:
    with_catalogue(tmp_path, [f"P{at},Thing {at},Food" for at in range(7)])
    later = csv(tmp_path / "later.csv", april(prod=lambda at: "POST" if at == 3 else f"P{at % 7}"))
    added = add_days(later, tmp_path / "shop", products=tmp_path / "products.csv")
    assert "the catalogue has 7 of the 8 products that were sold" in added.report.notes


def test_a_catalogue_of_products_to_come_is_not_compared_with_what_was_sold(tmp_path: Path) -> None:
    with_catalogue(tmp_path, [f"P{at},Thing {at},Food" for at in range(7)])
    more = csv(tmp_path / "more.csv", ["N1,New,Home"], header="id,name,group")
    added = add_days(csv(tmp_path / "later.csv", april()), tmp_path / "shop", products=more)
    assert (added.products, added.renamed) == (1, False)
    assert not any("that were sold" in note for note in added.report.notes)


def test_products_that_were_read_without_point_zero_are_read_so_later(tmp_path: Path) -> None:
    first = rows(60, prod=lambda at: f"{at % 20}.0")
    found = grown(tmp_path, first, april(prod=lambda at: "POST" if at == 3 else f"{at % 20}.0"))
    assert set(found[PRODUCT]) == {*(str(at) for at in range(20)), "POST"}


def test_another_shops_file_is_told(tmp_path: Path) -> None:
    bring(csv(tmp_path / "first.csv", rows()))
    later = csv(tmp_path / "later.csv", april(prod=lambda at: f"X{at}", cust=lambda at: f"Y{at}"))
    added = add_days(later, tmp_path / "shop")
    assert added.strangers == ["customers", "products"]
    assert sum("is known in this shop" in line for line in tell_days(added)) == 2


@pytest.mark.parametrize(("first", "later"), [("{:03}", "{}"), ("{}", "{}.0"), ("{:05}", "{}")])
def test_customers_who_are_written_otherwise_later_do_not_become_new_ones(
    tmp_path: Path, first: str, later: str
) -> None:
    bring(csv(tmp_path / "first.csv", rows(60, cust=lambda at: first.format(at % 20))))
    mixed = april(cust=lambda at: later.format(at % 20) if at % 2 else f"new{at}")
    with pytest.raises(CheckFailed, match="are not known, but for zeros"):
        add_days(csv(tmp_path / "later.csv", mixed), tmp_path / "shop")
    add_days(tmp_path / "later.csv", tmp_path / "shop", accept_loss=True)
    assert Feed(tmp_path / "shop").last_day == date(2017, 4, 5)


def test_a_shop_that_tells_7_from_07_itself_may_have_more_of_both(tmp_path: Path) -> None:
    first = rows(60, cust=lambda at: f"{at % 20}" if at else "01", prod=lambda at: f"P{at % 7}")
    bring(csv(tmp_path / "first.csv", first))
    later = csv(tmp_path / "later.csv", april(cust=lambda at: f"{at % 10:02}"))
    added = add_days(later, tmp_path / "shop")
    assert (len(added.new), added.strangers) == (5, [])


def test_a_later_file_in_another_currency_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=r"\$, EUR, of which the shop's was EUR before"):
        grown(tmp_path, rows(price="€3.50"), april(price="$3.50"))


def test_a_later_file_with_its_months_first_is_refused(tmp_path: Path) -> None:
    first = rows(time=lambda at: f"{1 + at % 25:02}/03/2017 10:00")
    with pytest.raises(CheckFailed, match="--time-format '%m/%d/%Y"):
        grown(tmp_path, first, april(time=lambda at: f"04/{1 + at % 13:02}/2017 10:00"))
    otherwise = {"time_format": "%m/%d/%Y %H:%M"}
    add_days(tmp_path / "later.csv", tmp_path / "shop", otherwise=otherwise)
    assert Feed(tmp_path / "shop").last_day == date(2017, 4, 13)


def test_a_part_of_a_day_is_told(tmp_path: Path) -> None:
    bring(csv(tmp_path / "first.csv", rows()))
    rest = rows(1, prod="P9", cust="C9")
    added = add_days(csv(tmp_path / "rest.csv", rest), tmp_path / "shop")
    assert "2017-03-01 has fewer rows now, and none of those before: perhaps the file has a part of it" in tell_days(
        added
    )


def test_products_can_be_added_without_a_new_day(tmp_path: Path) -> None:
    _, products = with_catalogue(tmp_path, [f"P{at},Thing {at},Food" for at in range(4)])
    assert "P5" not in products.index
    more = csv(tmp_path / "more.csv", ["P5,Mug,Home"], header="id,name,group")
    later = csv(tmp_path / "later.csv", april(prod="P5"))
    add_days(later, tmp_path / "shop")
    add_days(later, tmp_path / "shop", products=more)
    assert Feed(tmp_path / "shop").products().set_index(PRODUCT).loc["P5", NAME] == "Mug"


def test_a_later_catalogue_is_judged_as_the_first_one_is_and_leaves_nothing(tmp_path: Path) -> None:
    with_catalogue(tmp_path, [f"P{at},Thing {at},Food" for at in range(4)])
    later = csv(tmp_path / "later.csv", april(prod="P5"))
    days = sorted((tmp_path / "shop" / "days").iterdir())
    for line, told in (("P5,Mug, blue,Home", "cannot be read"), ("X1,Mug,Home", "None of the 1 products")):
        more = csv(tmp_path / "more.csv", [line], header="id,name,group")
        for dry_run in (True, False):
            with pytest.raises(CheckFailed, match=told):
                add_days(later, tmp_path / "shop", products=more, dry_run=dry_run)
    assert sorted((tmp_path / "shop" / "days").iterdir()) == days


def test_no_such_file_is_an_error_of_ours(tmp_path: Path) -> None:
    bring(csv(tmp_path / "first.csv", rows()))
    with pytest.raises(MlopsError, match="There is no file"):
        add_days(tmp_path / "none.csv", tmp_path / "shop")

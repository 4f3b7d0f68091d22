"""Shops that are small or odd train all the same, and get lists of what they sell."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shared.model.histories import gather
from shared.model.popular import popularity
from shared.model.ranker import Ranker
from shared.release.bundle import Evidence, open_bundle, write_bundle
from tests.conftest import FIRST_DAY


def shop(customers: int, products: int, days: int = 70, **columns: object) -> pd.DataFrame:
    chance = np.random.default_rng(3)
    rows = [
        (f"c{chance.integers(customers)}", f"p{chance.integers(products)}", f"b{day}-{basket}", day)
        for day in range(days)
        for basket in range(20)
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "product_id", "basket_id", "day"])
    table["time"] = pd.to_datetime([FIRST_DAY + timedelta(days=day) for day in table.pop("day")])
    return table.assign(store_id="s", quantity=1.0, amount=1.0).assign(**columns)


def catalogue(products: int, **columns: object) -> pd.DataFrame:
    names = [f"p{product}" for product in range(products)]
    return pd.DataFrame({"product_id": names, "product_name": names, "department": "D"}).assign(**columns)


SHOPS = {
    "five products": (shop(30, 5), catalogue(5)),
    "one customer": (shop(1, 40), catalogue(40)),
    "one product": (shop(30, 1), catalogue(1)),
    "all different products": (shop(30, 1).assign(product_id=[f"p{row}" for row in range(1400)]), catalogue(1400)),
    "all different customers": (shop(1, 40).assign(customer_id=[f"c{row}" for row in range(1400)]), catalogue(40)),
    "a price of nothing": (shop(30, 40, amount=0.0), catalogue(40)),
    "one name for all": (shop(30, 40), catalogue(40, product_name="Thing, small")),
    "no name": (shop(30, 40), catalogue(40, product_name="")),
    "a missing name": (shop(30, 40), catalogue(40, product_name=None)),
    "one type for all": (shop(30, 40), catalogue(40, product_type="thing")),
    "types for some": (shop(30, 40), catalogue(40, product_type=["a", None] * 20)),
    "types for none": (shop(30, 40), catalogue(40, product_type=None)),
    "a catalogue of other products": (shop(30, 40), catalogue(40, product_id=[f"x{at}" for at in range(40)])),
    "an empty catalogue": (shop(30, 40), catalogue(0)),
    "nothing but returns": (shop(30, 40, quantity=-1.0), catalogue(40)),
}


@pytest.mark.parametrize("learner", ["lightgbm", "scikit-learn"])
@pytest.mark.parametrize("kind", SHOPS)
def test_an_odd_shop_trains_and_is_served(
    kind: str, learner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions, products = SHOPS[kind]
    if learner == "scikit-learn":
        monkeypatch.setattr("shared.model.boosters.find_lightgbm", lambda: None)
    ranker = Ranker(leaf_size=5, trees=3).fit(transactions, products=products)
    write_bundle(tmp_path / "bundle", ranker, products, Evidence("data", "revision"))
    opened = open_bundle(tmp_path / "bundle")
    names = [*transactions["customer_id"].unique()[:20], "nobody"]
    lists = opened.model.recommend(names, reasons=True)
    pd.testing.assert_frame_equal(lists, ranker.recommend(names, reasons=True), check_exact=True)
    sold = set(transactions.loc[transactions["quantity"] > 0, "product_id"])
    assert set(lists["product_id"]) <= sold
    assert lists["score"].notna().all()
    if sold:
        assert lists.groupby("customer_id").size().tolist() == [min(10, len(sold))] * lists["customer_id"].nunique()
    assert opened.manifest["training"]["learner"].split()[0] in {learner, "none"}


def test_what_a_shop_without_types_lacks_is_said() -> None:
    assert Ranker().fit(*[shop(30, 40)], products=catalogue(40)).evidence()["product_types"].startswith("none")
    named = catalogue(40, product_name="Thing, small")
    assert Ranker().fit(shop(30, 40), products=named).evidence()["product_types"] == "known"


def test_popularity_is_the_share_of_customers_and_not_of_purchases() -> None:
    often = [("anna", "milk", day) for day in range(1, 11)]
    once = [("berta", "bread", 3), ("carl", "bread", 4), ("dora", "tea", 5)]
    table = pd.DataFrame([*often, *once], columns=["customer_id", "product_id", "day"])
    table["time"] = pd.to_datetime([date(2017, 1, day) for day in table["day"]])
    products, share = popularity(gather(table.assign(quantity=1.0), date(2017, 1, 12)), days=28)
    assert dict(zip(products.tolist(), share.tolist(), strict=True)) == {b"bread": 0.5, b"milk": 0.25, b"tea": 0.25}
    products, share = popularity(gather(table.assign(quantity=1.0), date(2017, 1, 12)), days=7)
    assert dict(zip(products.tolist(), share.tolist(), strict=True)) == {b"milk": 1.0}

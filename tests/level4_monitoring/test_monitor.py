"""What is scored of what was served, and the rest of a day's values."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from level3_cicd.ledger import all_rows
from level4_monitoring import day, monitor
from level4_monitoring.day import Day, read_day, share_of_new_products
from level4_monitoring.past import Past
from level4_monitoring.predictions import Log, Served
from shared.columns import CUSTOMER, PRODUCT, QUANTITY, TIME
from shared.dataset.purchases import purchases
from shared.model.frecency import Frecency
from tests.level4_monitoring.fakes import SmallShop

TODAY = date(2017, 1, 25)
TEN = [f"p{number:02}" for number in range(10)]


def served(customer: str, hour: int = 8, products: list[str] = TEN, **more: object) -> Served:
    known = {"by": "customer", "k": 10, "release": "1.0", "histories": "h"} | more
    return Served(datetime(2017, 1, 25, hour), customer=customer, products=products, **known)  # type: ignore[arg-type]


def sales(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """(customer, product, hour) of a day."""
    table = pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, "hour"])
    return table.assign(**{TIME: pd.Timestamp(TODAY) + pd.to_timedelta(table["hour"], unit="h"), QUANTITY: 1.0})


@pytest.fixture
def shop(tmp_path: Path) -> SmallShop:
    made = SmallShop(tmp_path)
    made.train("1.0", 23, Frecency())
    made.deploy("1.0", 23)
    return made


def a_day(shop: SmallShop, log: Log, delivered: pd.DataFrame | None = None) -> Day:
    read = read_day(shop.level, shop.feed, TODAY, Past(all_rows(shop.level)).live)
    rows = read.delivered if delivered is None else delivered
    return Day(TODAY, read.feed, rows, purchases(rows), log, read.pointer, read.live, read.through)


def scored(entries: list[Served], delivered: pd.DataFrame) -> dict[str, list[str]]:
    lists = monitor.scored_lists(entries, "1.0", delivered)
    return {str(name): mine[PRODUCT].tolist() for name, mine in lists.groupby(CUSTOMER)}


def test_the_first_sufficient_list_before_the_purchase_is_scored() -> None:
    other = TEN[::-1]
    entries = [served("a", 8, TEN[:3]), served("a", 9), served("a", 10, other)]
    assert scored(entries, sales(("a", "p00", 12))) == {"a": TEN}
    longer = [served("a", 8, [*TEN, "p10", "p11"])]
    assert scored(longer, sales(("a", "p00", 12))) == {"a": TEN}


@pytest.mark.parametrize(
    "entry",
    [
        served("a", 13),
        served("a", by="operator"),
        served("a", release="0.9"),
        served("a", products=TEN[:9]),
        served("nobody who bought"),
    ],
)
def test_what_is_not_scored(entry: Served) -> None:
    assert scored([entry], sales(("a", "p00", 12))) == {}


def test_what_was_bought_before_the_list_does_not_count() -> None:
    delivered = sales(("a", "p00", 7), ("a", "p05", 12))
    lists = monitor.scored_lists([served("a", 9)], "1.0", delivered)
    assert monitor.bought_after(lists, delivered)[PRODUCT].tolist() == ["p05"]


def test_quality_is_that_of_the_scored_lists_by_slice(shop: SmallShop) -> None:
    shop.serve(24, "1.0")
    read = read_day(shop.level, shop.feed, TODAY, Past(all_rows(shop.level)).live)
    values = monitor.look_back(read, "1.0")
    assert values["scored"] == values["bought"] == 20
    assert values["precision"] == pytest.approx(0.2)
    assert values["ndcg"] == pytest.approx(1.0, abs=0.01)
    assert values["answered_share"] == values["equal_offline"] == values["own_share"] * 5 == 1 or values["own_share"]
    assert values["histories_age"] == 1
    assert {name for name in values if name.startswith(("ndcg ", "recall "))}
    assert values["main department ALL"] == 1


def test_nobody_served_gives_no_value_and_no_error(shop: SmallShop) -> None:
    values = monitor.look_back(a_day(shop, Log()), "1.0")
    assert (values["precision"], values["equal_offline"], values["error_share"]) == (None, None, None)
    assert values["answered_share"] == 0
    nothing = monitor.look_back(a_day(shop, Log(), sales().astype({TIME: "datetime64[ms]"})), "1.0")
    assert (nothing["answered_share"], nothing["new_products"], nothing["bought"]) == (None, None, 0)


def test_shares_of_answers(shop: SmallShop) -> None:
    entries = [
        served("a"),
        served("b", products=[]),
        served("c", products=TEN[:3], k=3),
        served("d", products=TEN[:9]),
        served("e", release="0.9"),
        served("f", by="operator", products=[]),
    ]
    values = monitor.answer_values(a_day(shop, Log(entries, errors=5, unreadable=2)), {"1.0"})
    assert values["answers"] == 10
    assert values["error_share"] == 0.5
    assert values["empty_share"] == values["fallback_share"] == 0.2
    assert values["short_share"] == 0.4  # the empty one and the nine; three of three are what was asked for
    assert values["unreadable"] == 2


def test_lists_that_the_release_does_not_make_again_are_skew(shop: SmallShop) -> None:
    read = a_day(shop, Log())
    assert read.live is not None
    assert read.pointer is not None
    digest = read.pointer.histories_digest
    again = monitor.products_by_customer(read.live, ["c00", "c01"], 10)
    entries = [served(name, products=mine, histories=digest) for name, mine in again.items()]
    assert monitor.equal_offline(a_day(shop, Log(entries))) == 1
    entries.append(served("c02", products=TEN, histories=digest))
    assert monitor.equal_offline(a_day(shop, Log(entries))) == pytest.approx(2 / 3)
    assert monitor.equal_offline(a_day(shop, Log([served("c02", release="0.9")]))) is None


def test_the_share_of_new_products(shop: SmallShop) -> None:
    rows = sales(("a", "p00", 8), ("a", "p20", 8), ("b", "p20", 8), ("b", "p01", 8))
    assert share_of_new_products(a_day(shop, Log(), rows)) == 0.5
    assert share_of_new_products(a_day(shop, Log(), rows.head(3).assign(**{PRODUCT: ["p00", "p01", "p20"]}))) == 1 / 3


def test_recent_are_the_days_before_and_not_the_day(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "KNOWN_DAYS", 5)
    known = a_day(shop, Log()).recent[TIME].dt.date
    assert (known.min(), known.max()) == (TODAY - timedelta(days=5), TODAY - timedelta(days=1))


def test_drift_is_told_by_column(shop: SmallShop) -> None:
    usual = monitor.drift_values(a_day(shop, Log()))
    assert usual["drifted amount"] == 0  # with two days together, as one has twenty baskets
    assert not any(name.startswith("drifted") and value for name, value in usual.items())


def test_too_few_baskets_are_no_verdict(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("level3_cicd.drift.FEWEST_BASKETS", 1000)
    values = monitor.drift_values(a_day(shop, Log()))
    assert "too few amount" in values
    assert "drifted amount" not in values


def test_a_page_is_made_where_there_is_something_to_compare(
    shop: SmallShop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[Path] = []
    monkeypatch.setattr(monitor, "show", lambda seen, found, page: made.append(page))
    monitor.write_page(a_day(shop, Log()), tmp_path / "page.html")
    monitor.write_page(a_day(shop, Log(), sales()), tmp_path / "none.html")
    assert made == [tmp_path / "page.html"]


def test_a_day_before_is_the_day_before(shop: SmallShop) -> None:
    assert a_day(shop, Log()).before == TODAY - timedelta(days=1)

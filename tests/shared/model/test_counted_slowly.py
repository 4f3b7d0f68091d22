"""Features, lessons and histories are what a slow count over plain rows finds, one customer and product at a time."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from shared.columns import CUSTOMER, PRODUCT, QUANTITY, TIME
from shared.model.candidates import candidates
from shared.model.carrying import carry
from shared.model.facts import product_facts
from shared.model.features import FEATURES, HALF_LIVES, features
from shared.model.frecency import Frecency
from shared.model.histories import day_number, gather
from shared.model.lessons import Curriculum, lesson_of
from shared.model.taxonomy import Taxonomy

FIRST, LAST, END = date(2017, 1, 1), date(2017, 3, 21), date(2017, 3, 14)
CATALOGUE = pd.DataFrame(
    {
        "product_id": ["apple", "big apple", "bread", "milk", "cream", "salt", "nothing known"],
        "product_name": ["Apple, 1", "Apple, 5", "Bread, 1", "Milk, 1", "Milk, 1", "Salt, 2", "?"],
        "product_type": ["fruit", "fruit", "bread", "dairy", "dairy", "salt", None],
    }
)
EVERYTHING = Curriculum(longest=100, negatives=1.0, popular_days=28, half_life=84.0)
Rows = list[tuple[str, str, int]]


def make_shop(seed: int) -> pd.DataFrame:
    """Nine customers of unlike habits, some purchases twice a day, some brought back; not all buy in the last week."""
    chance = np.random.default_rng(seed)
    rows = []
    for customer in range(9):
        favourites = chance.permutation(CATALOGUE["product_id"])[: 1 + customer % 6]
        for _ in range(2 + 3 * customer):
            day = int(chance.integers(0, 80 if customer % 4 else 60))
            moment = pd.Timestamp(FIRST + timedelta(days=day)) + pd.Timedelta(minutes=int(chance.integers(0, 1440)))
            product = str(chance.choice(favourites))
            rows += [(f"c{customer}", product, moment, 1.0)] * int(chance.integers(1, 3))
            rows.append((f"c{customer}", product, moment, float(chance.choice([-1.0, 0.0]))))
    return pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, TIME, QUANTITY]).astype({TIME: "datetime64[ms]"})


def rows_of(table: pd.DataFrame, through: date) -> Rows:
    """(customer, product, day) of each purchase through a day."""
    bought = table[(table[QUANTITY] > 0) & (table[TIME].dt.date <= through)]
    return [
        (customer, product, day_number(moment.date()))
        for customer, product, moment in zip(bought[CUSTOMER], bought[PRODUCT], bought[TIME], strict=True)
    ]


def share(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


def halved(days: list[int], today: int, half_life: float) -> float:
    return sum(0.5 ** ((today - day) / half_life) for day in days)


def of_pair(days: list[int], visits: list[int], today: int) -> dict[str, float]:
    """How often and how lately a customer bought a product, on sorted days; of visits on other days, too."""
    found: dict[str, float] = {"times": len(days), "share": 0.0}
    for half_life in HALF_LIVES:
        weight = halved(days, today, half_life)
        found[f"weight_{half_life:.0f}"] = weight
        found[f"share_{half_life:.0f}"] = share(weight, halved(visits, today, half_life))
    if not days:
        return found
    since_first, after = sum(day >= days[0] for day in visits), sum(day > days[-1] for day in visits)
    gap = share(days[-1] - days[0], len(days) - 1)
    return found | {
        "share": len(days) / since_first,
        "since_last": today - days[-1],
        "since_first": today - days[0],
        "gap": gap,
        "overdue": share(today - days[-1], gap),
        "last_gap": days[-1] - days[-2] if len(days) > 1 else np.nan,
        "visits_without": after,
        "overdue_visits": after * len(days) / since_first,
    }


def of_customer(mine: Rows, today: int) -> dict[str, float]:
    visits = sorted({day for _, _, day in mine})
    gap = share(visits[-1] - visits[0], len(visits) - 1)
    return {
        "since_visit": today - visits[-1],
        "known_for": today - visits[0],
        "visits": len(visits),
        "visits_lately": halved(visits, today, 28.0),
        "visit_gap": gap,
        "overdue_visit": share(today - visits[-1], gap),
        "basket_size": len(mine) / len(visits),
        "different": len({product for _, product, _ in mine}),
        "repeats": len(mine) / len({product for _, product, _ in mine}),
    }


def of_product(rows: Rows, product: str, today: int) -> dict[str, float]:
    def buyers(days: int, wanted: str | None = None) -> int:
        return len({who for who, what, day in rows if day > today - days and wanted in (None, what)})

    week, month, ever = (buyers(days, product) for days in (7, 28, 10_000))
    days = {who: sorted(day for one, what, day in rows if (one, what) == (who, product)) for who, _, _ in rows}
    repeated = [bought for bought in days.values() if len(bought) > 1]
    return {
        "week": week / max(buyers(7), 1),
        "month": month / max(buyers(28), 1),
        "trend": (week + 1) / (month / 4 + 1),
        "ever": ever / max(buyers(10_000), 1),
        "repeat_rate": (len(repeated) + 0.5) / (ever + 3),
        "usual_gap": share(sum(one[-1] - one[0] for one in repeated), sum(len(one) - 1 for one in repeated)),
    }


def of_kind(mine: Rows, product: str, today: int) -> dict[str, float]:
    """What a customer bought of a product's type, and by its name."""
    found: dict[str, float] = {}
    visits = sorted({day for _, _, day in mine})
    for kind, column in (("type", "product_type"), ("name", "product_name")):
        words = dict(zip(CATALOGUE["product_id"], CATALOGUE[column], strict=True))
        alike = [(what, day) for _, what, day in mine if words[what] == words[product]]
        if pd.isna(words[product]):
            continue
        days = sorted(day for _, day in alike)
        weight = halved(days, today, 84.0)
        found |= {f"{kind}_weight": weight, f"{kind}_share": share(weight, halved(visits, today, 84.0))}
        found |= {f"{kind}_times": len(days), f"{kind}_different": len({what for what, _ in alike})}
        if days:
            gap = share(days[-1] - days[0], len(days) - 1)
            found |= {f"{kind}_since": today - days[-1], f"{kind}_overdue": share(today - days[-1], gap)}
    return found


def counted_slowly(rows: Rows, customer: str, product: str, today: int) -> list[float]:
    """All features of a customer and a product."""
    mine = [row for row in rows if row[0] == customer]
    visits = sorted({day for _, _, day in mine})
    weights = [
        halved([day for _, what, day in mine if what == other], today, 84.0) for other in {what for _, what, _ in mine}
    ]
    days = sorted(day for _, what, day in mine if what == product)
    found = of_pair(days, visits, today) | of_customer(mine, today) | of_product(rows, product, today)
    found |= of_kind(mine, product, today)
    found["of_heaviest"] = share(found["weight_84"], max(weights))
    if days:
        found["beyond_usual"] = share(found["since_last"], found["usual_gap"])
    return [found.get(name, np.nan) for name in FEATURES]


@pytest.fixture(params=range(3))
def shop(request: pytest.FixtureRequest) -> pd.DataFrame:
    return make_shop(request.param)


def test_features_are_those_of_a_slow_count(shop: pd.DataFrame) -> None:
    histories = gather(shop, LAST)
    chosen = candidates(histories, np.arange(len(histories.products)), own=100, half_life=84.0)
    matrix = features(histories, product_facts(histories, Taxonomy.of(CATALOGUE)), chosen)
    rows = rows_of(shop, LAST)
    assert len(matrix) == len(histories.customers) * len(histories.products)
    for found, row, product in zip(matrix, chosen.row, chosen.product, strict=True):
        who, what = histories.customers[row].decode(), histories.products[product].decode()
        expected = dict(zip(FEATURES, counted_slowly(rows, who, what, day_number(LAST)), strict=True))
        assert dict(zip(FEATURES, found.tolist(), strict=True)) == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_a_lesson_is_that_of_a_slow_count(shop: pd.DataFrame) -> None:
    lesson = lesson_of(gather(shop, LAST), Taxonomy.of(CATALOGUE), END, EVERYTHING)
    before, everything = rows_of(shop, END), rows_of(shop, LAST)
    week = {(who, what) for who, what, day in everything if day > day_number(END)}
    shoppers = sorted({who for who, _ in week} & {who for who, _, _ in before})
    assert 0 < len(shoppers) < 9
    known = sorted({what for _, what, _ in before})
    assert lesson.sizes.tolist() == [len(known)] * len(shoppers)
    expected = {
        (who, tuple(np.float32(counted_slowly(before, who, what, day_number(END))).round(3).tolist())): (who, what)
        in week
        for who in shoppers
        for what in known
    }
    names = np.repeat(shoppers, lesson.sizes)
    found = {
        (who, tuple(row.round(3).tolist())): bool(bought)
        for who, row, bought in zip(names, lesson.matrix, lesson.bought, strict=True)
    }
    assert nan_free(found) == nan_free(expected)
    assert set(found.values()) == {True, False}


def nan_free(table: dict) -> dict:
    """NaN equals nothing, so it is written as None."""
    return {
        (who, tuple(None if value != value else value for value in row)): said for (who, row), said in table.items()
    }


def test_histories_carried_day_by_day_are_gathered_ones(shop: pd.DataFrame) -> None:
    carried = gather(shop, FIRST)
    for number in range(1, (LAST - FIRST).days + 1):
        today = FIRST + timedelta(days=number)
        carried = carry(carried, shop[shop[TIME].dt.date == today], today)
    for name, array in gather(shop, LAST).arrays().items():
        np.testing.assert_array_equal(carried.arrays()[name], array, err_msg=name)


@pytest.mark.parametrize("unsold_days", [0, 14])
def test_frecency_lists_what_a_slow_count_puts_first_and_says_why(shop: pd.DataFrame, unsold_days: int) -> None:
    rows, today = rows_of(shop, LAST), day_number(LAST)
    products = sorted({what for _, what, _ in rows})
    sells = {what for _, what, day in rows if day > today - unsold_days} if unsold_days else set(products)
    month = [row for row in rows if row[2] > today - 28]
    shoppers = len({who for who, _, _ in month})
    popularity = {what: len({who for who, other, _ in month if other == what}) / shoppers for what in products}
    customers = sorted({who for who, _, _ in rows})
    model = Frecency(half_life=20.0, popular_weight=2.0, unsold_days=unsold_days).fit(shop, as_of=LAST)
    lists = model.recommend([*customers, "nobody"], k=100, reasons=True)
    for customer in [*customers, "nobody"]:
        days = {
            what: sorted(day for row in rows if row[:2] == (customer, what) for day in row[2:]) for what in products
        }
        scores = {what: halved(days[what], today, 20.0) + 2.0 * popularity[what] for what in sells}
        expected = sorted(scores, key=lambda what: (-scores[what], what))
        mine = lists[lists[CUSTOMER] == customer]
        assert mine[PRODUCT].tolist() == expected
        assert mine["score"].tolist() == pytest.approx([scores[what] for what in expected])
        assert mine["reason"].tolist() == [reason(days[what], today) for what in expected]
        assert [model.explain(customer, what) for what in products] == [reason(days[what], today) for what in products]


def reason(days: list[int], today: int) -> str:
    """Why a product that was bought on some days is recommended."""
    if not days:
        return "popular in the last 28 days"
    ago, many = today - days[-1], len(days)
    every = round((days[-1] - days[0]) / (many - 1)) if many > 1 else 0
    told = f"bought {many} time{'s' * (many > 1)}, last {ago} day{'s' * (ago != 1)} ago"
    return f"{told}, every {every} day{'s' * (every != 1)}" if every else told

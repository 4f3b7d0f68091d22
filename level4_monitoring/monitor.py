"""Look back: how good were the lists that customers were really served on a day, and has the shop's data changed?

The evening's tick calls `look_back`. What is scored is each customer's first list of at least 10 products, cut to 10,
that a customer asked for before buying, made by the release that was to be live.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from level3_cicd.drift import describe, judge, window
from level3_cicd.monitor import show
from level3_cicd.slices import by_customer, by_department, recall_by_customer
from level4_monitoring.day import Day, share_of_new_products
from level4_monitoring.predictions import Served
from shared.columns import CUSTOMER, DEPARTMENT, PRODUCT, RANK, TIME
from shared.dataset.feed import Feed
from shared.dataset.purchases import purchases, sold
from shared.model.histories import Histories
from shared.model.metrics import score_customers
from shared.model.popular import Popular

K = 10
MAIN_DEPARTMENTS = 3
KEPT_DAYS = 256
Values = dict[str, float | None]


def look_back(day: Day, release: str, also: frozenset[str] = frozenset()) -> Values:
    """A day's values by name. release: what was to be live on the day; also: what answered in its first hours."""
    lists = scored_lists(day.log.served, release, day.delivered)
    values: Values = {"rows": float(len(day.delivered)), "bought": float(day.bought[CUSTOMER].nunique())}
    values |= answer_values(day, {release, *also})
    values |= quality_values(day, lists)
    values["answered_share"] = share(lists[CUSTOMER].nunique(), day.bought[CUSTOMER].nunique())
    values["equal_offline"] = equal_offline(day)
    values["new_products"] = share_of_new_products(day)
    values |= list_values(day)
    values |= drift_values(day)
    return values


def scored_lists(served: Sequence[Served], release: str, delivered: pd.DataFrame) -> pd.DataFrame:
    """The lists that are scored, as a table of lists with the moment at which each was served (`at`)."""
    first: dict[str, Served] = {}
    for one in served:
        if one.to_customer and one.release == release and len(one.products) >= K:
            first.setdefault(one.customer, one)
    bought_last = sold(delivered).groupby(CUSTOMER)[TIME].max()
    in_time = [one for one in first.values() if one.customer in bought_last and one.at <= bought_last[one.customer]]
    rows = [
        (one.customer, product, rank, one.at)
        for one in in_time
        for rank, product in enumerate(one.products[:K], start=1)
    ]
    return pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, RANK, "at"])


def bought_after(lists: pd.DataFrame, delivered: pd.DataFrame) -> pd.DataFrame:
    """What customers bought after they were served: what came before says nothing of their list."""
    at = lists.groupby(CUSTOMER)["at"].first()
    rows = delivered[delivered[CUSTOMER].isin(at.index)]
    return purchases(rows[rows[TIME] >= rows[CUSTOMER].map(at)])


def quality_values(day: Day, lists: pd.DataFrame) -> Values:
    """NDCG@10, precision@10 and hit rate, of all and by slice; None where nobody could be scored."""
    if lists.empty:
        return {"scored": 0.0, "ndcg": None, "precision": None, "hit": None}
    bought = bought_after(lists, day.delivered)
    scores = score_customers(lists, bought)
    means = {name: float(scores[name].mean()) for name in ("ndcg", "precision", "hit")}
    return {"scored": float(len(scores)), **means, **slice_values(day, lists, bought, scores["ndcg"])}


def slice_values(day: Day, lists: pd.DataFrame, bought: pd.DataFrame, ndcg: pd.Series) -> Values:
    """NDCG@10 of light, heavy and new customers, recall@10 of the largest departments."""
    kinds = by_customer(day.recent, ndcg.index, day.before)
    values: Values = {f"ndcg {name}": float(ndcg[kind].mean()) for name, kind in kinds.items() if len(kind)}
    for name, mine in by_department(bought, day.catalogue).items():
        values[f"recall {name}"] = float(recall_by_customer(lists, mine).mean())
    return values


def answer_values(day: Day, releases: set[str]) -> Values:
    """How the service answered customers: shares of errors, empty and short lists, fallbacks; the histories' age."""
    served = [one for one in day.log.served if one.to_customer]
    answers, asked = len(served), len(served) + day.log.errors
    lacking = sum(len(one.products) < min(one.k, K) for one in served)
    return {
        "answers": float(asked),
        "error_share": share(day.log.errors, asked),
        "empty_share": share(sum(not one.products for one in served), answers),
        "short_share": share(lacking, answers),
        "fallback_share": share(sum(one.release not in releases for one in served), answers),
        "unreadable": float(day.log.unreadable),
        "gaps": float(day.log.gaps),
        "histories_age": float((day.day - day.through).days) if day.through else None,
    }


def equal_offline(day: Day) -> float | None:
    """The share of the lists from the morning's histories that the live release makes again, to the letter."""
    if day.live is None or day.pointer is None:
        return None
    named = day.pointer.histories_digest
    mine = [one for one in day.log.served if one.release == day.pointer.release and one.products]
    mine = [one for one in mine if one.to_customer and (not named or one.histories == named)]
    if not mine:
        return None
    longest = max(len(one.products) for one in mine)
    again = products_by_customer(day.live, sorted({one.customer for one in mine}), longest)
    return share(sum(again[one.customer][: len(one.products)] == one.products for one in mine), len(mine))


def products_by_customer(model: Popular, customers: list[str], k: int) -> dict[str, list[str]]:
    """Each customer's list."""
    lists = model.recommend(customers, k)
    return {str(name): mine[PRODUCT].tolist() for name, mine in lists.groupby(CUSTOMER, sort=False)}


def drift_values(day: Day) -> Values:
    """Column by column how far the day's baskets are from the same weekdays before it, and whether that is drift.

    Where there are too few baskets to judge, the value is there and the verdict is not: it is no pass.
    """
    if day.delivered.empty:
        return {}
    values: Values = {}
    for found in judge(window(day.day, lambda known: baskets(day.feed, known))):
        if found.verdict == "too few":
            values[f"too few {found.column}"] = float(found.needed)
            continue
        values[f"drift {found.column}"] = found.value
        values[f"drifted {found.column}"] = None if found.verdict == "silent" else float(found.verdict == "drift")
    return values


@lru_cache(maxsize=KEPT_DAYS)
def baskets_of(file: Path, digest: str, feed: Feed, day: date) -> pd.DataFrame:
    """A day's baskets, each day described once; file and digest tell versions of a day apart."""
    return describe(feed.day(day), feed.products())


def baskets(feed: Feed, day: date) -> pd.DataFrame:
    """A day's baskets as the drift verdict looks at them."""
    recorded = feed.about["days"].get(day.isoformat(), {})
    return baskets_of(feed.file(day), str(recorded.get("digest", "")), feed, day)


def write_page(day: Day, page: Path) -> None:
    """An Evidently report on a day's baskets, with the verdicts."""
    seen = window(day.day, lambda known: baskets(day.feed, known))
    if not day.delivered.empty and len(seen.reference):
        show(seen, judge(seen), page)


def list_values(day: Day) -> Values:
    """What the lists hold: how many have which main department, and the share of products bought before.

    These are shown and start nothing: no limit was measured.
    """
    mine = [one for one in day.log.served if one.to_customer and one.products]
    if not mine or day.live is None:
        return {}
    names = {product for one in mine for product in one.products}
    listed = day.catalogue[day.catalogue[PRODUCT].isin(names)].drop_duplicates(PRODUCT)
    department = dict(zip(listed[PRODUCT], listed[DEPARTMENT], strict=True))
    main = pd.Series([main_department(one.products, department) for one in mine])
    shares = main.value_counts(normalize=True).head(MAIN_DEPARTMENTS)
    values: Values = {f"main department {name}": float(value) for name, value in shares.items()}
    own = own_products(day.live.histories_, {one.customer for one in mine})
    shown = [(one.customer, product) for one in mine for product in one.products]
    return values | {"own_share": share(sum(product in own[name] for name, product in shown), len(shown))}


def main_department(products: Sequence[str], department: Mapping[str, str]) -> str:
    """The department of most products of a list; of several with as many, the one that comes first in it.

    >>> main_department(["milk", "bread", "cheese"], {"milk": "dairy", "cheese": "dairy", "bread": "bakery"})
    'dairy'
    """
    found = Counter(str(department.get(product, "unknown")) for product in products)
    return found.most_common(1)[0][0]


def own_products(histories: Histories, customers: set[str]) -> dict[str, set[str]]:
    """What each customer has bought before."""
    names = sorted(customers)
    rows = histories.rows_of(np.array([name.encode() for name in names], dtype=np.bytes_))
    bought = {}
    for name, row in zip(names, rows, strict=True):
        pairs = slice(histories.starts[row], histories.starts[row + 1]) if row >= 0 else slice(0, 0)
        bought[name] = {code.decode() for code in histories.products[histories.product[pairs]]}
    return bought


def share(part: int, whole: int) -> float | None:
    """A share; None of nothing."""
    return part / whole if whole else None

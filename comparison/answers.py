"""A day's answers: who shopped, what they were shown, how good that was, and what was wrong with it."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import pandas as pd

from comparison.customers import Address
from comparison.incidents.incident import Answer
from comparison.world import World, customers_of
from shared.columns import CUSTOMER, PRODUCT, RANK
from shared.model.metrics import score_customers


@dataclass(frozen=True)
class Served:
    """What customers got on a day. answers: a row a shopper, with `products`, `ndcg` and what was wrong with it:
    `failed` (no answer), `empty`, `dead` (a product that the shop does not sell), `bad` (by the incident's oracle).
    """

    version: dict[str, Any]
    answers: pd.DataFrame

    @property
    def shoppers(self) -> int:
        """How many shopped."""
        return len(self.answers)

    def complained_of(self) -> dict[str, int]:
        """What customers complain about, with how many would."""
        names = {"failed": "no answer", "empty": "an empty list", "dead": "a product that is not sold"}
        return {words: int(self.answers[name].sum()) for name, words in names.items()}

    def as_data(self) -> dict[str, Any]:
        """The day in numbers, and the digest of all its answers."""
        text = "\n".join(f"{name} {' '.join(products)}" for name, products in self._lists())
        known = {name: self.version.get(name, "") for name in ("release", "bundle_digest", "trained_through")}
        return {
            **known,
            "histories_through": self.version.get("histories_through", ""),
            "shoppers": self.shoppers,
            "ndcg": float(self.answers["ndcg"].sum()),
            **{name: int(self.answers[name].sum()) for name in ("failed", "empty", "dead", "bad")},
            "answers": sha256(text.encode()).hexdigest(),
        }

    def _lists(self) -> list[tuple[str, list[str]]]:
        return list(zip(self.answers[CUSTOMER], self.answers["products"], strict=True))


def serve_day(address: Address, world: World, day: date, called_live: str) -> Served:
    """Everybody who shops on a day asks for a list, then buys; a shopper without a list scores 0."""
    bought = world.bought(day)
    customers = customers_of(bought)
    version = address.version()
    lists = address.lists(customers) if version else {}
    address.close()
    scores = score_customers(as_table(lists), bought)["ndcg"] if len(bought) else pd.Series(dtype=float)
    sold, digest = world.sells(day), str(version.get("bundle_digest", ""))
    rows = []
    for name in customers:
        products = lists.get(name)
        answer = Answer(products or [], digest, called_live, sold)
        rows.append(
            {
                CUSTOMER: name,
                "products": products or [],
                "ndcg": float(scores.get(name, 0.0)),
                "failed": products is None,
                "empty": products == [],
                "dead": not sold.issuperset(products or []),
                "bad": not products or world.incident.is_bad(answer),
            }
        )
    columns = [CUSTOMER, "products", "ndcg", "failed", "empty", "dead", "bad"]
    return Served(version, pd.DataFrame(rows, columns=columns))


def as_table(lists: dict[str, list[str]]) -> pd.DataFrame:
    """Lists as a table of customer, product and rank."""
    rows = [(name, product, rank) for name, products in lists.items() for rank, product in enumerate(products, 1)]
    return pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, RANK])

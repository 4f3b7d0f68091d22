"""Answers of a release, made ready before it goes live: most requests are then a look-up of bytes."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from shared.columns import CUSTOMER, PRODUCT
from shared.release.bundle import Bundle

USUAL_K = 10
# Beyond this many customers, the others' lists are made when they are asked for.
MOST_PRECOMPUTED = 50_000


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """A customer's answer as JSON, and the products in it."""

    body: bytes
    products: list[str]


class Answers:
    """Answers of one release. What is not made ready is made when it is asked for."""

    def __init__(self, release: str, bundle: Bundle) -> None:
        self._release = release
        self._bundle = bundle
        self._precomputed: dict[str, PreparedAnswer] = {}

    def precompute(self) -> None:
        """Make the answers for known customers, of the usual length."""
        known = self._bundle.model.histories_.customers[:MOST_PRECOMPUTED]
        self._precomputed = self._make([name.decode() for name in known], USUAL_K)

    def one(self, customer: str, k: int) -> PreparedAnswer:
        """The answer for a customer."""
        found = self._precomputed.get(customer) if k == USUAL_K else None
        return found or self._make([customer], k)[customer]

    def many(self, customers: Iterable[str], k: int) -> dict[str, PreparedAnswer]:
        """The answers for many customers, in their order, each once."""
        ready = self._precomputed if k == USUAL_K else {}
        wanted = list(dict.fromkeys(customers))
        made = self._make([customer for customer in wanted if customer not in ready], k)
        return {customer: ready.get(customer) or made[customer] for customer in wanted}

    def _make(self, customers: list[str], k: int) -> dict[str, PreparedAnswer]:
        lists = self._bundle.model.recommend(customers, k)
        products: dict[str, list[str]] = {customer: [] for customer in customers}
        for customer, product in zip(lists[CUSTOMER], lists[PRODUCT], strict=True):
            products[customer].append(product)
        return {customer: PreparedAnswer(self._body(customer, mine), mine) for customer, mine in products.items()}

    def _body(self, customer: str, products: list[str]) -> bytes:
        model, names = self._bundle.model, self._bundle.names
        recommendations = [
            {
                "rank": rank,
                "product": product,
                "name": names.get(product, product),
                "reason": model.explain(customer, product),
            }
            for rank, product in enumerate(products, start=1)
        ]
        return orjson.dumps({"customer": customer, "release": self._release, "recommendations": recommendations})

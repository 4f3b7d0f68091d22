"""Answers of a release, made when they are asked for: a list costs a few milliseconds, whoever else is a customer."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from shared.columns import CUSTOMER, PRODUCT, REASON
from shared.release.bundle import Bundle


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """A customer's answer as JSON, and the products in it."""

    body: bytes
    products: list[str]


class Answers:
    """Answers of one release."""

    def __init__(self, release: str, bundle: Bundle) -> None:
        self._release = release
        self._bundle = bundle

    def one(self, customer: str, k: int) -> PreparedAnswer:
        """The answer for a customer."""
        return self.many([customer], k)[customer]

    def many(self, customers: Iterable[str], k: int) -> dict[str, PreparedAnswer]:
        """The answers for many customers, in their order, each once; lists and reasons in one pass."""
        wanted = list(dict.fromkeys(customers))
        lists = self._bundle.model.recommend(wanted, k, reasons=True)
        found: dict[str, list[tuple[str, str]]] = {customer: [] for customer in wanted}
        for customer, product, reason in zip(lists[CUSTOMER], lists[PRODUCT], lists[REASON], strict=True):
            found[customer].append((product, reason))
        return {
            customer: PreparedAnswer(self._body(customer, mine), [product for product, _ in mine])
            for customer, mine in found.items()
        }

    def _body(self, customer: str, products: list[tuple[str, str]]) -> bytes:
        names = self._bundle.names
        recommendations = [
            {"rank": rank, "product": product, "name": names.get(product, product), "reason": reason}
            for rank, (product, reason) in enumerate(products, start=1)
        ]
        return orjson.dumps({"customer": customer, "release": self._release, "recommendations": recommendations})

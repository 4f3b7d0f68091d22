"""Answers of a release, made when they are first asked for: a list costs a few milliseconds, whoever else is there.

One customer's answer is kept until the release or its histories change, so asking again costs nothing.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from shared.columns import CUSTOMER, PRODUCT, REASON
from shared.release.bundle import Bundle

# Of about 2 kB each.
MOST_KEPT = 10_000


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
        self._kept: OrderedDict[tuple[str, int], PreparedAnswer] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, customer: str, k: int) -> PreparedAnswer | None:
        """The answer for a customer, if it is kept."""
        return self._kept.get((customer, k))

    def one(self, customer: str, k: int) -> PreparedAnswer:
        """The answer for a customer, kept from then on; beyond MOST_KEPT the oldest are forgotten."""
        answer = self.known(customer, k) or self.many([customer], k)[customer]
        with self._lock:
            self._kept[customer, k] = answer
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return answer

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

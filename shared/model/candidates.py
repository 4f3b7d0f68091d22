"""Which products may be listed: those that a customer bought most, and those that most customers bought lately."""

from dataclasses import dataclass

import numpy as np

from shared.model.histories import Histories, weights


@dataclass(frozen=True)
class Candidates:
    """c products that may be listed: row, product and pair are indices (c,); pair is -1 for one never bought."""

    row: np.ndarray
    product: np.ndarray
    pair: np.ndarray

    def keep(self, wanted: np.ndarray) -> "Candidates":
        """Some of them."""
        return Candidates(self.row[wanted], self.product[wanted], self.pair[wanted])


def candidates(histories: Histories, popular: np.ndarray, own: int, half_life: float) -> Candidates:
    """For every customer the `own` products with the most decayed purchases, and the `popular` ones."""
    customer, kept = histories.customer, heaviest_pairs(histories, own, half_life)
    row = np.repeat(np.arange(len(histories.customers)), len(popular))
    product = np.tile(popular, len(histories.customers))
    pair = find_pairs(histories, customer, row, product)
    listed = np.zeros(len(customer) + 1, dtype=bool)
    listed[kept] = True
    new = ~listed[pair]
    return Candidates(
        np.concatenate([customer[kept], row[new]]),
        np.concatenate([histories.product[kept], product[new]]),
        np.concatenate([kept, pair[new]]),
    )


def heaviest_pairs(histories: Histories, most: int, half_life: float) -> np.ndarray:
    """At most so many pairs of each customer, those with the most decayed purchases; ties go by product.

    They come in the order of the pairs.
    """
    weight = weights(histories, np.arange(len(histories.product)), half_life)
    kept = np.ones(len(histories.product), dtype=bool)
    for row in np.flatnonzero(np.diff(histories.starts) > most):
        start, end = histories.starts[row], histories.starts[row + 1]
        order = np.argsort(-weight[start:end], kind="stable")
        kept[start + order[most:]] = False
    return np.flatnonzero(kept)


def find_pairs(histories: Histories, customer: np.ndarray, row: np.ndarray, product: np.ndarray) -> np.ndarray:
    """The pair of each (row, product); -1 where the customer never bought the product."""
    size = len(histories.products)
    known = customer * size + histories.product
    wanted = row * size + product
    found = np.searchsorted(known, wanted).clip(max=max(len(known) - 1, 0))
    return np.where(known[found] == wanted, found, -1) if len(known) else np.full(len(wanted), -1)

"""Kinds of products: what a product is when its number says nothing. The ranker learns by type and by name.

The type is the shop's own (column `product_type`), otherwise the name before its last comma ("Apple Sauce, 50 oz"
is an "Apple Sauce"), otherwise there is none, and the trees see missing values.
"""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from shared.columns import NAME, PRODUCT, TYPE
from shared.model.histories import positions, to_bytes

NONE = -1


@dataclass(frozen=True)
class Taxonomy:
    """p products (sorted bytes) with the codes of their type and name, from 0; NONE for a product without."""

    product: np.ndarray
    type: np.ndarray
    name: np.ndarray

    @classmethod
    def of(cls, products: pd.DataFrame | None) -> Self:
        """The taxonomy of a catalogue; of no catalogue, an empty one."""
        if products is None or products.empty:
            return cls(np.empty(0, dtype="S1"), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))
        position, product = to_bytes(products[PRODUCT])
        row = np.zeros(len(product), dtype=np.int64)
        row[position] = np.arange(len(products))
        types = types_of(products)
        name = codes_of(products[NAME])[row] if types is not None else np.full(len(row), NONE, dtype=np.int32)
        return cls(product, codes_of(types)[row] if types is not None else name, name)

    @property
    def known(self) -> bool:
        """Whether any product has a type."""
        return bool((self.type != NONE).any())

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all of it."""
        found = hashlib.sha256()
        for array in self.arrays().values():
            found.update(f"{array.dtype} {array.shape} ".encode() + array.tobytes())
        return found.hexdigest()

    def codes_for(self, products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(type, name) codes of products (bytes); NONE for those that the catalogue lacks."""
        at = positions(self.product, products)
        if not len(self.product):
            return at.astype(np.int32), at.astype(np.int32)
        return np.where(at < 0, NONE, self.type[at]), np.where(at < 0, NONE, self.name[at])

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, as a bundle stores them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def types_of(products: pd.DataFrame) -> pd.Series | None:
    """Each product's type in words; None if the catalogue tells nothing of types.

    >>> types_of(pd.DataFrame({"product_name": ["Rice, 1 kg", "Rice, 5 kg", "Tea"]})).tolist()
    ['Rice', 'Rice', 'Tea']
    >>> types_of(pd.DataFrame({"product_name": ["A1", "A2"]})) is None
    True
    """
    if TYPE in products and products[TYPE].notna().any():
        return products[TYPE]
    codes, names = pd.factorize(products[NAME].astype(str))
    types = np.array([name.rpartition(",")[0] or name for name in names], dtype=object)
    return pd.Series(types[codes]) if any("," in name for name in names) else None


def codes_of(words: pd.Series) -> np.ndarray:
    """Codes from 0 in the order of the words; NONE for the missing.

    >>> codes_of(pd.Series(["b", None, "a", "b"])).tolist()
    [1, -1, 0, 1]
    """
    known = words.notna().to_numpy()
    codes = np.full(len(words), NONE, dtype=np.int32)
    codes[known] = to_bytes(words[known])[0]
    return codes

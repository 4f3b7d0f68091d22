"""The shop changes its assortment: many products get successors under new numbers."""

from datetime import date

import numpy as np
import pandas as pd

from comparison.incidents.incident import Incident
from shared.columns import PRODUCT

SHARE = 0.3


class NewAssortment(Incident):
    """30 % of the products that were sold in 60 days get successors, in the catalogue and in what is bought."""

    name = "new-assortment"
    what = "30 % of the products sold lately get successors with new numbers, in catalogue and purchases"
    door = "catalogue"
    change = True
    days = 42

    successors: dict[str, str]

    def learn(self, sold_before: pd.DataFrame) -> None:
        """Choose the products."""
        sold = sorted(sold_before[PRODUCT].unique().astype(str))
        chosen = self.random().permutation(np.array(sold))[: round(SHARE * len(sold))]
        self.successors = {str(product): f"N{product}" for product in chosen}

    def alters_delivery(self, day: date) -> bool:
        """From day 0 on, for good."""
        return day >= self.strike

    def world(self, day: date, rows: pd.DataFrame) -> pd.DataFrame:
        """Who bought a product that has a successor buys that."""
        return rows if day < self.strike else rows.assign(**{PRODUCT: renamed(rows[PRODUCT], self.successors)})

    def catalogue(self, day: date, products: pd.DataFrame) -> pd.DataFrame:
        """The successors stand beside the products, which days that were delivered before still name."""
        if day < self.strike:
            return products
        new = products[products[PRODUCT].astype(str).isin(list(self.successors))]
        return pd.concat([products, new.assign(**{PRODUCT: renamed(new[PRODUCT], self.successors)})], ignore_index=True)

    def withdrawn(self, day: date) -> frozenset[str]:
        """The products that have a successor are sold no more."""
        return frozenset(self.successors) if day >= self.strike else frozenset()


def renamed(column: pd.Series, names: dict[str, str]) -> pd.Series:
    """A column of text with some values replaced."""
    text = column.astype(str)
    return text.map(names).fillna(text)

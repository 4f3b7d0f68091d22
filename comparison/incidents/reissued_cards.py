"""Customers' cards are given out anew: half of the customers exchange numbers among themselves."""

from datetime import date

import numpy as np
import pandas as pd

from comparison.incidents.incident import Incident
from comparison.incidents.new_assortment import renamed
from shared.columns import CUSTOMER


class ReissuedCards(Incident):
    """Each column looks as before, but half of the customers have another one's history."""

    name = "reissued-cards"
    what = "half of the customers exchange their numbers; each column looks normal"
    door = "customers"
    change = True
    days = 56

    numbers: dict[str, str]

    def learn(self, sold_before: pd.DataFrame) -> None:
        """Choose the customers."""
        known = np.array(sorted(sold_before[CUSTOMER].unique().astype(str)))
        chosen = np.array(self.random().permutation(known)[: len(known) // 2])
        self.numbers = dict(zip(chosen.tolist(), np.roll(chosen, 1).tolist(), strict=True))

    def alters_delivery(self, day: date) -> bool:
        """From day 0 on, for good."""
        return day >= self.strike

    def world(self, day: date, rows: pd.DataFrame) -> pd.DataFrame:
        """Customers show their new cards, in the shop and when they ask for a list."""
        return rows if day < self.strike else rows.assign(**{CUSTOMER: renamed(rows[CUSTOMER], self.numbers)})

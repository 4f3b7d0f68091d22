"""Every customer gets a new number, and nobody has a table of old and new."""

from datetime import date

import pandas as pd

from comparison.incidents.incident import Incident
from shared.columns import CUSTOMER


class RenumberedCards(Incident):
    """All histories belong to numbers that nobody has any more."""

    name = "renumbered-cards"
    what = "every customer has a new number, in files and when asking"
    door = "customers"
    change = True
    days = 42

    def alters_delivery(self, day: date) -> bool:
        """From day 0 on, for good."""
        return day >= self.strike

    def world(self, day: date, rows: pd.DataFrame) -> pd.DataFrame:
        """Customers show their new cards."""
        return rows if day < self.strike else rows.assign(**{CUSTOMER: "R" + rows[CUSTOMER].astype(str)})

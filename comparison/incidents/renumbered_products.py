"""The supplier's export gives products other numbers than the catalogue has."""

from datetime import date, timedelta

import pandas as pd

from comparison.incidents.incident import Answer, Incident, Said
from shared.columns import PRODUCT


class RenumberedProducts(Incident):
    """Product numbers in the files get a leading 0. The supplier mends the export, and brings the days again."""

    name = "renumbered-products"
    what = "product numbers in the deliveries get a leading 0; the catalogue does not"
    door = "delivery"

    def alters_delivery(self, day: date) -> bool:
        """The days since the one before day 0, whose file comes in the night, until it is mended."""
        return (day - self.strike).days >= -1 and self.mended is None

    def delivery(self, day: date, rows: pd.DataFrame) -> pd.DataFrame:
        """The numbers as the file has them."""
        return rows.assign(**{PRODUCT: "0" + rows[PRODUCT].astype(str)})

    def is_bad(self, answer: Answer) -> bool:
        """A list that names a product which the shop does not sell."""
        return not answer.sold.issuperset(answer.products)

    def asked(self, day: date) -> Said:
        """From this day on the files are right, and those that were wrong are brought again."""
        if self.mended:
            return Said()
        self.mended = day
        wrong = pd.date_range(self.strike - timedelta(days=1), day - timedelta(days=1))
        return Said(right=False, bring_again=tuple(wrong.date))

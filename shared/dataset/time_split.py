"""What was known through a day, and what came after it."""

from datetime import date, timedelta

import pandas as pd

from shared.columns import TIME


def split_by_time(transactions: pd.DataFrame, last_day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows up to and including `last_day`, and the rows after it.

    >>> rows = pd.DataFrame({"time": pd.to_datetime(["2017-01-01 23:59", "2017-01-02 00:00"])})
    >>> before, after = split_by_time(rows, date(2017, 1, 1))
    >>> len(before), len(after)
    (1, 1)
    """
    known = transactions[TIME] < pd.Timestamp(last_day + timedelta(days=1))
    return transactions[known], transactions[~known]

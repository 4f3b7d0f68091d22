"""How much of what goes wrong with a day's export is found: kinds of harm x 20 seeds, and false alarms.

Run it by hand: `.venv/bin/python -m benchmarks.bad_data`. A seed picks a day of the real year, at least four
weeks after its start, and the details. False alarms are counted on all days of 2017 as they are.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, QUANTITY, STORE, TIME, TRANSACTIONS
from shared.dataset.checks import check_day, check_days
from shared.dataset.feed import Feed, open_feed
from shared.dataset.reference import ReferenceReader

SEEDS = 20
TEXT = [CUSTOMER, BASKET, PRODUCT, STORE]
NO_CATALOGUE = pd.Index([])
Chance = np.random.Generator
Harm = Callable[[pd.DataFrame, Feed, date, Chance], pd.DataFrame]


def some(rows: pd.DataFrame, chance: Chance, least: float = 0.01, most: float = 0.3) -> np.ndarray:
    """A mask of some of the rows."""
    mask = chance.random(len(rows)) < chance.uniform(least, most)
    mask[chance.integers(len(rows))] = True
    return mask


def renamed(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """A column has another name."""
    name = chance.choice(TRANSACTIONS)
    return rows.rename(columns={name: chance.choice([name.upper(), f"{name}_new", name[:-1], f" {name}"])})


def missing(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """A column is not there."""
    return rows.drop(columns=chance.choice(TRANSACTIONS))


def retyped(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Identifiers as numbers; numbers or times as text."""
    name = chance.choice(TRANSACTIONS)
    return rows.assign(**{name: rows[name].astype("int64" if name in TEXT else "str")})


def nulls(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Some values of a column are missing."""
    name = chance.choice(TRANSACTIONS)
    return rows.assign(**{name: rows[name].mask(some(rows, chance))})


def cents(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Amounts x 100: all of them, or those of one store in three."""
    stores = rows[STORE].unique()
    share = chance.choice([1.0, 0.33])
    hit = rows[STORE].isin(chance.choice(stores, int(np.ceil(share * len(stores))), replace=False))
    return rows.assign(**{AMOUNT: rows[AMOUNT] * np.where(hit, 100, 1)})


def grams(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """All quantities x 1000."""
    return rows.assign(**{QUANTITY: rows[QUANTITY] * 1000})


def negative(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Some amounts have the wrong sign."""
    return rows.assign(**{AMOUNT: rows[AMOUNT].mask(some(rows, chance), -rows[AMOUNT] - 0.01)})


def doubled(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """The whole day, or some of its rows, twice."""
    again = rows if chance.random() < 0.5 else rows[some(rows, chance)]
    return pd.concat([rows, again], ignore_index=True)


def half_the_stores(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Half of the day's stores delivered nothing."""
    stores = rows[STORE].unique()
    return rows[rows[STORE].isin(chance.choice(stores, len(stores) // 2, replace=False))]


def rekeyed(name: str) -> Harm:
    """Identifiers of another system: a prefix, a shift, leading zeros lost or added, or all shuffled."""

    def harm(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
        way = chance.integers(4)
        if way == 0:
            return rows.assign(**{name: "X" + rows[name]})
        if way == 1:
            return rows.assign(**{name: (rows[name].astype("int64") + 10_000_000).astype("str")})
        if way == 2:
            return rows.assign(**{name: rows[name].str.zfill(12)})
        known = feed.between(day - timedelta(days=27), day)[name].unique()
        return rows.assign(**{name: rows[name].map(dict(zip(known, chance.permutation(known), strict=True)))})

    return harm


def encoding(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Some identifiers hold a replacement character, or UTF-8 read as Latin-1."""
    name, letter = chance.choice(TEXT), chance.choice(["\ufffd", "Ã¼", "â€™"])
    return rows.assign(**{name: rows[name].mask(some(rows, chance), rows[name] + letter)})


def truncated(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Only the first 10 to 90 % of the rows."""
    return rows.iloc[: int(chance.uniform(0.1, 0.9) * len(rows))]


def hour_missing(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Two hours of the busy half of the day are missing."""
    first = chance.integers(15, 22)
    return rows[~rows[TIME].dt.hour.isin([first, first + 1])]


def another_day(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """The file of another day, or some of its rows among this day's."""
    other = feed.day(feed.days[int(chance.integers(feed.days.index(day)))])
    return other if chance.random() < 0.5 else pd.concat([rows, other[some(other, chance)]], ignore_index=True)


def yesterday_again(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """The last day's rows under today's date, with the same baskets or new ones."""
    last = feed.days[feed.days.index(day) - 1]
    again = feed.day(last)
    again = again.assign(**{TIME: again[TIME] + pd.Timedelta(day - last)})
    return again if chance.random() < 0.5 else again.assign(**{BASKET: "9" + again[BASKET]})


def future(rows: pd.DataFrame, feed: Feed, day: date, chance: Chance) -> pd.DataFrame:
    """Some rows are of a later day, month or century."""
    later = pd.Timedelta(days=int(chance.choice([1, 30, 36_525])))
    return rows.assign(**{TIME: rows[TIME].mask(some(rows, chance), rows[TIME] + later)})


KINDS: dict[str, Harm] = {
    "renamed column": renamed,
    "missing column": missing,
    "retyped column": retyped,
    "nulls": nulls,
    "amounts x 100": cents,
    "quantities x 1000": grams,
    "negative amounts": negative,
    "rows twice": doubled,
    "half the stores missing": half_the_stores,
    "products re-keyed": rekeyed(PRODUCT),
    "customers re-keyed": rekeyed(CUSTOMER),
    "bad encoding": encoding,
    "truncated file": truncated,
    "two hours missing": hour_missing,
    "rows of another day": another_day,
    "yesterday again": yesterday_again,
    "future dates": future,
}


def found(feed: Feed, harm: Harm, seed: int) -> bool:
    """Whether the checks, without a catalogue, find the harm that a seed does; undone harm would be a mistake here."""
    chance = np.random.default_rng(seed)
    possible = [day for day in feed.days if feed.first_day + timedelta(weeks=4) <= day <= date(2017, 12, 31)]
    day = possible[int(chance.integers(len(possible)))]
    rows = harm(feed.day(day), feed, day, chance)
    return len(check_day(rows, day, NO_CATALOGUE, ReferenceReader(feed).reference(day))) > 0


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as temporary:
        began = time.perf_counter()
        feed = open_feed(Path(temporary) / "shop")
        prepared = time.perf_counter()
        year = [day for day in feed.days if day.year == 2017]
        alarms = check_days(feed, year)
        checked = time.perf_counter()
        counts = {name: sum(found(feed, harm, seed) for seed in range(SEEDS)) for name, harm in KINDS.items()}
    width = max(map(len, counts))
    for name, count in counts.items():
        print(f"{name:<{width}}  {count:>2} of {SEEDS}")
    total = SEEDS * len(counts)
    print(f"{'all':<{width}}  {sum(counts.values())} of {total}, {sum(counts.values()) / total:.1%}")
    print(f"false alarms: {alarms['day'].nunique()} of {len(year)} real days of 2017")
    print(f"{prepared - began:.1f} s to prepare the year, {checked - prepared:.1f} s to check its days")


if __name__ == "__main__":
    main()

"""One day, read once: what was delivered, bought and served, and what was known in its morning.

`loop.tick` makes it and hands it to all that looks back.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import pandas as pd

from level3_cicd.assortment import KNOWN_DAYS, new_share
from level3_cicd.ledger import Row
from level4_monitoring.predictions import Log, read_log
from level4_monitoring.refresh import up_to_date
from shared.dataset.feed import Feed
from shared.dataset.purchases import purchases
from shared.errors import IntegrityError
from shared.model.popular import Popular
from shared.release.bundle import open_bundle
from shared.release.manifest import HISTORIES, open_histories_manifest
from shared.release.pointer import Pointer, read_pointer


@dataclass(frozen=True)
class Day:
    """A day. feed: without what is in quarantine; delivered: the day's transactions; bought: who bought what.

    live: the live release's model, with the customers' histories through the day before; None if there is none.
    pointer: of what is live in the evening; through: the last day that its histories know of. in_quarantine: then
    delivered and bought are empty.
    """

    day: date
    feed: Feed
    delivered: pd.DataFrame
    bought: pd.DataFrame
    log: Log
    pointer: Pointer | None
    live: Popular | None
    through: date | None = None
    in_quarantine: bool = False

    @property
    def before(self) -> date:
        """The day before."""
        return self.day - timedelta(days=1)

    @cached_property
    def catalogue(self) -> pd.DataFrame:
        """The shop's products, read once."""
        return self.feed.products()

    @cached_property
    def recent(self) -> pd.DataFrame:
        """The transactions of the eight weeks before the day, read once."""
        return self.feed.between(self.day - timedelta(days=KNOWN_DAYS), self.before)


def read_day(level: Path, feed: Feed, day: date, live: Row | None, in_quarantine: bool = False) -> Day:
    """Read a day, and open what was live on it. Raises IntegrityError if the live release is damaged."""
    delivered = feed.day(day)
    pointer = read_pointer(level)
    model, through = None, None
    if live and pointer and (pointer.release, pointer.bundle_digest) == (live.release, live.bundle_digest):
        before = day - timedelta(days=1)
        model = open_bundle(level / pointer.bundle, pointer.bundle_digest).model
        through = named_through(level, pointer)
        model.with_histories(up_to_date(level, pointer, feed, before))
    bought, log = purchases(delivered), read_log(level, day)
    return Day(day, feed, delivered, bought, log, pointer, model, through, in_quarantine)


def named_through(level: Path, pointer: Pointer) -> date | None:
    """The last day that the histories know of which a pointer names; None if they are damaged."""
    folder = level / (pointer.histories or f"{pointer.bundle}/{HISTORIES}")
    with suppress(IntegrityError):
        return date.fromisoformat(open_histories_manifest(folder)["through"])
    return None


def share_of_new_products(day: Day) -> float | None:
    """The share of the day's sales whose product nobody bought in the eight weeks before; None without sales."""
    return new_share(day.delivered, day.recent)

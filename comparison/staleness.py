"""What being old costs: how much better a live release's lists were with fresh histories, and those with fresh
parameters. Measured each seventh day of the quiet season, so that a level's lead can be told apart by its cause.
"""

import pickle
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from comparison.world import World, customers_of, days_between
from shared.errors import MlopsError
from shared.model.carrying import carry
from shared.model.frecency import Frecency
from shared.model.histories import Histories, gather
from shared.model.metrics import score_customers
from shared.model.popular import Popular
from shared.release.bundle import open_bundle
from shared.release.pointer import require_pointer


class Nightly:
    """Histories and models of the last night, from all that was bought."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._last: Histories | None = None

    def histories(self, through: date) -> Histories:
        """Histories through a day, carried forward from those that were asked for before."""
        if self._last is None or self._last.day > through:
            self._last = gather(self._world.known_through(through), through)
        elif self._last.day < through:
            missing = days_between(self._last.day + timedelta(days=1), through)
            rows = pd.concat([self._world.rows(day) for day in missing], ignore_index=True)
            self._last = carry(self._last, rows, through)
        return self._last

    def ndcg(self, day: date, model: Popular | None = None) -> float:
        """The sum of NDCG@10 over a day's shoppers: of a model with the night's histories, or of one trained then."""
        histories, bought = self.histories(day - timedelta(days=1)), self._world.bought(day)
        if bought.empty:
            return 0.0
        ready = model.with_histories(histories) if model else Frecency().learn(histories)
        return float(score_customers(ready.recommend(customers_of(bought)), bought)["ndcg"].sum())


class Staleness:
    """Measures a level."""

    def __init__(self, world: World) -> None:
        self._nightly = Nightly(world)

    def measure(self, level: int, folder: Path, day: date) -> dict[str, float]:
        """The sums of NDCG@10 over a day's shoppers with fresh histories, and with fresh parameters as well.

        Empty where nothing is live.
        """
        model = live_model(level, folder)
        if model is None:
            return {}
        return {"fresh_histories": self._nightly.ndcg(day, model), "fresh_parameters": self._nightly.ndcg(day)}


def live_model(level: int, folder: Path) -> Popular | None:
    """The model that answers at a level; None where nothing is live, or it does not open."""
    try:
        if level == 1:
            written = (folder / "server" / "model.pkl").read_bytes()
            model: Popular = pickle.loads(written)[0]  # noqa: S301  the season's own level has written it
            return model
        pointer = require_pointer(folder)
        return open_bundle(folder / pointer.bundle, pointer.bundle_digest).model
    except (OSError, MlopsError, pickle.UnpicklingError, EOFError):
        return None

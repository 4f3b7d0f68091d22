"""Days and comparisons that the tests of level 4 are written with."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from level3_cicd.deploy import pointer_to, with_later_histories
from level3_cicd.ledger import Row, append, hash_of, plain
from level3_cicd.rollout.switch import locked, switch
from level4_monitoring.act import Evening
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.decide import Seen
from level4_monitoring.figures import Sample
from level4_monitoring.kept import Alarm, Kept
from level4_monitoring.monitor import products_by_customer
from level4_monitoring.past import Past
from level4_monitoring.predictions import Writer
from level4_monitoring.verdicts import Comparison
from shared.columns import CUSTOMER, PRODUCT, TIME
from shared.config import read_config
from shared.model.frecency import Frecency
from shared.model.popular import Popular
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import verify
from shared.release.pointer import require_pointer
from shared.service.follower import load
from shared.service.recommendations import Asked
from tests.conftest import FIRST_DAY, copy_shop, make_products, make_transactions

LIMITS = read_config(CONFIG, LoopConfig)
BEGINNING = date(2017, 3, 1)


def day(number: int) -> date:
    """The day with a number, from 0."""
    return BEGINNING + timedelta(days=number)


def days_with(name: str, values: Sequence[float | None]) -> list[Kept]:
    """Days in a row with one value each."""
    return [Kept(day(number), {name: value}) for number, value in enumerate(values)]


def alarmed(days: dict[int, tuple[Alarm, ...]], until: int) -> list[Kept]:
    """Days 0 to `until`, with alarms on some."""
    return [Kept(day(number), {"bought": 300.0}, days.get(number, ())) for number in range(until + 1)]


def compared(kind: str = "challenger", **changes: object) -> Comparison:
    """A comparison on its seventh day, with plenty of pairs and no difference."""
    known = Comparison(
        kind="challenger",
        release="1.1",
        live="1.0",
        began=day(0),
        days=7,
        pairs=2400,
        customers=900,
        mean=0.2,
        difference=0.0,
        deviation=0.05,
        early_pairs=2400,
        early_customers=900,
    )
    return replace(known, kind=kind, **changes)  # type: ignore[arg-type]


def seen(**changes: object) -> Seen:
    """An evening on which nothing is to be done: trained three days ago, nothing compared."""
    return replace(Seen(day(10), "1.0", last_training=day(7)), **changes)  # type: ignore[arg-type]


def small_limits(**changes: dict) -> LoopConfig:
    """The limits, but for a shop of 20 customers and a hasty schedule; `changes` by section."""
    data = LIMITS.model_dump()
    data["pairs"] |= {"least": 10, "least_customers": 5}
    data["schedule"] |= {"challenger_every_days": 3}
    data["challenger"] |= {"from_day": 3, "least_gain": 0.05}
    for section, values in changes.items():
        data[section] |= values
    return LoopConfig.model_validate(data)


def row(step: str, verdict: str, number: int = 0, **more: Any) -> Row:
    """A row of the ledger on the day with a number; its hash is of its content."""
    made = Row(day(number), step, verdict, more.pop("reason", "because"), recorded_at=datetime(2017, 3, 1), **more)
    return replace(made, hash=hash_of("", plain(made)))


def decided(verdict: str, number: int, alarms: tuple[Alarm, ...] = (), **more: Any) -> Row:
    """A decision's row."""
    numbers = {"kept": Kept(day(number), {"bought": 300.0}, alarms).as_data(), "decision": more.pop("decision", {})}
    return row("decide", verdict, number, numbers=numbers, **more)


def outcome(decision: Row, verdict: str = "done") -> Row:
    """The row of what came of a decision."""
    return row("outcome", verdict, (decision.as_of - BEGINNING).days, numbers={"decision": decision.hash, "alarms": []})


def gate(release: str, number: int, verdict: str = "passed", **more: Any) -> Row:
    """The gate's row on a release."""
    return row("gate", verdict, number, release=release, bundle_digest=f"digest of {release}", **more)


def live(release: str, number: int, sequence: int, step: str = "deploy", **more: Any) -> Row:
    """A row after which a release is live."""
    more |= {"release": release, "bundle_digest": f"digest of {release}", "sequence": sequence}
    return row(step, "live", number, **more)


def loyal(days: int) -> pd.DataFrame:
    """Twenty customers who buy the same two products every day: own histories know all, popularity little."""
    often = make_transactions(days=days)
    number = often[CUSTOMER].str[1:].astype(int)
    bought = [often.assign(**{PRODUCT: [f"p{(at + more) % 20:02}" for at in number]}) for more in (0, 7)]
    return pd.concat(bought).sort_values(TIME, ignore_index=True)


class SmallShop:
    """A home with loyal customers as its shop, and level 4's folder; nothing is started.

    Training and deploying speak to no registry here: `Actions` stand in for level 3's pipeline.
    """

    def __init__(self, home: Path, days: int = 40) -> None:
        self.home, self.level, self.shop = home, home / "level4", home / "shop"
        self.transactions = loyal(days)
        self.feed = copy_shop(f"loyal {days}", self.shop, lambda: self.transactions, products=21)
        self.level.mkdir()

    def day(self, number: int) -> date:
        """The shop's day with a number, from 0."""
        return FIRST_DAY + timedelta(days=number)

    def train(self, release: str, number: int, model: Popular, actor: str = "operator", verdict: str = "passed") -> Row:
        """A release in the level's own store, with the gate's row on it."""
        as_of = self.day(number)
        folder = self.level / "bundles" / release
        made = model.fit(self.feed.through(as_of), as_of=as_of)
        shutil.rmtree(folder, ignore_errors=True)  # what a training left that was killed
        digest = write_bundle(folder, made, make_products(), Evidence(self.feed.digest(as_of), "code"))
        scored = {"metrics": {"ndcg_at_10": 0.2}}
        told = Row(as_of, "gate", verdict, "fine", release, digest, actor=actor, numbers=scored)
        return append(self.level, told)

    def deploy(self, release: str, number: int, actor: str = "operator") -> Row:
        """Make a release live, as level 3's deployment does once it is fetched and tried out."""
        bundle = verify(self.level / "bundles" / release)
        pointer = with_later_histories(pointer_to(release, bundle), bundle, self.level)
        with locked(self.level):
            return switch(self.level, bundle, pointer, self.day(number), "deploy", actor, "tried out")

    def serve(
        self, number: int, release: str, customers: Sequence[str] = (), k: int = 10, by: str = "customer"
    ) -> None:
        """Lists as the service would log them, from what is live, in the morning of a day."""
        pointer = require_pointer(self.level)
        opened = load(self.level, pointer)
        asked = list(customers) or [f"c{number:02}" for number in range(20)]
        lists = products_by_customer(opened.bundle.model, asked, k)
        writer = Writer(self.level, lambda: datetime.combine(self.day(number), time(8)), seconds=0.0)
        writer.note(replace(opened, release=release), Asked(by, k), lists)


class Actions:
    """Stand-ins for what acts by MLflow and Prefect. done: what was asked for, in order; failing: raised instead."""

    def __init__(self, shop: SmallShop, model: Callable[[], Popular] = Frecency) -> None:
        self.shop, self.model = shop, model
        self.done: list[tuple[str, date]] = []
        self.failing: Exception | None = None

    def retrain(self, decision: Row, evening: Evening, past: Past) -> str:
        """Train the next release."""
        self._note("retrain", evening)
        number = len([known for known in past.rows if known.step == "gate"])
        self.shop.train(f"1.{number}", (evening.day - FIRST_DAY).days, self.model(), actor="loop")
        return "trained"

    def promote(self, decision: Row, evening: Evening, past: Past) -> str:
        """Deploy a challenger."""
        self._note("promote", evening)
        return self.shop.deploy(decision.release, (evening.day - FIRST_DAY).days, actor="loop").reason

    def _note(self, action: str, evening: Evening) -> None:
        if self.failing:
            raise self.failing
        self.done.append((action, evening.day))


def sample(minute: int, questions: float = 0, errors: float = 0, slow: float = 0, release: str = "1.0") -> Sample:
    """A look at a service, in a minute. slow: questions that took longer than 10 ms."""
    counts = {"2xx": questions - errors, "5xx": errors, "answers": questions - errors, "empty": 0.0, "fallbacks": 0.0}
    within = {"0.01": questions - slow, "+Inf": questions}
    return Sample(60.0 * minute, release=release, counts=counts, within=within, histories_age=0.0)

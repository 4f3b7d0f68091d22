"""What `make level4` plays: about eighty days of the loop, from 27 February on, with nobody at it.

No metric and no verdict is set. What happens to the shop is set: on 10 April half of the customers' cards are
re-issued, so that their histories belong to others; the day after a release that suits this went live, the shop gives
the cards back; and once an export comes with its amounts in cents. Everything else is what the loop makes of it.
The story has a home of its own, so that nothing else is touched.
"""

import argparse
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

import level4_monitoring.serve
from comparison.customers import Service, shop
from level3_cicd import deploy, pipeline
from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.ledger import Row, all_rows
from level4_monitoring import hands, loop
from level4_monitoring.config import CONFIG as LOOP_CONFIG
from level4_monitoring.config import LoopConfig
from level4_monitoring.day import read_day
from level4_monitoring.explain import tell_drift, tell_releases
from level4_monitoring.kept import Kept, read_kept
from level4_monitoring.monitor import write_page
from level4_monitoring.past import Past
from shared.columns import AMOUNT, CUSTOMER
from shared.config import read_config
from shared.dataset.clock import set_known_through
from shared.dataset.feed import Feed, open_feed
from shared.dataset.writing import write_day, write_record
from shared.errors import MlopsError
from shared.places import home, level_folder, set_aside, shop_folder
from shared.program import run_program

OPENING = date(2017, 2, 27)
REISSUED = date(2017, 4, 10)
FIRST_HALF_LIFE = 14.0
MOST_DAYS = 95
NEVER = date(2100, 1, 1)
SEED = 17
Tell = Callable[[str], None]
Change = Callable[[pd.DataFrame], pd.DataFrame]


def as_it_is(rows: pd.DataFrame) -> pd.DataFrame:
    """A day as it was."""
    return rows


def reissue(customers: np.ndarray) -> Change:
    """Half of the cards go to another customer each, and stay there."""
    chosen = np.sort(customers.astype(str))[::2]
    given = np.random.default_rng(SEED).permutation(chosen)
    card = dict(zip(given, np.roll(given, 1), strict=True))
    return lambda rows: rows.assign(**{CUSTOMER: rows[CUSTOMER].map(lambda name: card.get(name, name))})


def in_cents(rows: pd.DataFrame) -> pd.DataFrame:
    """A bad batch: the amounts are a hundred times too high."""
    return rows.assign(**{AMOUNT: rows[AMOUNT] * 100})


@dataclass
class GrowingShop:
    """A copy of the real shop, to which each day comes when it is over, as it was or changed."""

    real: Feed
    folder: Path

    def open_with(self, through: date) -> None:
        """The days through one of them."""
        (self.folder / "days").mkdir(parents=True)
        shutil.copy(self.real.catalogue_file, self.folder / "products.parquet")
        known = {day: entry for day, entry in self.real.about["days"].items() if day <= through.isoformat()}
        for day in known:
            os.link(self.real.file(date.fromisoformat(day)), self.folder / "days" / f"{day}.parquet")
        write_record(self.folder, {**self.real.about, "days": known, "catalogue": "products.parquet"})
        set_known_through(self.folder, through)

    def arrive(self, day: date, change: Change) -> None:
        """A day is delivered."""
        about = dict(Feed(self.folder).about)
        rows = change(self.real.day(day)).astype({CUSTOMER: object})
        written = write_day(self.folder / "days" / f"{day}.parquet", rows)
        write_record(self.folder, {**about, "days": {**about["days"], day.isoformat(): written}})
        set_known_through(self.folder, day)


@dataclass
class Events:
    """What has happened so far, by its name, with its day: the story goes on by it."""

    days: dict[str, date] = field(default_factory=dict)

    def note(self, row: Row, kept: Kept) -> None:
        """What a tick adds."""
        answers_alarm = "trigger" in row.numbers["decision"]
        names = {
            f"{row.verdict} {row.release}".strip(): row.verdict not in ("hold", "retrain"),
            "quality alarm": kept.raised("quality"),
            "training for the alarm": answers_alarm,
            "quarantine": kept.raised("quarantine"),
        }
        trained_at = self.days.get("training for the alarm", NEVER)
        names["promotion in the new world"] = row.verdict == "promote" and row.as_of > trained_at
        for name in ("promote", "close", "roll back"):
            names[name] = row.verdict == name
        for name, happened in names.items():
            if happened:
                self.days.setdefault(name, row.as_of)

    def __contains__(self, name: str) -> bool:
        return name in self.days


EXPECTED = (
    "promote",
    "close",
    "quality alarm",
    "training for the alarm",
    "promotion in the new world",
    "roll back",
    "quarantine",
)


@dataclass
class Story:
    """The days, one after the other."""

    shop: GrowingShop
    tell: Tell
    limits: LoopConfig
    events: Events = field(default_factory=Events)
    service: Service = field(default_factory=Service)
    today: date = OPENING

    def first_release(self) -> None:
        """A person's first release: a half-life of 14 days is a guess."""
        as_of = OPENING - timedelta(days=1)
        config = read_config(CONFIG, PipelineConfig)
        config = config.model_copy(update={"parameters": {**config.parameters, "half_life": FIRST_HALF_LIFE}})
        made = pipeline.run(level_folder(4), as_of, config=config)
        deploy.deploy(level_folder(4), made.release, as_of)
        self.tell(f"{as_of}  a person trains {made.release}, with a half-life of 14 days, and makes it live")
        self.service.app = level4_monitoring.serve.app(clock=lambda: self.today)

    def change_of(self, day: date, cards: Change) -> Change:
        """How a day is delivered."""
        if self.bad_batch_on() == day:
            return in_cents
        given_back = self.events.days.get("promotion in the new world", NEVER)
        return cards if REISSUED <= day <= given_back else as_it_is

    def bad_batch_on(self) -> date | None:
        """The day of the bad batch: two days after the rollback."""
        back = self.events.days.get("roll back")
        return back + timedelta(days=2) if back else None

    def is_over(self) -> bool:
        """Whether there is nothing left to happen."""
        return "quarantine" in self.events and self.today > self.events.days["quarantine"]

    def play_day(self, cards: Change) -> None:
        """Customers ask and buy; in the evening the day is delivered, and the loop looks at it."""
        change = self.change_of(self.today, cards)
        if self.today == REISSUED:
            self.tell(f"{self.today}  half of the customers' cards are re-issued; nobody tells the loop")
        if self.today == self.events.days.get("promotion in the new world", NEVER) + timedelta(days=1):
            self.tell(f"{self.today}  the shop gives the cards back; nobody tells the loop")
        self.shop.arrive(self.today, change)
        shop(self.service, Feed(self.shop.folder), self.today)
        row = loop.tick(self.today, self.limits)
        kept = read_kept(row.numbers["kept"])
        self.events.note(row, kept)
        self.tell(line_of(row, kept))


def line_of(row: Row, kept: Kept) -> str:
    """A day in a line."""
    scored = kept.values.get("ndcg")
    alarms = "".join(f"; {alarm.severity.upper()} {alarm.kind}" for alarm in kept.alarms if alarm.kind != "drift")
    served = f"NDCG@10 {scored:.3f}" if scored is not None else "nothing scored"
    return f"{row.as_of}  {served}, {tell_drift(kept)}{alarms}  |  {row.verdict}: {row.reason}"


def play(tell: Tell) -> Events:
    """The whole story. Raises MlopsError if it goes another way than it must."""
    story = Story(GrowingShop(open_feed(real_shop()), shop_folder()), tell, story_limits())
    story.shop.open_with(OPENING - timedelta(days=1))
    cards = reissue(Feed(story.shop.folder).distinct([CUSTOMER])[CUSTOMER].to_numpy())
    story.first_release()
    for number in range(MOST_DAYS):
        story.today = OPENING + timedelta(days=number)
        story.play_day(cards)
        if story.is_over():
            break
    missing = [name for name in EXPECTED if name not in story.events]
    if missing:
        raise MlopsError(f"The story went another way than it must: no {', no '.join(missing)}.")
    end(story)
    return story.events


def story_limits() -> LoopConfig:
    """The loop's configuration, but for the page a day: one at the end will do."""
    known = read_config(LOOP_CONFIG, LoopConfig)
    return known.model_copy(update={"drift": known.drift.model_copy(update={"page_every_day": False})})


def end(story: Story) -> None:
    """What is left to look at: the releases, the rollback's row, one report."""
    level = level_folder(4)
    past = Past(all_rows(level))
    page = level / "reports" / f"{story.today}.html"
    write_page(read_day(level, Feed(story.shop.folder), story.today, past.live), page)
    story.tell(f"\nThe releases:\n{tell_releases(hands.releases(level))}")
    story.tell(f"\nThe rollback, as the ledger has it:\n{hands.explain(level, str(story.events.days['roll back']))}")
    story.tell(f"\nAn Evidently report on the last day: {page}")
    story.tell(f"To look around: MLOPS_HOME={home()} mlops --level 4 loop status")


def real_shop() -> Path:
    """Where the shop lies that the story copies: that of the home in which the story's own home is."""
    return home().parents[1] / "shop"


def main() -> None:
    """Play the story to the terminal, in a home of its own."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.parse_args()

    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    open_feed(shop_folder())
    own = home() / "stories" / "level4"
    aside = set_aside(own)
    if aside:
        tell(f"What the story left before is now in {aside}")
    os.environ["MLOPS_HOME"] = str(own)
    logging.getLogger("level4").setLevel(logging.ERROR)  # the story tells alarms itself
    began = time.monotonic()
    play(tell)
    tell(f"{time.monotonic() - began:.0f} seconds")


if __name__ == "__main__":
    run_program(main)

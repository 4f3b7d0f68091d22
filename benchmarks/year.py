"""Level 4 alone with the real year: a tick each evening from 27 February, by the default model, with Evidently's page.

Run it by hand: `.venv/bin/python -m benchmarks.year [--days N] [--no-pages] [--profile FILE]`, about ten minutes.
Customers ask before they buy, which is simulated; the service is asked in this process. It prints what the loop did and
told, whether each decision is the same when it is asked again, and the CPU seconds of a tick and of all.
"""

import argparse
import cProfile
import logging
import os
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import level4_monitoring.serve
from comparison.customers import Service, shop
from level3_cicd import deploy, pipeline
from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.ledger import all_rows
from level4_monitoring import loop
from level4_monitoring.config import CONFIG as LOOP_CONFIG
from level4_monitoring.config import LoopConfig
from level4_monitoring.decide import decide, read_seen
from level4_monitoring.explain import tell_releases
from level4_monitoring.hands import releases
from level4_monitoring.kept import read_kept
from level4_monitoring.past import DECIDE, Past
from shared.config import read_config
from shared.dataset.feed import Feed, open_feed
from shared.places import level_folder, shop_folder
from stories.level4 import OPENING, GrowingShop, as_it_is

LAST = date(2017, 12, 30)


@dataclass
class Year:
    """The days, and what each cost: CPU seconds of the tick, by what was decided."""

    shop: GrowingShop
    limits: LoopConfig
    service: Service = field(default_factory=Service)
    today: date = OPENING
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def open(self) -> None:
        """A person's first release, as the configuration says, the day before."""
        before = OPENING - timedelta(days=1)
        self.shop.open_with(before)
        made = pipeline.run(level_folder(4), before, config=read_config(CONFIG, PipelineConfig))
        deploy.deploy(level_folder(4), made.release, before)
        self.service.app = level4_monitoring.serve.app(clock=lambda: self.today)

    def play(self, day: date) -> None:
        """A day: customers ask and buy, it is delivered, and the loop ticks."""
        self.today = day
        self.shop.arrive(day, as_it_is)
        shop(self.service, Feed(self.shop.folder), day)
        began = cpu_seconds()
        row = loop.tick(day, self.limits)
        self.cpu.setdefault(row.verdict, []).append(cpu_seconds() - began)


def cpu_seconds() -> float:
    """CPU seconds of this process and of those that it has started and that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def tell(year: Year, seconds: float, cpu: float) -> None:
    """Print what came of it."""
    past, limits = Past(all_rows(level_folder(4))), year.limits
    decisions = [row for row in past.rows if row.step == DECIDE]
    kept = [read_kept(row.numbers["kept"]) for row in decisions]
    again = [decide(read_seen(row.numbers["seen"]), limits).action == row.verdict for row in decisions]
    scored = [one.values["ndcg"] for one in kept if one.values.get("ndcg") is not None]
    told = [(one.day, alarm) for one in kept for alarm in one.alarms]
    print(f"\n{len(decisions)} days from {OPENING}: {seconds / 60:.1f} minutes, {cpu:.0f} CPU s, training included")
    print(f"served NDCG@10, mean of {len(scored)} days: {statistics.fmean(scored):.4f}")
    print(f"decisions: {dict(Counter(row.verdict for row in decisions))}; asked again the same: {sum(again)}")
    print(f"outcomes: {dict(Counter(row.verdict for row in past.rows if row.step == 'outcome'))}")
    print(f"alarms on days, all of them false: {dict(Counter(alarm.kind for _, alarm in told))}")
    for verdict, costs in year.cpu.items():
        print(f"CPU s of a tick that decides {verdict}: median {statistics.median(costs):.2f}, most {max(costs):.2f}")
    print(tell_releases(releases(level_folder(4))))


def main() -> None:
    """Play the year in a home of its own, with the shop of this one."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--days", type=int, default=(LAST - OPENING).days + 1)
    arguments.add_argument("--no-pages", action="store_true", help="without Evidently's page a day")
    arguments.add_argument("--profile", type=Path, metavar="FILE", help="write cProfile's figures of the ticks")
    asked = arguments.parse_args()
    real, limits = open_feed(shop_folder()), read_config(LOOP_CONFIG, LoopConfig)
    if asked.no_pages:
        limits = limits.model_copy(update={"drift": limits.drift.model_copy(update={"page_every_day": False})})
    logging.getLogger("level4").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["MLOPS_HOME"] = temporary
        year = Year(GrowingShop(real, shop_folder()), limits)
        began, before = time.monotonic(), cpu_seconds()
        year.open()
        profile = cProfile.Profile() if asked.profile else None
        with profile or nullcontext():
            for number in range(asked.days):
                year.play(OPENING + timedelta(days=number))
                sys.stderr.write(f"\r{year.today}")
        if profile:
            profile.dump_stats(asked.profile)
        tell(year, time.monotonic() - began, cpu_seconds() - before)


if __name__ == "__main__":
    main()

"""When is it right to train? Policies by seasons, with frecency and daily refresh; by hand, at most 30 minutes.

    python -m benchmarks.triggers [--quick] [--only noise challengers retired seasons gains]

Each part prints its table with the bars of level 4, met or by how much not. Every season is made from the real year:
as it was; with its days in another order (nothing changes in such a year); with products renamed, cards re-issued,
prices raised, feedback poisoned. No limit was chosen on the seeds below. The figures are of simulated shoppers of
one retailer: trust signs and sizes, not digits.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd

from level3_cicd import drift
from level3_cicd.assortment import KNOWN_DAYS
from level4_monitoring import detect
from level4_monitoring.confidence import summarize_pairs
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.decide import Seen, decide
from level4_monitoring.kept import Kept
from level4_monitoring.triggers import trigger_days
from level4_monitoring.verdicts import Comparison
from shared.columns import AMOUNT, BASKET, CUSTOMER, PRODUCT, TIME
from shared.config import read_config
from shared.dataset.feed import Feed, open_feed
from shared.dataset.purchases import purchases, sold
from shared.model.carrying import carry
from shared.model.frecency import Frecency
from shared.model.histories import Histories, gather
from shared.model.metrics import score_customers
from shared.places import shop_folder

LIMITS = read_config(CONFIG, LoopConfig)
SEED = 20171125
OPENING = date(2017, 2, 27)
LAST = date(2017, 12, 30)
# A shift is looked at for so many days; it may begin where the detector is armed.
WATCHED = 14
FIRST_START = date(2017, 5, 15)
Rows = Callable[[date], pd.DataFrame]


# --- Independent normal days -------------------------------------------------------------------------------------


def false_alarms_on_noise(days: int, chance: np.random.Generator) -> dict[str, float]:
    """False alarms per 1,000 independent normal days, of each detector, with the reference that the loop has."""
    values = chance.standard_normal(days + 70)
    quality = LIMITS.quality
    bets, found = np.zeros(len(detect.BETS)), 0
    cusum, cusum_found, week_found, quiet = 0.0, 0, 0, 0
    for at in range(70, days + 70):
        reference = values[at - quality.reference_ended_days_ago - quality.reference_days + 1 : at - 6]
        state, bets = detect.after_day(bets, values[at], reference, quality)
        found += state.evidence >= quality.alarm
        z = (values[at] - reference.mean()) / reference.std(ddof=1)
        cusum = max(0.0, cusum - z - 0.5)
        if cusum >= 8:
            cusum, cusum_found = 0.0, cusum_found + 1
        quiet = max(0, quiet - 1)
        if not quiet and values[at - 6 : at + 1].mean() < reference.mean() - 2 * reference.std(ddof=1) / np.sqrt(7):
            week_found, quiet = week_found + 1, 7
    counted = {"ours": found, "CUSUM": cusum_found, "7-day mean": week_found}
    return {name: 1000 * number / days for name, number in counted.items()}


# --- Challengers and retired releases, resampled -----------------------------------------------------------------


@dataclass(frozen=True)
class PairedDays:
    """Real pairs of two releases: customer (index), day (from 1), difference; arrays (n,). mean: of the champion."""

    customer: np.ndarray
    day: np.ndarray
    difference: np.ndarray
    mean: float


def paired_days(feed: Feed, first: date, days: int, half_life: float) -> PairedDays:
    """Frecency with a half-life, trained a week later, beside frecency, day by day, with the histories of the morning.

    Lists of neighbouring trainings hardly differ; those of another half-life do, so that more is left to chance.
    """
    known = gather(feed.through(first - timedelta(days=8)), first - timedelta(days=8))
    older = Frecency().learn(known)
    newer = Frecency(half_life=half_life).learn(
        carry(known, feed.between(known.day + timedelta(days=1), first), first - timedelta(days=1))
    )
    frames, means, histories = [], [], newer.histories_
    for number in range(1, days + 1):
        day = first + timedelta(days=number - 1)
        bought = purchases(feed.day(day))
        scores = [ndcg(model.with_histories(histories), bought) for model in (older, newer)]
        frames.append(
            pd.DataFrame({CUSTOMER: scores[0].index, "day": number, "by": (scores[1] - scores[0]).to_numpy()})
        )
        means.append(float(scores[0].mean()))
        histories = carry(histories, feed.day(day), day)
    together = pd.concat(frames)
    customer, _ = pd.factorize(together[CUSTOMER])
    return PairedDays(customer, together["day"].to_numpy(), together["by"].to_numpy(), float(np.mean(means)))


def ndcg(model: Frecency, bought: pd.DataFrame) -> pd.Series:
    """NDCG@10 by customer."""
    return score_customers(model.recommend(bought[CUSTOMER].unique()), bought)["ndcg"]


def made_equal(pairs: PairedDays, each_day: bool) -> PairedDays:
    """The same pairs with a mean difference of 0: on each day, or over all days, of which some are then better."""
    which = pairs.day if each_day else np.zeros_like(pairs.day)
    means = np.bincount(which, pairs.difference) / np.maximum(np.bincount(which), 1)
    return replace(pairs, difference=pairs.difference - means[which])


def resampled(pairs: PairedDays, gain: float, chance: np.random.Generator) -> PairedDays:
    """As many customers, drawn with replacement, with all their days; `gain` of the mean is added to the difference."""
    drawn = chance.integers(0, pairs.customer.max() + 1, pairs.customer.max() + 1)
    order = np.argsort(pairs.customer, kind="stable")
    starts = np.searchsorted(pairs.customer[order], np.arange(pairs.customer.max() + 2))
    rows = [order[starts[one] : starts[one + 1]] for one in drawn]
    kept = np.concatenate(rows)
    named = np.repeat(np.arange(len(drawn)), [len(row) for row in rows])
    return PairedDays(named, pairs.day[kept], pairs.difference[kept] + gain * pairs.mean, pairs.mean)


def played(pairs: PairedDays, kind: str, days: Iterable[int]) -> tuple[str, int]:
    """What the loop decides of a comparison, and on which day; ("hold", 0) if nothing."""
    for number in days:
        seen = pairs.day <= number
        found = summarize_pairs(pairs.customer[seen], pairs.difference[seen])
        compared = Comparison(
            kind="retired" if kind == "retired" else "challenger",
            release="other", live="live", began=OPENING, days=number, pairs=found.pairs, customers=found.customers,
            mean=pairs.mean, difference=found.mean, deviation=found.deviation, early_pairs=found.pairs,
            early_customers=found.customers,
        )  # fmt: skip
        today = OPENING + timedelta(days=number)
        decision = decide(Seen(today, "live", comparison=compared, last_training=today), LIMITS)
        if decision.action != "hold":
            return decision.action, number
    return "hold", 0


def decided(pairs: PairedDays, kind: str, gain: float, times: int, days: range, seed: int) -> dict[str, list[int]]:
    """The days of each decision, over many resampled comparisons with one true gain."""
    chance = np.random.default_rng(seed)
    found: dict[str, list[int]] = {}
    for _ in range(times):
        action, day = played(resampled(pairs, gain, chance), kind, days)
        found.setdefault(action, []).append(day)
    return found


# --- Seasons -----------------------------------------------------------------------------------------------------


def permuted(feed: Feed, seed: int) -> Rows:
    """The year with its days in another order, each on a day of its weekday: a world in which nothing changes."""
    chance = np.random.default_rng(seed)
    days = [feed.first_day + timedelta(days=number) for number in range((LAST - feed.first_day).days + 1)]
    days = [day for day in days if day not in LIMITS.calendar.holidays]
    source = {}
    for weekday in range(7):
        same = [day for day in days if day.weekday() == weekday]
        source |= dict(zip(same, (same[at] for at in chance.permutation(len(same))), strict=True))

    def rows(day: date) -> pd.DataFrame:
        known = feed.day(source.get(day, day))
        return known.assign(**{TIME: pd.Timestamp(day) + (known[TIME] - known[TIME].dt.normalize())})

    return rows


def renamed(share: float, seed: int, products: Sequence[str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A share of the products gets new numbers."""
    chosen = np.random.default_rng(seed).permutation(sorted(products))[: int(share * len(products))]
    names = {name: f"renamed-{name}" for name in chosen}
    return lambda rows: rows.assign(**{PRODUCT: rows[PRODUCT].map(lambda name: names.get(name, name))})


def reissued(share: float, seed: int, customers: Sequence[str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A share of the cards goes to other customers."""
    chosen = np.random.default_rng(seed).permutation(sorted(customers))[: int(share * len(customers))]
    card = dict(zip(chosen, np.roll(chosen, 1), strict=True))
    return lambda rows: rows.assign(**{CUSTOMER: rows[CUSTOMER].map(lambda name: card.get(name, name))})


def dearer(rows: pd.DataFrame) -> pd.DataFrame:
    """Prices 3 % higher: harmless."""
    return rows.assign(**{AMOUNT: rows[AMOUNT] * 1.03})


def poisoned(rows: pd.DataFrame) -> pd.DataFrame:
    """250 customers who do not exist buy one product."""
    one = rows.iloc[[0]]
    fakes = pd.concat([one] * 250, ignore_index=True)
    named = {CUSTOMER: [f"fake{at}" for at in range(250)], BASKET: [f"fake{at}" for at in range(250)]}
    return pd.concat([rows, fakes.assign(**named)], ignore_index=True)


@dataclass
class Season:
    """Days one after the other, with the loop's values of each: what a release with daily refresh serves.

    last_sold: the last day on which anybody bought a product.
    """

    rows: Rows
    first: date
    model: Frecency
    last_sold: dict[str, date] = field(default_factory=dict)

    def values(self, day: date) -> dict[str, float | None]:
        """A day's precision, NDCG and share of new products; then the day is known."""
        delivered = self.rows(day)
        bought = purchases(delivered)
        if bought.empty:
            return {"rows": 0.0}
        scores = score_customers(self.model.recommend(bought[CUSTOMER].unique()), bought)
        goods = sold(delivered)[PRODUCT].value_counts()
        new = [(day - self.last_sold.get(name, date.min)).days > KNOWN_DAYS for name in goods.index]
        self.model.with_histories(carry(self.model.histories_, delivered, day))
        self.last_sold |= dict.fromkeys(goods.index, day)
        return {
            "rows": float(len(delivered)), "bought": float(len(scores)), "precision": float(scores["precision"].mean()),
            "ndcg": float(scores["ndcg"].mean()), "new_products": float(goods[new].sum() / goods.sum()),
        }  # fmt: skip


def season(rows: Rows, feed: Feed, first: date) -> Season:
    """A season that begins after a day, with frecency that knows all days before."""
    days = [feed.first_day + timedelta(days=number) for number in range((first - feed.first_day).days)]
    known = pd.concat([rows(day) for day in days])
    last = sold(known).groupby(PRODUCT)[TIME].max().dt.date
    return Season(rows, first, Frecency().fit(known, as_of=first - timedelta(days=1)), last.to_dict())


def play(one: Season, last: date) -> list[Kept]:
    """The kept days of a season, with their alarms."""
    history: list[Kept] = []
    for day in days_between(one.first, last):
        values = one.values(day)
        counts = bool(values["rows"]) and day not in LIMITS.calendar.holidays
        history.append(with_alarms([*history, Kept(day, values, counts=counts)]))
    return history


def with_alarms(history: list[Kept]) -> Kept:
    """The last day with the alarms of the loop that its values can give."""
    kept = history[-1]
    known = (kept.day - date(2017, 1, 1)).days + 1
    quality = detect.quality_alarms(history, LIMITS.quality)
    return Kept(kept.day, kept.values, (*quality, *detect.assortment_alarms(history, known)), kept.counts)


def days_between(first: date, last: date) -> Iterator[date]:
    """Days, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


# --- Policies: on which days would each train? -------------------------------------------------------------------


def by_clock(days: int) -> Callable[[list[Kept]], list[date]]:
    """Every so many days."""
    return lambda history: [kept.day for kept in history[days - 1 :: days]]


def by_week_mean(history: list[Kept]) -> list[date]:
    """The mean of a week two standard errors below the reference; a week of silence after."""
    found: list[date] = []
    values = [kept.value("precision") for kept in history]
    for at in range(70, len(history)):
        reference = np.array([value for value in values[at - 62 : at - 6] if value is not None])
        week = np.array([value for value in values[at - 6 : at + 1] if value is not None])
        silent = found and (history[at].day - found[-1]).days < 7
        if not silent and week.mean() < reference.mean() - 2 * reference.std(ddof=1) / np.sqrt(7):
            found.append(history[at].day)
    return found


def by_cusum(history: list[Kept]) -> list[date]:
    """CUSUM with k = 0.5 and h = 8 on the same deviations."""
    found, total = [], 0.0
    for state, kept in zip(detect.quality_states(history, LIMITS.quality), history, strict=True):
        total = total if np.isnan(state.z) else max(0.0, total - state.z - 0.5)
        if total >= 8:
            found.append(kept.day)
            total = 0.0
    return found


def by_drift(rows: Rows, products: pd.DataFrame) -> dict[str, Callable[[list[Kept]], list[date]]]:
    """Policies that look at the data alone: any column drifts, or more than half of them, as Evidently calls a data
    set drifted. Each day is described and judged once.
    """

    @cache
    def baskets(day: date) -> pd.DataFrame:
        return drift.describe(rows(day), products)

    @cache
    def drifted(day: date) -> float:
        verdicts = drift.judge(drift.window(day, baskets))
        return float(np.mean([one.verdict == "drift" for one in verdicts]))

    def above(share: float) -> Callable[[list[Kept]], list[date]]:
        return lambda history: [kept.day for kept in history if kept.values["rows"] and drifted(kept.day) > share]

    return {"any column": above(0.0), "data set verdict": above(0.5)}


def by_us(history: list[Kept]) -> list[date]:
    """Ours: the first day of each incident."""
    return trigger_days(history, LIMITS)


POLICIES: dict[str, Callable[[list[Kept]], list[date]]] = {
    "never": lambda history: [],
    "weekly": by_clock(7),
    "28-day clock": by_clock(28),
    "7-day mean": by_week_mean,
    "CUSUM": by_cusum,
    "ours": by_us,
}


# --- Parts -------------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """Prints tables and bars."""

    began: float = field(default_factory=time.monotonic)
    missed: int = 0

    def title(self, text: str) -> None:
        """A part."""
        self.line(f"\n{text}  [{time.monotonic() - self.began:.0f} s]")

    def line(self, text: str) -> None:
        """A line."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def bar(self, name: str, found: float, limit: float) -> None:
        """A bar: at most."""
        self.missed += not found <= limit
        self.line(f"  {'met   ' if found <= limit else 'MISSED'}  {name}: {found:.4g}, at most {limit:.4g}")


def noise(report: Report, quick: bool) -> None:
    """False alarms on independent normal days."""
    days = 20_000 if quick else 200_000
    report.title(f"Independent normal days ({days:,})")
    found = false_alarms_on_noise(days, np.random.default_rng(SEED))
    for name, rate in found.items():
        report.line(f"  {name:<12} {rate:6.2f} false alarms per 1,000 days")
    report.bar("ours, false alarms per 1,000 days", found["ours"], 1.0)


KINDS = {"a week later": 84.0, "half-life 28": 28.0}
GAINS = (0.0, -0.01, -0.02, 0.01, 0.02, 0.05)


def challengers(report: Report, quick: bool) -> None:
    """Challengers that are equal or worse, and some that are better."""
    times, feed = 50 if quick else 1000, open_feed(shop_folder())
    for kind, half_life in KINDS.items():
        pairs = paired_days(feed, date(2017, 6, 5), 28, half_life)
        deviation = pairs.difference.std()
        report.title(f"Challengers, {kind}: resampled {times} times each (paired deviation {deviation:.3f})")
        found = [try_challenger(report, made_equal(pairs, each_day=True), gain, times) for gain in GAINS]
        worst = max(share for share, gain in zip(found, GAINS, strict=True) if gain <= 0)
        report.bar("share of equal or worse challengers promoted", worst, 0.01)
        report.line("  equal over the four weeks, as real days have it: better on some of them, worse on others")
        try_challenger(report, made_equal(pairs, each_day=False), 0.0, times)


def try_challenger(report: Report, equal: PairedDays, gain: float, times: int) -> float:
    """Tell what the loop decides of challengers with a true gain; the share that it promotes."""
    found = decided(equal, "challenger", gain, times, range(7, 29), SEED)
    share = len(found.get("promote", [])) / times
    day = f", median day {np.median(found['promote']):.0f}" if "promote" in found else ""
    report.line(f"  true gain {gain:+.1%}: promoted {share:6.1%}{day}; {counts(found)}")
    return share


def retired(report: Report, quick: bool) -> None:
    """New champions that are worse than the retired release."""
    times, feed = 50 if quick else 1000, open_feed(shop_folder())
    for kind, half_life in KINDS.items():
        pairs = made_equal(paired_days(feed, date(2017, 9, 4), 7, half_life), each_day=True)
        report.title(f"The week after a deployment, {kind}: resampled {times} times each")
        for gain in (0.0, 0.02, 0.05, 0.10):
            found = decided(pairs, "retired", gain, times, range(2, 8), SEED + 1)
            back = found.get("roll back", [])
            median = float(np.median([*back, *[np.inf] * (times - len(back))]))
            report.line(f"  new release {-gain:+.0%}: rolled back {len(back) / times:6.1%}, median day {median:.0f}")
            if gain == 0:
                report.bar("false rollbacks per 100", 100 * len(back) / times, 2.0)
            if gain == 0.05:
                report.bar("median day of a rollback of -5 %", median, 3.0)


def counts(found: dict[str, list[int]]) -> str:
    """How often each decision was made."""
    return ", ".join(f"{action} {len(days)}" for action, days in sorted(found.items()))


@dataclass(frozen=True)
class QuietYear:
    """A year in which nothing changed: its days, ours of them with an alarm, and each policy's trainings."""

    days: int
    alarms: int
    trainings: dict[str, int]


def quiet_year(number: int) -> QuietYear:
    """Play a permuted year."""
    feed = open_feed(shop_folder())
    rows = permuted(feed, SEED + number)
    history = play(season(rows, feed, OPENING), LAST)
    policies = POLICIES | by_drift(rows, feed.products())
    return QuietYear(
        days=sum(kept.counts for kept in history),
        alarms=sum(kept.raised("quality") or kept.raised("assortment") for kept in history),
        trainings={name: len(policy(history)) for name, policy in policies.items()},
    )


def seasons(report: Report, quick: bool) -> None:
    """False alarms in years without change, and how soon a change is found."""
    feed = open_feed(shop_folder())
    report.title("Years without change: days on which each policy would train, per 1,000")
    with ProcessPoolExecutor() as several:
        years = list(several.map(quiet_year, range(2 if quick else 10)))
    days, found = sum(year.days for year in years), sum(year.alarms for year in years)
    total = sum((Counter(year.trainings) for year in years), Counter())
    for name in years[0].trainings:
        report.line(f"  {name:<14} {1000 * total[name] / days:6.2f}")
    report.bar("ours, false alarms per 1,000 days of permuted years", 1000 * found / days, 1.0)
    shifts(report, feed, quick)


def shifts(report: Report, feed: Feed, quick: bool) -> None:
    """How soon each change is found, from several days on."""
    base = season(feed.day, feed, OPENING)
    starts = [FIRST_START + timedelta(days=step) for step in range(0, 190, 95 if quick else 15)]
    names = feed.distinct([PRODUCT])[PRODUCT].tolist(), feed.distinct([CUSTOMER])[CUSTOMER].tolist()
    history: list[Kept] = []
    found: dict[str, list[tuple[float, float]]] = {}
    report.title(f"The real year, and changes from {len(starts)} days on: days until found (quality, assortment)")
    for day in days_between(OPENING, LAST):
        if day in starts:
            for name, change in changes(len(history), *names).items():
                found.setdefault(name, []).append(watch(branch(base), list(history), day, change))
        values = base.values(day)
        counts_too = bool(values["rows"]) and day not in LIMITS.calendar.holidays
        history.append(with_alarms([*history, Kept(day, values, counts=counts_too)]))
    for name, pairs in found.items():
        report.line(f"  {name:<16} " + "  ".join(tell_delays(list(delays)) for delays in zip(*pairs, strict=True)))
    report.line(f"  real year, ours: {[str(day) for day in by_us(history)]}")
    bars_of_shifts(report, found)


def bars_of_shifts(report: Report, found: dict[str, list[tuple[float, float]]]) -> None:
    """The bars on how soon a change is found."""
    twenty = [quality for quality, _ in found["renamed 20 %"]]
    ten = [assortment for _, assortment in found["renamed 10 %"]]
    report.bar("20 % renamed, median days by quality", float(np.median(twenty)), 5)
    report.bar("20 % renamed, 90th percentile of days by quality", float(np.quantile(twenty, 0.9, method="higher")), 8)
    report.bar("10 % renamed, days by assortment, at most", max(ten), 1)
    harmless = sum(min(pair) < np.inf for pair in found["prices x 1.03"])
    report.bar("harmless shifts with an alarm", harmless, 0)


def changes(seed: int, products: list[str], customers: list[str]) -> dict[str, Callable[[pd.DataFrame], pd.DataFrame]]:
    """The changes that are tried."""
    return {
        **{
            f"renamed {share:.0%}".replace("%", " %"): renamed(share, seed, products) for share in (0.05, 0.1, 0.2, 0.5)
        },
        "cards re-issued": reissued(0.5, seed, customers),
        "prices x 1.03": dearer,
        "poisoned": poisoned,
    }


def branch(base: Season) -> Season:
    """The same season from here on, apart."""
    model = Frecency(**base.model.get_params()).with_parameters(base.model.parameters())
    return Season(base.rows, base.first, model.with_histories(base.model.histories_), dict(base.last_sold))


def watch(
    one: Season, history: list[Kept], start: date, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> tuple[float, float]:
    """(days until the quality alarm, days until the assortment alarm); infinite if there was none in two weeks."""
    usual, delays = one.rows, [np.inf, np.inf]
    one.rows = lambda day: change(usual(day))
    for number, day in enumerate(days_between(start, start + timedelta(days=WATCHED - 1)), start=1):
        values = one.values(day)
        counts_too = bool(values["rows"]) and day not in LIMITS.calendar.holidays
        history.append(with_alarms([*history, Kept(day, values, counts=counts_too)]))
        raised = [history[-1].raised("quality"), history[-1].raised("assortment")]
        delays = [min(delay, number if now else np.inf) for delay, now in zip(delays, raised, strict=True)]
    return delays[0], delays[1]


def tell_delays(delays: list[float]) -> str:
    """Delays in words."""
    array = np.array(delays)
    median, late = np.median(array), np.quantile(array, 0.9, method="higher")
    return f"median {median:4.0f}, p90 {late:4.0f}, missed {np.isinf(array).sum()} of {len(array)}"


def gains(report: Report, quick: bool) -> None:
    """Served NDCG@10 of the real year by policy: does retraining pay where histories are refreshed daily?"""
    feed = open_feed(shop_folder())
    last = OPENING + timedelta(days=60) if quick else LAST
    report.title(f"Served NDCG@10, {OPENING} to {last}, by how often frecency is trained and histories are refreshed")
    for name, train_every, refresh_every in (
        ("weekly, refreshed daily", 7, 1), ("every 28 days, refreshed daily", 28, 1), ("never, refreshed daily", 0, 1),
        ("weekly, refreshed weekly", 7, 7), ("never, never refreshed", 0, 0),
    ):  # fmt: skip
        report.line(f"  {name:<32} {served(feed, last, train_every, refresh_every):.4f}")


def served(feed: Feed, last: date, train_every: int, refresh_every: int) -> float:
    """Mean daily NDCG@10; parameters know all but the week before their training, as the gate holds it out."""
    known = gather(feed.through(OPENING - timedelta(days=1)), OPENING - timedelta(days=1))
    model, daily = trained(feed, known), []
    for number, day in enumerate(days_between(OPENING, last)):
        if number and train_every and number % train_every == 0:
            used = model.histories_
            model = trained(feed, known).with_histories(used)
        if refresh_every and number % refresh_every == 0:
            model.with_histories(known)
        bought = purchases(feed.day(day))
        if len(bought):
            daily.append(float(ndcg(model, bought).mean()))
        known = carry(known, feed.day(day), day)
    return float(np.mean(daily))


def trained(feed: Feed, known: Histories) -> Frecency:
    """Frecency on all but the last week of what is known, with all of it as histories."""
    through = known.day - timedelta(days=7)
    return Frecency().fit(feed.between(through - timedelta(days=40), through), as_of=through).with_histories(known)


PARTS: dict[str, Callable[[Report, bool], None]] = {
    "noise": noise,
    "challengers": challengers,
    "retired": retired,
    "seasons": seasons,
    "gains": gains,
}


def main() -> None:
    """Print the tables; exit code 1 if a bar is missed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true", help="a tenth of everything: to see that it runs")
    arguments.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    asked = arguments.parse_args()
    report = Report()
    for name in asked.only:
        PARTS[name](report, asked.quick)
    report.line(f"\n{report.missed} bars missed, {time.monotonic() - report.began:.0f} s")
    sys.exit(bool(report.missed))


if __name__ == "__main__":
    main()

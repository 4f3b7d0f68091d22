"""How good the models' lists are, beside other people's models, by one protocol.

    .venv/bin/python benchmarks/quality.py                  four cuts, 5 to 10 minutes
    .venv/bin/python benchmarks/quality.py --weeks          also a refit every week for weeks 21 to 52
    .venv/bin/python benchmarks/quality.py --cuts 11 12 13 14 15 16 17 18 19 --no-peers --set leaves=15
                                                            how the ranker's settings were chosen

Protocol: train on everything through week T, rank products for each household that shops in week T + 1,
relevant is each distinct product that it buys then (quantity above zero, fuel included).
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from peers import PEERS, best
from threadpoolctl import threadpool_limits

from shared.columns import CUSTOMER, PRODUCT, RANK
from shared.dataset.purchases import count_products, purchases
from shared.dataset.real_year import read_real_year
from shared.model.by_name import MODELS
from shared.model.histories import gather
from shared.model.holdout import Holdout, hold_out
from shared.model.metrics import score_customers
from shared.model.popular import LONGEST_LIST, Popular
from shared.release.bundle import Evidence, write_bundle

CUTS = (20, 30, 40, 48)
WEEKS = range(20, 52)
FIRST_SUNDAY = date(2017, 1, 1)
NEW_DAYS = 21
K = 10
Lists = tuple[pd.DataFrame, dict[str, float]]
NOTES = """
ndcg, recall, hit and coverage are at 10. `+-` is the half width of a 95 % interval of the paired difference to
frecency; the same household in several cuts counts as one observation. `new only`: only products that the household
never bought, in the list and in the week. `newcomers`: households first seen in the 21 days before the cut, or since.
The data is simulated: its authors modelled it on real shopping patterns, for education. Expect other figures elsewhere.
The peers were tuned less carefully than our own models; read their figures as a floor. Seconds and sizes: the last cut.
The ranker's settings were chosen on weeks 12 to 20; the half-life of 84 days was chosen after seeing the cuts."""


@dataclass
class Row:
    """What is known of one model: per cut, scores per customer; the rest is of the last cut."""

    name: str
    scores: list[pd.DataFrame] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    unseen: list[float] = field(default_factory=list)
    newcomers: list[pd.Series] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)
    weeks: float = float("nan")

    def mean(self, metric: str) -> float:
        """The mean over the cuts."""
        return float(np.mean([scores[metric].mean() for scores in self.scores]))


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """(result, seconds)."""
    began = time.perf_counter()
    return function(), time.perf_counter() - began


def cut_at(transactions: pd.DataFrame, week: int) -> Holdout:
    """Everything through a week of the dataset, and the purchases of the next one."""
    return hold_out(transactions, FIRST_SUNDAY + timedelta(weeks=week))


def run_own(model: Popular, cut: Holdout) -> Lists:
    """Lists of one of our models for those who shop in the held-out week, and what they cost."""
    _, fit = timed(lambda: model.fit(cut.known, as_of=cut.known_through))
    _, refresh = timed(lambda: model.refresh(cut.known, as_of=cut.known_through))
    everybody = sorted(set(cut.known[CUSTOMER]) | set(cut.bought[CUSTOMER]))
    lists, seconds = timed(lambda: model.recommend(everybody, K))
    _, one = timed(lambda: [model.recommend([name], K) for name in everybody[:50]])
    return lists, {"fit s": fit, "refresh s": refresh, "lists s": seconds, "one ms": one / 50 * 1000}


def run_peer(name: str, cut: Holdout) -> Lists:
    """The same for a peer, from the same histories."""
    histories = gather(cut.known, cut.known_through, half_life=84.0)
    score, fit = timed(lambda: PEERS[name](histories))
    everybody = np.arange(len(histories.customers))
    blocks, seconds = timed(lambda: list(best(score, everybody, K)))
    rows, products = (np.concatenate(part) for part in zip(*blocks, strict=True))
    table = {
        CUSTOMER: np.repeat(np.char.decode(histories.customers[rows], "utf-8"), K),
        PRODUCT: np.char.decode(histories.products[products.ravel()], "utf-8"),
        RANK: np.tile(np.arange(1, K + 1), len(rows)),
    }
    return pd.DataFrame(table).astype({CUSTOMER: object, PRODUCT: object}), {"fit s": fit, "lists s": seconds}


def judge(row: Row, cut: Holdout, result: Lists) -> None:
    """Add one cut's figures."""
    lists, row.costs = result
    scores = score_customers(lists, cut.bought, K)
    asked = lists[lists[CUSTOMER].isin(scores.index)]
    row.scores.append(scores)
    row.coverage.append(asked[PRODUCT].nunique() / count_products(cut.known))
    row.newcomers.append(scores["ndcg"][scores.index.isin(newcomers(cut))])


def newcomers(cut: Holdout) -> set[str]:
    """Who shops in the held-out week and was first seen less than three weeks before it."""
    early = cut.known[cut.known["time"] < pd.Timestamp(cut.known_through - timedelta(days=NEW_DAYS - 1))]
    return set(cut.bought[CUSTOMER]) - set(early[CUSTOMER])


def unseen_ndcg(model: Popular, cut: Holdout) -> float:
    """NDCG@10 of never-bought products only, for the households that buy such products."""
    before = pd.MultiIndex.from_frame(purchases(cut.known))
    fresh = cut.bought[~pd.MultiIndex.from_frame(cut.bought).isin(before)]
    names = sorted(fresh[CUSTOMER].unique())
    rows = model.histories_.rows_of(np.array([name.encode() for name in names]))
    # Not `recommend`: its lists are too short to hold ten never-bought products of everybody.
    row, product, score = model._candidates(rows, LONGEST_LIST)
    ids = np.char.decode(model._catalogue[product], "utf-8")
    table = pd.DataFrame({CUSTOMER: np.array(names)[row], PRODUCT: ids, "score": score}).astype({PRODUCT: object})
    table = table[~pd.MultiIndex.from_frame(table[[CUSTOMER, PRODUCT]]).isin(before)]
    table = table.sort_values(["score", PRODUCT], ascending=[False, True], kind="stable")
    return float(
        score_customers(table.assign(**{RANK: table.groupby(CUSTOMER).cumcount() + 1}), fresh, K)["ndcg"].mean()
    )


def bundle_megabytes(model: Popular, products: pd.DataFrame) -> float:
    """What a release of the model weighs."""
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder) / "bundle", model, products, Evidence("0.0", "", ""))
        return sum(path.stat().st_size for path in (Path(folder) / "bundle").iterdir()) / 1e6


def difference(row: Row, base: Row) -> tuple[float, float]:
    """(mean paired difference in NDCG, half width of its 95 % interval), clustered by household."""
    gaps = [one["ndcg"] - other["ndcg"] for one, other in zip(row.scores, base.scores, strict=True)]
    parts = [(gap - gap.mean()) / len(gap) / len(gaps) for gap in gaps]
    spread = np.sqrt((pd.concat(parts).groupby(level=0).sum() ** 2).sum())
    return float(np.mean([gap.mean() for gap in gaps])), float(1.96 * spread)


def own_rows(cuts: dict[int, Holdout], products: pd.DataFrame, settings: dict[str, float]) -> list[Row]:
    """Our models at every cut."""
    rows = []
    for kind, form in MODELS.items():
        row = Row(kind)
        for week, cut in cuts.items():
            say(f"{kind}, week {week}")
            model = form(**(settings if kind == "ranker" else {}))
            judge(row, cut, run_own(model, cut))
            row.unseen.append(unseen_ndcg(model, cut))
        row.costs["MB"] = bundle_megabytes(model, products)
        rows.append(row)
    return rows


def peer_rows(cuts: dict[int, Holdout]) -> list[Row]:
    """The peers that are installed, at every cut."""
    rows = []
    for name in PEERS:
        row = Row(name)
        try:
            for week, cut in cuts.items():
                say(f"{name}, week {week}")
                judge(row, cut, run_peer(name, cut))
        except ImportError:
            print(f"{name}: `implicit` is not installed; `pip install implicit` in an environment of your own adds it.")
            continue
        rows.append(row)
    return rows


def add_weeks(rows: list[Row], transactions: pd.DataFrame, settings: dict[str, float]) -> None:
    """Our models, refitted every week."""
    found: dict[str, list[float]] = {row.name: [] for row in rows}
    for week in WEEKS:
        cut = cut_at(transactions, week)
        for row in rows:
            model = MODELS[row.name](**(settings if row.name == "ranker" else {}))
            found[row.name].append(cut.judge(model.fit(cut.known, as_of=cut.known_through), K)["ndcg_at_10"])
        say(f"known through week {week}: " + ", ".join(f"{name} {values[-1]:.4f}" for name, values in found.items()))
    for row in rows:
        row.weeks = float(np.mean(found[row.name]))


def table_of(rows: list[Row]) -> pd.DataFrame:
    """One line per model."""
    base = next(row for row in rows if row.name == "frecency")
    lines = []
    for row in rows:
        gap, width = difference(row, base)
        quality = {name: row.mean(name) for name in ("ndcg", "recall", "hit")}
        quality |= {"weeks 21-52": row.weeks, "to frecency": gap, "+-": width, "coverage": float(np.mean(row.coverage))}
        quality |= {"new only": float(np.mean(row.unseen)) if row.unseen else float("nan")}
        quality |= {"newcomers": float(pd.concat(row.newcomers).mean())}
        lines.append({"model": row.name, **{name: f"{value:.3f}" for name, value in quality.items()}} | costs(row))
    return pd.DataFrame(lines).set_index("model").replace("nan", "").fillna("")


def costs(row: Row) -> dict[str, str]:
    """Seconds, milliseconds and megabytes, with one decimal."""
    return {name: f"{value:.1f}" for name, value in row.costs.items()}


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", action="store_true", help="also refit our models every week, for weeks 21 to 52")
    parser.add_argument("--no-peers", action="store_true", help="our own models only")
    parser.add_argument("--cuts", type=int, nargs="+", default=CUTS, help="the last week that is known, T")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings of the ranker")
    asked = parser.parse_args(words)
    pairs = [word.split("=") for word in asked.set]
    settings = {name: float(value) if "." in value else int(value) for name, value in pairs}
    transactions, products = read_real_year()
    cuts = {week: cut_at(transactions, week) for week in asked.cuts}
    with threadpool_limits(2), pd.option_context("display.width", 250, "display.max_columns", None):
        rows = own_rows(cuts, products, settings)
        if asked.weeks:
            add_weeks(rows, transactions, settings)
        print(table_of(rows + ([] if asked.no_peers else peer_rows(cuts))))
    count = sum(len(scores) for scores in rows[0].newcomers)
    print(f"cuts {list(cuts)}; newcomers: {count} households; peak memory of it all: {peak_gigabytes():.1f} GB{NOTES}")


def peak_gigabytes() -> float:
    """The most memory that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()

"""How good the models' lists are, beside other people's models, by one protocol.

    .venv/bin/python benchmarks/quality.py                  four cuts, 10 to 20 minutes
    .venv/bin/python benchmarks/quality.py --weeks          also a refit every week for weeks 21 to 52
    .venv/bin/python benchmarks/quality.py --tune           how the peers' settings were chosen
    .venv/bin/python benchmarks/quality.py --cuts 14 15 16 17 18 19 --no-peers --set leaves=15
                                                            how the ranker's settings were chosen
    ... --json FILE                                         by model: cuts, weeks, fit_cpu_s, one_list_cpu_ms

Protocol: train on everything through week T, rank products for each household that shops in week T + 1,
relevant is each distinct product that it buys then (quantity above zero, fuel included).
"""

import argparse
import json
import math
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from peers import PEERS, Peer, best
from threadpoolctl import threadpool_limits

from shared.columns import CUSTOMER, PRODUCT, RANK
from shared.dataset.purchases import count_products, purchases
from shared.dataset.real_year import read_real_year
from shared.model.by_name import MODELS
from shared.model.histories import gather
from shared.model.holdout import Holdout, hold_out
from shared.model.lesson_store import LessonStore
from shared.model.metrics import score_customers
from shared.model.popular import LONGEST_LIST, Popular
from shared.release.bundle import Evidence, write_bundle

CUTS = (20, 30, 40, 48)
# The week after each is predicted: 16 and 19, before any cut's.
TUNED_ON = (15, 18)
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
Each peer has one setting, the best of two or three that were tried on weeks 16 and 19; read their figures as a floor.
The ranker's settings and features were chosen on weeks 15 to 20, among 16 configurations; the half-life of 84 days,
which most models share, was chosen after seeing the cuts. CPU seconds of one thread, milliseconds, sizes: last cut."""


@dataclass
class Row:
    """What is known of one model: per cut, scores per customer; the rest is of the last cut."""

    name: str
    scores: list[pd.DataFrame] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    unseen: list[float] = field(default_factory=list)
    newcomers: list[pd.Series] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)
    by_week: list[pd.Series] = field(default_factory=list)

    @property
    def weeks(self) -> float:
        """The mean over the weeks."""
        return float(np.mean([scores.mean() for scores in self.by_week])) if self.by_week else math.nan

    def mean(self, metric: str) -> float:
        """The mean over the cuts."""
        return float(np.mean([scores[metric].mean() for scores in self.scores]))


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """(result, CPU seconds)."""
    began = time.process_time()
    return function(), time.process_time() - began


def cut_at(transactions: pd.DataFrame, week: int) -> Holdout:
    """Everything through a week of the dataset, and the purchases of the next one."""
    return hold_out(transactions, FIRST_SUNDAY + timedelta(weeks=week))


def run_own(model: Popular, cut: Holdout, products: pd.DataFrame) -> Lists:
    """Lists of one of our models for those who shop in the held-out week, and what they cost."""
    _, fit = timed(lambda: model.fit(cut.known, as_of=cut.known_through, products=products))
    asked = sorted(set(cut.bought[CUSTOMER]))
    lists, seconds = timed(lambda: model.recommend(asked, K))
    _, one = timed(lambda: [model.recommend([name], K) for name in asked[:50]])
    return lists, {"fit s": fit, "lists s": seconds, "one ms": one / 50 * 1000}


def run_peer(peer: Peer, cut: Holdout) -> Lists:
    """The same for a peer, from the same histories."""
    histories = gather(cut.known, cut.known_through)
    score, fit = timed(lambda: peer.make(histories, peer.setting))
    asked = histories.rows_of(np.array([customer.encode() for customer in sorted(set(cut.bought[CUSTOMER]))]))
    blocks, seconds = timed(lambda: list(best(score, asked[asked >= 0], K)))
    _, one = timed(lambda: [list(best(score, asked[at : at + 1], K)) for at in np.flatnonzero(asked >= 0)[:20]])
    rows, products = (np.concatenate(part) for part in zip(*blocks, strict=True))
    table = {
        CUSTOMER: np.repeat(np.char.decode(histories.customers[rows], "utf-8"), K),
        PRODUCT: np.char.decode(histories.products[products.ravel()], "utf-8"),
        RANK: np.tile(np.arange(1, K + 1), len(rows)),
    }
    return pd.DataFrame(table).astype({CUSTOMER: object, PRODUCT: object}), {
        "fit s": fit,
        "lists s": seconds,
        "one ms": one / 20 * 1000,
    }


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
    found = model._candidates(rows, LONGEST_LIST)
    ids = np.char.decode(model._catalogue[found.product], "utf-8")
    table = pd.DataFrame({CUSTOMER: np.array(names)[found.row], PRODUCT: ids, "score": found.score})
    table = table.astype({PRODUCT: object})
    table = table[~pd.MultiIndex.from_frame(table[[CUSTOMER, PRODUCT]]).isin(before)]
    table = table.sort_values(["score", PRODUCT], ascending=[False, True], kind="stable")
    return float(
        score_customers(table.assign(**{RANK: table.groupby(CUSTOMER).cumcount() + 1}), fresh, K)["ndcg"].mean()
    )


def bundle_megabytes(model: Popular, products: pd.DataFrame) -> float:
    """What a release of the model weighs."""
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder) / "bundle", model, products, Evidence("", ""))
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def difference(row: Row, base: Row) -> tuple[float, float]:
    """(mean paired difference in NDCG, half width of its 95 % interval), clustered by household."""
    return paired([one["ndcg"] - other["ndcg"] for one, other in zip(row.scores, base.scores, strict=True)])


def paired(gaps: list[pd.Series]) -> tuple[float, float]:
    """(mean of differences by household, half width of its 95 % interval); a household's weeks are one observation."""
    parts = [(gap - gap.mean()) / len(gap) / len(gaps) for gap in gaps]
    spread = np.sqrt((pd.concat(parts).groupby(level=0).sum() ** 2).sum())
    return float(np.mean([gap.mean() for gap in gaps])), float(1.96 * spread)


def own_rows(
    names: Sequence[str], cuts: dict[int, Holdout], products: pd.DataFrame, settings: dict[str, float]
) -> list[Row]:
    """Our models at every cut."""
    rows = []
    for kind, form in MODELS.items():
        if kind not in (*names, "frecency"):
            continue
        row = Row(kind)
        for week, cut in cuts.items():
            say(f"{kind}, week {week}")
            model = form(**(settings if kind == "ranker" else {}))
            judge(row, cut, run_own(model, cut, products))
            row.unseen.append(unseen_ndcg(model, cut))
        row.costs["MB"] = bundle_megabytes(model, products)
        rows.append(row)
    return rows


def peer_rows(names: Sequence[str], cuts: dict[int, Holdout]) -> list[Row]:
    """The peers that are installed, at every cut."""
    rows = []
    for name, peer in PEERS.items():
        if name not in names:
            continue
        row = Row(name)
        try:
            for week, cut in cuts.items():
                say(f"{name}, week {week}")
                judge(row, cut, run_peer(peer, cut))
        except ImportError as error:
            say(f"{name} is left out: {error}")
            continue
        rows.append(row)
    return rows


def add_weeks(
    rows: list[Row],
    transactions: pd.DataFrame,
    products: pd.DataFrame,
    settings: dict[str, float],
    folder: Path,
    on_week: Callable[[], None] | None = None,
) -> None:
    """Our models, refitted every week; the lessons of the weeks before are kept in a folder."""
    kept = LessonStore(folder, str, "")
    for week in WEEKS:
        cut = cut_at(transactions, week)
        histories = gather(cut.known, cut.known_through)
        for row in rows:
            model = MODELS[row.name](**(settings if row.name == "ranker" else {}))
            _, row.costs["refit s"] = timed(partial(model.learn, histories, products, kept))
            lists = model.recommend(cut.bought[CUSTOMER].unique(), K)
            row.by_week.append(score_customers(lists, cut.bought, K)["ndcg"])
        if on_week:
            on_week()
        means = ", ".join(f"{row.name} {row.by_week[-1].mean():.4f}" for row in rows)
        say(f"known through week {week}: {means}")


def tune(names: Sequence[str], transactions: pd.DataFrame) -> pd.DataFrame:
    """Every peer with every setting that was tried: mean NDCG on the weeks before the cuts."""
    cuts = [cut_at(transactions, week) for week in TUNED_ON]
    lines = []
    for name, peer in PEERS.items():
        for setting in peer.tried if name in names else ():
            row = Row(name)
            try:
                for cut in cuts:
                    judge(row, cut, run_peer(peer._replace(setting=setting), cut))
            except ImportError as error:
                say(f"{name} is left out: {error}")
                break
            lines.append({"model": name, "setting": setting, "ndcg": f"{row.mean('ndcg'):.4f}"} | costs(row))
            say(str(lines[-1]))
    return pd.DataFrame(lines)


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


def as_json(rows: list[Row]) -> dict[str, dict[str, float | None]]:
    """By model: quality on the cuts and on the weeks, each with the half width to frecency, and costs."""
    base = next(row for row in rows if row.name == "frecency")
    told = {}
    for row in rows:
        gap, width = difference(row, base)
        told[row.name] = {
            "cuts": row.mean("ndcg"),
            "cuts_to_frecency": gap,
            "cuts_to_frecency_half_width": width,
            "weeks": row.weeks,
            "number_of_weeks": len(row.by_week),
            "fit_cpu_s": row.costs["fit s"],
            "one_list_cpu_ms": row.costs["one ms"],
        }
        if row.by_week:
            gap, width = paired([one - other for one, other in zip(row.by_week, base.by_week, strict=True)])
            told[row.name] |= {"weeks_to_frecency": gap, "weeks_to_frecency_half_width": width}
            told[row.name] |= {"refit_cpu_s": row.costs["refit s"]}
    return {name: {key: None if math.isnan(value) else value for key, value in of.items()} for name, of in told.items()}


def costs(row: Row) -> dict[str, str]:
    """Seconds, milliseconds and megabytes, with one decimal."""
    return {name: f"{value:.1f}" for name, value in row.costs.items()}


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", action="store_true", help="also refit our models every week, for weeks 21 to 52")
    parser.add_argument("--tune", action="store_true", help="only try the peers' settings, on weeks before the cuts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file, too")
    parser.add_argument("--only", nargs="+", default=[*MODELS, *PEERS], metavar="MODEL", help="these and frecency")
    parser.add_argument("--no-peers", action="store_true", help="our own models only")
    parser.add_argument("--cuts", type=int, nargs="+", default=CUTS, help="the last week that is known, T")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings of the ranker")
    asked = parser.parse_args(words)
    pairs = [word.split("=") for word in asked.set]
    settings = {name: float(value) if "." in value else int(value) for name, value in pairs}
    transactions, products = read_real_year()
    cuts = {week: cut_at(transactions, week) for week in asked.cuts}

    def save(rows: list[Row]) -> None:
        if asked.json:
            asked.json.write_text(json.dumps(as_json(rows), indent=1) + "\n")

    with threadpool_limits(1), pd.option_context("display.width", 250, "display.max_columns", None):
        if asked.tune:
            print(tune(asked.only, transactions).to_string(index=False))
            return
        rows = own_rows(asked.only, cuts, products, settings)
        if asked.weeks:
            with tempfile.TemporaryDirectory() as folder:
                add_weeks(rows, transactions, products, settings, Path(folder), lambda: save(rows))
        rows += [] if asked.no_peers else peer_rows(asked.only, cuts)
        print(table_of(rows))
    save(rows)
    count = sum(len(scores) for scores in rows[0].newcomers)
    print(f"cuts {list(cuts)}; newcomers: {count} households; peak memory of it all: {peak_gigabytes():.1f} GB{NOTES}")


def peak_gigabytes() -> float:
    """The most memory that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()

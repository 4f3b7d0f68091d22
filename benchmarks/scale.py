"""What histories and lists cost at 1, 10 and 100 times the customers, beside the way of version 0.1.

    .venv/bin/python benchmarks/scale.py                    1 and 10 times, some minutes
    .venv/bin/python benchmarks/scale.py --times 1 10 100   needs 8 GB and 3 GB of disk

Customers are drawn again with replacement from the real year's (seeded), each with all purchases. The ranker is
trained once, on the real year: lists and histories are what grows with customers. CPU seconds of one thread; private
memory is what a process of its own holds beyond the mapped files after opening a release and answering 50 customers.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from shared.columns import CUSTOMER
from shared.dataset.real_year import read_real_year
from shared.model.carrying import carry
from shared.model.facts import counted
from shared.model.frecency import Frecency
from shared.model.histories import Histories, gather, select
from shared.model.lesson_store import LessonStore
from shared.model.popular import Popular
from shared.model.ranker import Ranker
from shared.release.bundle import Evidence, open_bundle, write_bundle
from shared.release.manifest import digest_of, verify

AS_OF = date(2017, 12, 3)
ASKED = 50
OPENING = """
import json, resource, sys, time
from pathlib import Path
from shared.release.bundle import open_bundle
def private():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1e3
before = private()
model = open_bundle(Path(sys.argv[1])).model
for name in model.histories_.customers[: int(sys.argv[2])]:
    model.recommend([name.decode()])
print(json.dumps(private() - before))
"""


def timed(function: Callable[[], Any], times: int = 1) -> tuple[Any, float]:
    """(result, CPU seconds of one call)."""
    began = time.process_time()
    for _ in range(times):
        result = function()
    return result, (time.process_time() - began) / times


def resampled(histories: Histories, times: int) -> Histories:
    """So many times the customers, drawn with replacement; the first are the real ones."""
    chance, known = np.random.default_rng(0), len(histories.customers)
    parts = [replace(histories, counts=None)]
    parts += [select(histories, np.sort(chance.integers(0, known, known))) for _ in range(times - 1)]
    pairs, purchases = (np.cumsum([0, *(len(getattr(part, name)) for part in parts)]) for name in ("product", "days"))
    return Histories(
        day=histories.day,
        customers=np.array([f"{number:09}".encode() for number in range(known * times)]),
        products=histories.products,
        starts=np.concatenate([[0], *(part.starts[1:] + at for part, at in zip(parts, pairs, strict=False))]),
        product=np.concatenate([part.product for part in parts]),
        ends=np.concatenate([[0], *(part.ends[1:] + at for part, at in zip(parts, purchases, strict=False))]),
        days=np.concatenate([part.days for part in parts]),
    )


def one_day(transactions: pd.DataFrame, histories: Histories, times: int) -> pd.DataFrame:
    """The next day's transactions of the real customers, so many times, by customers of the grown shop."""
    day = transactions[transactions["time"].dt.date == AS_OF + timedelta(days=1)]
    chance = np.random.default_rng(1)
    parts = []
    for _ in range(times):
        names = {
            name: histories.customers[chance.integers(len(histories.customers))].decode() for name in set(day[CUSTOMER])
        }
        parts.append(day.assign(**{CUSTOMER: day[CUSTOMER].map(names)}))
    return pd.concat(parts, ignore_index=True)


def lists_as_before(model: Ranker, names: Sequence[str]) -> float:
    """CPU seconds of one list if all customers' purchases are added up for each, as version 0.1 did."""
    histories = model.histories_

    def ask(name: str) -> pd.DataFrame:
        np.append(0, np.cumsum(np.diff(histories.ends), dtype=np.int64))
        return model.recommend([name])

    return timed(lambda: [ask(name) for name in names])[1] / len(names)


def measure(transactions: pd.DataFrame, products: pd.DataFrame, ranker: Ranker, base: Histories, times: int) -> dict:
    """The costs at so many times the customers."""
    found: dict[str, float] = {"customers": len(base.customers) * times}
    histories, _ = timed(lambda: counted(resampled(base, times)))
    day = one_day(transactions, histories, times)
    _, found["day carried s"] = timed(lambda: counted(carry(histories, day, AS_OF + timedelta(days=1))))
    for model in (ranker, Frecency().learn(histories)):
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / "bundle"
            write_bundle(bundle, model.with_histories(histories), products, Evidence("", ""))
            found |= {f"{model.kind} {name}": value for name, value in opened(bundle, model).items()}
    return found


def opened(bundle: Path, model: Popular) -> dict[str, float]:
    """What opening a bundle and one list from it cost."""
    release, whole = timed(lambda: open_bundle(bundle))
    _, hashing = timed(lambda: verify(bundle, digest_of(bundle)))
    names = [
        name.decode()
        for name in release.model.histories_.customers[:: max(1, len(release.model.histories_.customers) // ASKED)]
    ]
    release.model.recommend(names[:2])
    _, one = timed(lambda: [release.model.recommend([name], reasons=True) for name in names])
    found = {"MB": sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) / 1e6, "hashing s": hashing}
    found |= {"opening after hashing s": whole - hashing, "one list ms": one / len(names) * 1000}
    if isinstance(release.model, Ranker):
        found["one list, all added up, ms"] = lists_as_before(release.model, names[:10]) * 1000
    asked = [sys.executable, "-c", OPENING, str(bundle), str(ASKED)]
    found["private MB"] = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    return found


def fits(transactions: pd.DataFrame, products: pd.DataFrame, quick: bool) -> tuple[Ranker, dict[str, float]]:
    """A ranker, and what training it costs from nothing and a week later, on the real year."""
    found: dict[str, float] = {}
    if quick:
        return Ranker(label_weeks=2).learn(gather(transactions, AS_OF), products), found
    with tempfile.TemporaryDirectory() as folder:
        kept = LessonStore(Path(folder), str, "")
        week_before = gather(transactions, AS_OF - timedelta(weeks=1))
        _, found["fit s"] = timed(lambda: Ranker().learn(week_before, products, kept))
        histories, found["gathering s"] = timed(lambda: gather(transactions, AS_OF))
        ranker, found["weekly refit s"] = timed(lambda: Ranker().learn(histories, products, kept))
    _, found["frecency fit s"] = timed(lambda: Frecency().learn(histories))
    return ranker, found


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--quick", action="store_true", help="two label weeks only: lists cost the same")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file, too")
    asked = parser.parse_args(words)
    transactions, products = read_real_year()
    with threadpool_limits(1):
        ranker, training = fits(transactions, products, asked.quick)
        print(pd.Series(training).round(2).to_string())
        base, columns = ranker.histories_, {}
        for times in asked.times:
            columns[f"x{times}"] = measure(transactions, products, ranker, base, times)
            print(pd.DataFrame(columns).round(3).to_string(), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps({"training": training, **columns}, indent=1) + "\n")


if __name__ == "__main__":
    main()

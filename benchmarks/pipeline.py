"""What the platform costs: level 3's pipeline beside the bare steps, with a Prefect server running.

Run it by hand: `.venv/bin/python benchmarks/pipeline.py`. Imports and start-up are reported apart. The two
take turns; what counts is the difference and the ratio within a round.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.evaluate import measure, open_live, time_one
from level3_cicd.gate import decide
from level3_cicd.pipeline import run
from level3_cicd.tools.servers import launch_mlflow, launch_prefect, stop_server, wait_for
from level3_cicd.train import fit
from level3_cicd.validate import days_to_validate, find_harm, refuse_bad_data
from shared.config import read_config
from shared.dataset.feed import open_feed
from shared.model.holdout import hold_out
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import read_pointer

AS_OF = date(2017, 6, 4)
ROUNDS = 5
MOST_SECONDS = 3.0
MOST_RATIO = 1.3


def bare(home: Path, config: PipelineConfig) -> None:
    """The same steps as plain function calls."""
    feed = open_feed(home / "shop")
    holdout = hold_out(feed.through(AS_OF), AS_OF)
    refuse_bad_data(find_harm(feed, days_to_validate(feed, AS_OF, None, (), {})), feed)
    model = fit(config, hold_out(feed.through(AS_OF), AS_OF), feed.products())
    judged = measure(
        model, open_live(home / "level3", read_pointer(home / "level3"), holdout), holdout, feed.products()
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "bundle"
        evidence = Evidence(feed.digest(AS_OF), "bare", judged.metrics)
        write_bundle(folder, model.refresh(feed.through(AS_OF), as_of=AS_OF), feed.products(), evidence)
        time_one(folder)
    decide(judged.measured, config.gate)


def start_servers(home: Path) -> None:
    """Prefect's and MLflow's."""
    for server in (launch_prefect(home), launch_mlflow(home, home / "level3")):
        wait_for(home, server.name)


def clock(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        os.environ["MLOPS_HOME"] = temporary
        open_feed(home / "shop")
        config = read_config(CONFIG, PipelineConfig)
        try:
            servers = clock(lambda: start_servers(home))
            first = clock(lambda: run(home / "level3", AS_OF))
            rounds = []
            for number in range(ROUNDS):
                sys.stderr.write(f"round {number + 1} of {ROUNDS}\n")
                # Another configuration each time, so that nothing comes from the cache.
                fresh = home / f"config-{number}.toml"
                fresh.write_text(CONFIG.read_text().replace("half_life = 84.0", f"half_life = {84 + number}.5"))
                other = read_config(fresh, PipelineConfig)
                rounds.append(
                    (clock(lambda: bare(home, other)), clock(lambda: run(home / "level3", AS_OF, config_file=fresh)))  # noqa: B023
                )
            again = clock(lambda: run(home / "level3", AS_OF, config_file=fresh))
        finally:
            stop_server(home, "prefect")
            stop_server(home, "mlflow-level3")
    steps_alone = statistics.median(one for one, _ in rounds)
    pipeline = statistics.median(two for _, two in rounds)
    more = statistics.median(two - one for one, two in rounds)
    ratio = statistics.median(two / one for one, two in rounds)
    print(f"{servers:6.1f} s  start-up of both servers (apart)")
    print(f"{first - pipeline:6.1f} s  imports and the registry's first migration, more in the first run (apart)")
    print(f"{steps_alone:6.2f} s  the bare steps with {config.model}, median of {ROUNDS}")
    print(f"{pipeline:6.2f} s  the pipeline, median of {ROUNDS}: {more:+.2f} s, {ratio:.2f} x")
    kept = more <= MOST_SECONDS or ratio <= MOST_RATIO
    print(f"          bar: {MOST_SECONDS:.0f} s more or {MOST_RATIO} x: {'kept' if kept else 'NOT kept'}")
    print(f"{again:6.2f} s  the pipeline again on the same inputs, its validation and training from the cache")


if __name__ == "__main__":
    main()

"""Where the time of a replayed season goes: seconds a day at each level, and the parts of level 4's evening.

Run it by hand: `.venv/bin/python benchmarks/replay.py`. It plays two weeks below a temporary MLOPS_HOME.
"""

import importlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SEASON = 308


def timed(seconds: dict[str, float], name: str, function: Callable) -> Callable:
    """The function, adding the time of its calls to `seconds`."""

    def call(*words: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*words, **named)
        finally:
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began

    return call


def main() -> None:
    """Print the tables."""
    once: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["MLOPS_HOME"] = temporary
        from level3_cicd.tools.mlflow_client import mlflow_client
        from level3_cicd.tools.prefect_settings import prepare_prefect
        from level4_monitoring import loop, seeing
        from shared.dataset.feed import open_feed

        home = Path(temporary)
        timed(once, "prepare the year", open_feed)(home / "shop")
        (home / "warm-up").mkdir()
        timed(once, "import mlflow, migrate its database", mlflow_client)(home / "warm-up")
        prepare_prefect(home)
        for name in ("prefect", "evidently"):
            timed(once, f"import {name}", importlib.import_module)(name)

        from prefect import flow

        timed(once, "Prefect's server, with the first flow", flow(lambda: None, name="empty"))()
        timed(once, "an empty flow after that", flow(lambda: None, name="empty"))()

        parts: dict[str, float] = {}
        for module, name in ((loop, "ingest"), (seeing, "look_back"), (seeing, "compare"), (seeing, "write_page"),
                             (loop, "refreshed"), (loop, "carry_out")):  # fmt: skip
            setattr(module, name, timed(parts, name, getattr(module, name)))
        from comparison.season import play

        played = play([1, 2, 3, 4], "1")
    print("once a process\n" + "\n".join(f"  {value:6.1f} s  {name}" for name, value in once.items()))
    for level in played:
        days = len(level.days)
        print(f"level {level.level}, {days} days")
        for name, value in level.seconds.items():
            print(f"  {value / days:6.2f} s a day  {name}")
        begun = level.seconds["first release"]
        daily = (sum(level.seconds.values()) - begun) / days
        print(f"  {begun + daily * SEASON:6.0f} s for a season of {SEASON} days at this pace")
    print("level 4's evening\n" + "\n".join(f"  {value / days:6.2f} s a day  {name}" for name, value in parts.items()))


if __name__ == "__main__":
    main()

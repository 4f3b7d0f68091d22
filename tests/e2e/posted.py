"""Kills level 4's service again and again while rows are posted to it: what was acknowledged is there, once. By hand.

`python -m tests.e2e.posted [kills]`: each time the service is killed at a random moment of a second of posting.
"""

import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from level4_monitoring.purchases import journal_file
from shared.dataset.clock import open_day
from shared.service.process import Process, start, stop
from shared.service.token import token_of
from tests.conftest import write_checkerboard


def post_until_it_dies(service: Process, token: str, day: str, batch: int, known: set[tuple[str, str]]) -> None:
    """Post rows, twenty at a time, and remember those that were acknowledged."""
    with httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
        for number in range(100_000):
            keys = [(f"c{batch}", f"b{number}-{at}") for at in range(20)]
            rows = [{"customer": one, "basket": two, "product": "p00", "time": f"{day}T10:00:00"} for one, two in keys]
            try:
                answer = client.post("/purchases", json={"rows": rows})
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                known.update(keys)


def main(kills: int = 100, seed: int = 1) -> None:
    """Kill, start again, and look."""
    chance = random.Random(seed)
    home = Path(tempfile.mkdtemp())
    os.environ["MLOPS_HOME"] = str(home)
    write_checkerboard(home / "shop")
    level, day, known = home / "level4", open_day(home / "shop"), set()
    for batch in range(kills):
        service = start(level, "level4_monitoring.serve", 0, needs="/healthz")
        posting = threading.Thread(target=post_until_it_dies, args=(service, token_of(level), str(day), batch, known))
        posting.start()
        time.sleep(chance.random())
        os.kill(service.pid, 9)
        posting.join()
        stop(level)
    lines = journal_file(level, day).read_bytes().splitlines()
    kept = Counter()
    for line in lines:
        try:
            row = json.loads(line)
            kept[row["customer"], row["basket"]] += 1
        except ValueError:
            continue  # the last one may be cut off
    lost, twice = known - set(kept), [key for key, times in kept.items() if times > 1]
    sys.stdout.write(
        f"{kills} kills: {len(known):,} rows acknowledged, {len(lost)} of them lost, {len(twice)} kept twice.\n"
    )
    shutil.rmtree(home)
    sys.exit(bool(lost or twice))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

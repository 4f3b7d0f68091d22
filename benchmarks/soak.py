"""Level 4 for five minutes, all of it at once: 100 questions a second, purchases, `/metrics`, looks and ticks.

Run it by hand: `.venv/bin/python benchmarks/soak.py`. A minute stands for a day: each has its tick, and its look.
Prints failed requests, and the service's resident memory after the first minute and at the end.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import psutil
from serving import HOST, ask, get, is_up, post, purchases

from shared.dataset.clock import open_day, set_known_through
from shared.dataset.feed import open_feed
from shared.release.bundle import open_bundle
from shared.release.pointer import require_pointer
from shared.service.process import Process, free_port, start, stop
from shared.service.token import token_of

AS_OF = date(2017, 6, 4)
CONNECTIONS = 10
SECONDS_A_DAY = 60.0


async def customers_ask(port: int, requests: list[bytes], rate: float, until: float, failed: list[int]) -> int:
    """Ask at a steady rate over one connection; returns how often."""
    reader, writer = await asyncio.open_connection(HOST, port)
    begun, asked = time.perf_counter(), 0
    while time.perf_counter() < until:
        try:
            failed[0] += not await ask(reader, writer, requests[asked % len(requests)])
        except (OSError, asyncio.IncompleteReadError):
            failed[0] += 1
            reader, writer = await asyncio.open_connection(HOST, port)
        asked += 1
        await asyncio.sleep(max(0.0, begun + asked / rate - time.perf_counter()))
    writer.close()
    return asked


async def scrape(port: int, until: float, failed: list[int]) -> None:
    """Read `/metrics` each second."""
    while time.perf_counter() < until:
        failed[0] += not await asyncio.to_thread(is_up, port, "/metrics")
        await asyncio.sleep(1)


async def weigh(service: Process, until: float) -> list[float]:
    """The service's resident memory each second, in MiB."""
    found, process = [], psutil.Process(service.pid)
    while time.perf_counter() < until:
        found.append(process.memory_info().rss / 2**20)
        await asyncio.sleep(1)
    return found


async def days_pass(shop: Path, until: float) -> list[str]:
    """Each minute a day arrives: a tick for it, and a look at the service's health; returns what they said."""
    told: list[str] = []
    while (began := time.perf_counter()) + 30 < until:
        set_known_through(shop, open_day(shop))
        for words in (("monitor", "model"), ("loop", "health")):
            command = [sys.executable, "-m", "mlops", "--level", "4", *words]
            done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
            told.append(f"{done.returncode}: {(done.stdout or done.stderr).splitlines()[0]}")
        await asyncio.sleep(max(0.0, SECONDS_A_DAY - (time.perf_counter() - began)))
    return told


async def soak(service: Process, shop: Path, rate: float, seconds: float) -> None:
    """All at once, then the figures."""
    level = shop.parent / "level4"
    model = open_bundle(level / require_pointer(level).bundle).model
    customers = [name.decode() for name in np.random.default_rng(0).permutation(model.histories_.customers)]
    gets = [get(f"/recommendations/{customer}") for customer in customers]
    rows = purchases(customers, lambda: open_day(shop), token_of(level))
    until, failed = time.perf_counter() + seconds, [0]
    shares = [gets[at::CONNECTIONS] for at in range(CONNECTIONS)]
    memory, told, *asked = await asyncio.gather(
        weigh(service, until),
        days_pass(shop, until),
        *(customers_ask(service.port, share, rate / CONNECTIONS, until, failed) for share in shares),
        post(service.port, rows, until, failed),
        scrape(service.port, until, failed),
    )
    minute = memory[min(60, len(memory) - 1)]
    print("\n".join(told))
    print(f"{sum(filter(None, asked)):,} questions; {failed[0]} questions, posts or scrapes failed.")
    print(
        f"Resident memory: {minute:.0f} MiB after a minute, {memory[-1]:.0f} MiB at the end "
        f"({memory[-1] / minute - 1:+.1%}), at most {max(memory):.0f} MiB."
    )


def main() -> None:
    """Make a level 4 with a release, and let it run."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=300)
    arguments.add_argument("--rate", type=float, default=100)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["MLOPS_HOME"] = temporary
        shop = Path(temporary) / "shop"
        open_feed(shop)
        set_known_through(shop, AS_OF)
        for words in (("pipeline", "run"), ("deploy", "model", "--version", "candidate")):
            subprocess.run([sys.executable, "-m", "mlops", "--level", "4", *words], check=True)
        service = start(shop.parent / "level4", "level4_monitoring.serve", free_port(0))
        try:
            asyncio.run(soak(service, shop, asked.rate, asked.seconds))
        finally:
            stop(shop.parent / "level4")


if __name__ == "__main__":
    main()

"""Requests a second and latency of the service, beside a bare FastAPI endpoint and beside `mlflow models serve`.

Level 4's service, which keeps its prediction log and its metrics, is asked as well, also while purchases are posted.

Run it by hand: `.venv/bin/python benchmarks/serving.py`. All are asked by the same load generator, in turn,
round after round; what counts is the ratio within a round. Then the release is switched under load.

With `--stress` it asks only this service: health and single lists while others ask the largest questions, beside the
same with nobody else there; then beside a thousand clients that never finish a request.
"""

import argparse
import asyncio
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from shared.dataset.clock import open_day
from shared.release.bundle import open_bundle
from shared.release.manifest import verify
from shared.release.pointer import Pointer, point_to
from shared.service.process import HOST, Process, free_port
from shared.service.token import token_of
from shared.service.waiting import wait_until

AS_OF = date(2017, 6, 4)
CONNECTIONS = 16
UNFINISHED = 10_000
BARE = """
import sys
from fastapi import FastAPI, Response
import uvicorn
app = FastAPI()
CONSTANT = b"x" * int(sys.argv[2])
@app.get("/recommendations/{customer}")
async def constant(customer: str, k: int = 10) -> Response:
    return Response(CONSTANT, media_type="application/json")
@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "alive"}
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""


@dataclass(frozen=True)
class Load:
    """What a round of requests was like: a second's requests, latencies in ms, failed requests."""

    rate: float
    p50: float
    p99: float
    failed: int


def get(path: str) -> bytes:
    """A GET request for a path."""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def invocation(customer: str) -> bytes:
    """A request to `mlflow models serve` for one customer."""
    body = json.dumps({"dataframe_records": [{"customer_id": customer}]}).encode()
    head = f"POST /invocations HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
    """One request over a connection that stays open; whether the answer was a 200 with a body."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    return head.startswith(b"HTTP/1.1 200") and bool(body)


async def connection(port: int, requests: list[bytes], until: float, latencies: list[float], failed: list[int]) -> None:
    """Ask over one connection until a time is reached."""
    reader, writer = await asyncio.open_connection(HOST, port)
    at = 0
    while (began := time.perf_counter()) < until:
        try:
            good = await ask(reader, writer, requests[at % len(requests)])
        except (OSError, asyncio.IncompleteReadError):
            good = False
            reader, writer = await asyncio.open_connection(HOST, port)
        latencies.append(time.perf_counter() - began)
        failed[0] += not good
        at += 1
    writer.close()


async def load(port: int, requests: list[bytes], seconds: float, posts: Iterator[bytes] | None = None) -> Load:
    """Ask over several connections at once; posts: sent beside them, five a second."""
    latencies: list[float] = []
    failed = [0]
    until = time.perf_counter() + seconds
    shares = [requests[start::CONNECTIONS] for start in range(CONNECTIONS)]
    beside = [post(port, posts, until, failed)] if posts else []
    await asyncio.gather(*(connection(port, share, until, latencies, failed) for share in shares), *beside)
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    return Load(len(latencies) / seconds, p50, p99, failed[0])


async def post(port: int, posts: Iterator[bytes], until: float, failed: list[int], seconds: float = 0.2) -> None:
    """Post again and again until a time is reached."""
    reader, writer = await asyncio.open_connection(HOST, port)
    while time.perf_counter() < until:
        failed[0] += not await ask(reader, writer, next(posts))
        await asyncio.sleep(seconds)
    writer.close()


def purchases(customers: list[str], day: Callable[[], date], token: str, rows: int = 20) -> Iterator[bytes]:
    """Requests that post rows of the day that is open, each new."""
    for number in itertools.count():
        sold = [
            {
                "customer": customers[(number * rows + at) % len(customers)],
                "basket": f"b{number}-{at}",
                "product": "820165",
                "time": f"{day()}T10:00:00",
            }
            for at in range(rows)
        ]
        body = json.dumps({"rows": sold}).encode()
        head = f"POST /purchases HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        yield f"{head}Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def serving(command: list[str], port: int, path: str, folder: Path) -> Iterator[None]:
    """A server, ready to answer, for as long as the block runs."""
    with (folder / f"{port}.log").open("wb") as log:
        path_with_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path_with_python}  # MLflow looks for uvicorn there
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            if not wait_until(lambda: is_up(port, path), 120):
                raise SystemExit(f"{command} did not start:\n{(folder / f'{port}.log').read_text()[-2000:]}")
            yield
        finally:
            process.terminate()
            process.wait()


def is_up(port: int, path: str) -> bool:
    """Whether a server answers a path with a 200."""
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def save_for_mlflow(folder: Path, bundle: Path) -> None:
    """The same model as an MLflow pyfunc model."""
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
    import mlflow
    import pandas as pd

    class Recommender(mlflow.pyfunc.PythonModel):
        def load_context(self, context) -> None:
            self.bundle = open_bundle(Path(context.artifacts["bundle"]))

        def predict(self, context, model_input: pd.DataFrame, params=None) -> list:
            return self.bundle.model.recommend(model_input["customer_id"], 10).to_dict("records")

    mlflow.pyfunc.save_model(
        str(folder), python_model=Recommender(), artifacts={"bundle": str(bundle)}, pip_requirements=[]
    )


def compare(
    servers: dict[str, tuple[int, list[bytes], Iterator[bytes] | None]], rounds: int, seconds: float
) -> dict[str, list[Load]]:
    """Rounds of load on each server in turn; the first round warms up and does not count."""
    found: dict[str, list[Load]] = {name: [] for name in servers}
    for number in range(rounds + 1):
        for name, (port, requests, posts) in servers.items():
            sys.stderr.write(f"round {number}: {name}\n")
            result = asyncio.run(load(port, requests, seconds, posts))
            if number:
                found[name].append(result)
    return found


def switch_under_load(level: Path, port: int, requests: list[bytes], switches: int) -> Load:
    """Switch back and forth between two releases while customers ask."""

    from level2_basic_automation.deploy import deploy

    async def both() -> Load:
        asked = asyncio.create_task(load(port, requests, switches * 1.5))
        for number in range(switches):
            await asyncio.sleep(1.3)
            deploy(level, ["1.0", "1.1"][number % 2])
        return await asked

    return asyncio.run(both())


def largest(customers: list[str], k: int) -> bytes:
    """A POST request for many customers' lists."""
    body = json.dumps({"customers": customers, "k": k}).encode()
    head = f"POST /recommendations HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


async def ask_beside(port: int, requests: list[bytes], others: list[bytes], seconds: float) -> Load:
    """Ask over one connection, while each of the others is asked over one of its own."""
    latencies: list[float] = []
    failed = [0]
    until = time.perf_counter() + seconds
    beside = [connection(port, [other], until, [], [0]) for other in others]
    await asyncio.gather(connection(port, requests, until, latencies, failed), *beside)
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    return Load(len(latencies) / seconds, p50, p99, failed[0])


async def ask_beside_unfinished(port: int, requests: list[bytes], clients: int, seconds: float) -> Load:
    """Ask over one connection at a time, while clients hold half a request each."""
    held = []
    for _ in range(clients):
        _, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        held.append(writer)
    asked = await ask_beside(port, requests, [], seconds)
    for writer in held:
        writer.close()
    return asked


def stress(port: int, customers: list[str], sizes: tuple[int, int], seconds: float) -> None:
    """Print how long health and a single list take beside others."""
    many = largest(customers[: sizes[0]], sizes[1])
    began = time.perf_counter()
    asyncio.run(ask_beside(port, [many], [], 0.01))
    print(f"one question of {sizes[0]} customers with k = {sizes[1]}: {time.perf_counter() - began:.2f} s")
    print(f"{'':<14}{'beside':<30}{'p50 ms':>9}{'p99 ms':>9}{'failed':>8}")
    for name, request in (("health", get("/healthz")), ("a single list", get(f"/recommendations/{customers[0]}"))):
        found = {
            "nobody": asyncio.run(ask_beside(port, [request], [], seconds)),
            "4 of the largest questions": asyncio.run(ask_beside(port, [request], [many] * 4, seconds)),
            f"{UNFINISHED:,} unfinished requests": asyncio.run(
                ask_beside_unfinished(port, [request], UNFINISHED, seconds)
            ),
        }
        for beside, load in found.items():
            print(f"{name:<14}{beside:<30}{load.p50:>9.2f}{load.p99:>9.2f}{load.failed:>8}")


def median(loads: list[Load], of: Callable[[Load], float]) -> float:
    """The median of a figure over the rounds."""
    return statistics.median(map(of, loads))


def tell(found: dict[str, list[Load]]) -> None:
    """Print the table; ratios are medians of the ratios within a round."""
    print(f"{'':<22}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'failed':>8}   of the bare one")
    bare = found["bare endpoint"]
    for name, loads in found.items():
        ratio = statistics.median(mine.rate / other.rate for mine, other in zip(loads, bare, strict=True))
        figures = [median(loads, lambda one: one.rate), median(loads, lambda one: one.p50)]
        print(
            f"{name:<22}{figures[0]:>11,.0f}{figures[1]:>9.2f}{median(loads, lambda one: one.p99):>9.2f}"
            f"{sum(one.failed for one in loads):>8}   {ratio:.2f}"
        )


def main() -> None:
    """Train a release, start the servers and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--stress", action="store_true", help="ask this service alone, beside hostile clients")
    arguments.add_argument("--customers", type=int, default=100, help="of the largest question")
    arguments.add_argument("--k", type=int, default=100, help="of the largest question")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["MLOPS_HOME"] = temporary
        from level2_basic_automation.pipeline import run

        level = folder / "level2"
        run(level, AS_OF - timedelta(days=7))
        made = run(level, AS_OF)
        if not asked.stress:
            save_for_mlflow(folder / "mlflow", made.folder / "bundle")
        model = open_bundle(made.folder / "bundle").model
        customers = [name.decode() for name in np.random.default_rng(0).permutation(model.histories_.customers)]
        ports = {name: free_port(0) for name in ("ours", "bare", "mlflow", "level 4")}
        service = [sys.executable, "-m", "level2_basic_automation.serve", "--port", str(ports["ours"])]
        with serving(service, ports["ours"], "/readyz", folder):
            if asked.stress:
                stress(ports["ours"], customers, (asked.customers, asked.k), asked.seconds)
                return
            answer = json.dumps(Process(0, ports["ours"]).recommend(customers[0], 10), separators=(",", ":"))
            bare = [sys.executable, "-c", BARE, str(ports["bare"]), str(len(answer))]
            mlflow = [
                sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder / "mlflow"),
                "--env-manager", "local", "--port", str(ports["mlflow"]),
            ]  # fmt: skip
            gets = [get(f"/recommendations/{customer}") for customer in customers]
            posts = purchases(customers, partial(open_day, folder / "shop"), token_of(folder / "level4"))
            level4 = folder / "level4"
            shutil.copytree(made.folder / "bundle", level4 / "bundle")
            point_to(level4, Pointer("1.0", "bundle", verify(level4 / "bundle").digest))
            watched = [sys.executable, "-m", "level4_monitoring.serve", "--port", str(ports["level 4"])]
            with (
                serving(bare, ports["bare"], "/healthz", folder),
                serving(watched, ports["level 4"], "/readyz", folder),
                serving(mlflow, ports["mlflow"], "/ping", folder),
            ):
                servers = {
                    "this service": (ports["ours"], gets, None),
                    "level 4": (ports["level 4"], gets, None),
                    "level 4, purchases": (ports["level 4"], gets, posts),
                    "bare endpoint": (ports["bare"], gets, None),
                    "mlflow models serve": (ports["mlflow"], [invocation(customer) for customer in customers], None),
                }
                tell(compare(servers, asked.rounds, asked.seconds))
            switched = switch_under_load(level, ports["ours"], gets, switches=10)
            print(
                f"10 switches under load: {switched.failed} of {switched.rate * 15:,.0f} requests failed, "
                f"p99 {switched.p99:.1f} ms"
            )


if __name__ == "__main__":
    main()

"""The staging service: the same app on a release that is not live yet, in a process and a folder of its own."""

import argparse
import logging
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from shared.bundle import Bundle
from shared.contract import Answer
from shared.errors import CheckFailed, DependencyDown
from shared.live import Follower, Pointer, point_to
from shared.running import Running, run_forever, start, stop
from shared.serving import create_app

PORT = 8030
GOLDEN_CUSTOMERS = 20
NOBODY = "a customer whom nobody knows"
K = 10
MOST_MILLISECONDS = 200.0


@contextmanager
def staged(level: Path, pointer: Pointer) -> Iterator[Running]:
    """A staging service that answers with a release, for as long as the block runs."""
    folder = level / "staging"
    stop(folder)
    point_to(folder, replace(pointer, bundle=f"../{pointer.bundle}", histories="", histories_digest=""))
    try:
        yield start(folder, "level3_cicd.staging", PORT, words=["--folder", str(folder)])
    finally:
        stop(folder)


def smoke_test(service: Running, bundle: Bundle) -> str:
    """Ask a service for golden customers' lists; returns what was found, in words.

    Raises CheckFailed if it does not answer, breaks the contract, answers with fewer products than the bundle
    has or by another release, or is slow.
    """
    golden = [name.decode() for name in bundle.model.histories_.customers[:GOLDEN_CUSTOMERS]]
    taken = []
    for customer in [*golden, NOBODY]:
        began = time.perf_counter()
        check_answer(service, customer, bundle)
        taken.append(1000 * (time.perf_counter() - began))
    middle = statistics.median(taken)
    if middle > MOST_MILLISECONDS:
        raise failed(bundle, f"its median answer takes {middle:.0f} ms, limit {MOST_MILLISECONDS:.0f} ms")
    return f"{len(taken)} golden customers answered, {middle:.0f} ms in the middle"


def check_answer(service: Running, customer: str, bundle: Bundle) -> None:
    """One golden customer's answer must keep the contract and be as long as the bundle can make it."""
    try:
        answer = Answer.model_validate(service.recommend(customer, K))
    except (DependencyDown, ValidationError) as error:
        raise failed(bundle, f"{customer!r} gets no proper answer: {error}") from error
    products = [item.product for item in answer.recommendations]
    wanted = len(bundle.model.recommend([customer], K))
    if answer.release != bundle.release or len(set(products)) != wanted or wanted == 0:
        raise failed(bundle, f"{customer!r} gets {len(set(products))} products of {wanted}, by {answer.release}")


def failed(bundle: Bundle, why: str) -> CheckFailed:
    """The error of a smoke test."""
    return CheckFailed(f"Release {bundle.release} fails its smoke test: {why}.", fix="Deploy another release.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    given, _ = parser.parse_known_args()
    run_forever(lambda: create_app(3, Follower(given.folder, on_trouble=logging.getLogger("staging").error)), PORT)

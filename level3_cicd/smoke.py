"""The smoke test of a release: golden customers ask a service, and must get what the release gave when it was made.

Staging is such a service, in a process and a folder of its own, on a release that is not live yet.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from shared.contract import Answer
from shared.errors import CheckFailed, DependencyDown
from shared.manifest import Verified
from shared.pointer import Pointer, point_to
from shared.running import Running, start, stop

PORT = 8030
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


def smoke_test(service: Running, release: Verified) -> str:
    """Ask a service for the golden customers' lists; returns what was found, in words.

    Raises CheckFailed if it does not answer, breaks the contract, is slow, answers by another release or with
    other products than the release gave when it was made. Where the histories were brought up to date since,
    their number is all that can be compared.
    """
    try:
        served = service.get("/version")
    except DependencyDown as error:
        raise failed(release, f"the service does not answer: {error}") from error
    same_histories = served.get("histories_digest") == release.histories_digest
    taken = []
    for customer, wanted in release.golden.items():
        began = time.perf_counter()
        products = ask(service, customer, release)
        taken.append(1000 * (time.perf_counter() - began))
        if len(set(products)) != len(wanted) or not wanted:
            raise failed(release, f"{customer!r} gets {len(set(products))} products of {len(wanted)}")
        if same_histories and set(products) != set(wanted):
            other = sorted(set(products) - set(wanted))
            raise failed(release, f"{customer!r} gets {other}, which it did not when the release was made")
    middle = statistics.median(taken)
    if middle > MOST_MILLISECONDS:
        raise failed(release, f"its median answer takes {middle:.0f} ms, limit {MOST_MILLISECONDS:.0f} ms")
    return f"{len(taken)} golden customers answered, {middle:.0f} ms in the middle"


def ask(service: Running, customer: str, release: Verified) -> list[str]:
    """One golden customer's products, by this release; the answer must keep the contract."""
    try:
        answer = Answer.model_validate(service.recommend(customer, K))
    except (DependencyDown, ValidationError) as error:
        raise failed(release, f"{customer!r} gets no proper answer: {error}") from error
    if answer.release != release.release:
        raise failed(release, f"{customer!r} is answered by {answer.release}")
    return [item.product for item in answer.recommendations]


def failed(release: Verified, why: str) -> CheckFailed:
    """The error of a smoke test."""
    return CheckFailed(f"Release {release.release} fails its smoke test: {why}.", fix="Deploy another release.")

"""The smoke test of a release: golden customers ask a service, and must get what the release gave when it was made.

Staging is such a service, in a process and a folder of its own, on a release that is not live yet.
"""

import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from shared.errors import CheckFailed, DependencyDown, MlopsError
from shared.release.manifest import GOLDEN_K, Verified
from shared.release.pointer import Pointer, point_to
from shared.service.contract import Answer
from shared.service.process import SECONDS_TO_START, Process, last_lines, launch_service, stop
from shared.service.waiting import wait_until

MOST_MILLISECONDS = 200.0


@dataclass(frozen=True)
class Staging:
    """A staging service that is starting, with nothing to answer with yet."""

    folder: Path
    running: Process

    def take(self, pointer: Pointer) -> Process:
        """Let the service answer with a release, and wait until it does. Raises CheckFailed if it does not."""
        pointer = point_to(
            self.folder, replace(pointer, bundle=f"../{pointer.bundle}", histories="", histories_digest="")
        )
        wait_until(lambda: follows(self.running, pointer) or not self.running.is_running(), SECONDS_TO_START)
        if not (self.running.is_itself() and follows(self.running, pointer)):
            told = last_lines(self.folder / "service.log")
            raise CheckFailed(f"Release {pointer.release} does not come up in staging:\n{told}", fix="Deploy another.")
        return self.running


@contextmanager
def staging(level: Path) -> Iterator[Staging]:
    """A staging service, for as long as the block runs. It starts while the caller fetches what it is to take."""
    folder = level / "staging"
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)
    words = ["--folder", str(folder)]
    # Any free port: another one's staging may be starting on a usual one.
    running, process = launch_service(folder, "level3_cicd.rollout.staging_service", 0, words, stdin=subprocess.PIPE)
    with process:  # it ends when the pipe to it does
        try:
            yield Staging(folder, running)
        finally:
            stop(folder)


def follows(running: Process, pointer: Pointer) -> bool:
    """Whether a service answers with what the pointer names. Numbers begin anew after a first release that failed."""
    try:
        served = running.get("/version", seconds=2)
        named = (pointer.sequence, pointer.release, pointer.bundle_digest)
        return (served["sequence"], served["release"], served["bundle_digest"]) == named
    except (MlopsError, KeyError):
        return False


def smoke_test(service: Process, pointer: Pointer, bundle: Verified) -> str:
    """Ask a service for the golden customers' lists; returns what was found, in words.

    Raises CheckFailed if it does not answer, breaks the contract, is slow, answers by another release or with
    other products than the release gave when it was made. Where the histories were brought up to date since,
    their number is all that can be compared.
    """
    try:
        served = service.get("/version")
    except DependencyDown as error:
        raise failed(pointer, f"the service does not answer: {error}") from error
    same_histories = served.get("histories_digest") == bundle.histories_digest
    taken = []
    for customer, wanted in bundle.golden.items():
        began = time.perf_counter()
        products = ask(service, customer, pointer)
        taken.append(1000 * (time.perf_counter() - began))
        if len(set(products)) != len(wanted) or not wanted:
            raise failed(pointer, f"{customer!r} gets {len(set(products))} products of {len(wanted)}")
        if same_histories and set(products) != set(wanted):
            other = sorted(set(products) - set(wanted))
            raise failed(pointer, f"{customer!r} gets {other}, which it did not when the release was made")
    middle = statistics.median(taken)
    if middle > MOST_MILLISECONDS:
        raise failed(pointer, f"its median answer takes {middle:.0f} ms, limit {MOST_MILLISECONDS:.0f} ms")
    return f"{len(taken)} golden customers answered, median {middle:.1f} ms"


def ask(service: Process, customer: str, pointer: Pointer) -> list[str]:
    """One golden customer's products, by this release; the answer must keep the contract."""
    try:
        answer = Answer.model_validate(service.recommend(customer, GOLDEN_K))
    except (DependencyDown, ValidationError) as error:
        raise failed(pointer, f"{customer!r} gets no proper answer: {error}") from error
    if answer.release != pointer.release:
        raise failed(pointer, f"{customer!r} is answered by {answer.release}")
    return [item.product for item in answer.recommendations]


def failed(pointer: Pointer, why: str) -> CheckFailed:
    """The error of a smoke test."""
    return CheckFailed(f"Release {pointer.release} fails its smoke test: {why}.", fix="Deploy another release.")

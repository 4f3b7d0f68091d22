"""The smoke test of a release: golden customers ask a service, and must get what the release gave when it was made."""

import time

from pydantic import ValidationError

from shared.errors import CheckFailed, DependencyDown
from shared.release.manifest import GOLDEN_K, Verified
from shared.release.pointer import Pointer
from shared.service.contract import Answer
from shared.service.process import Process

MOST_MILLISECONDS = 200.0


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
    best = min(taken)  # who else uses the machine must not decide about a release
    if best > MOST_MILLISECONDS:
        raise failed(pointer, f"its fastest answer takes {best:.0f} ms, limit {MOST_MILLISECONDS:.0f} ms")
    return f"{len(taken)} golden customers answered, the fastest in {best:.1f} ms"


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

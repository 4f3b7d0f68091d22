"""Waiting until a service answers with a release. Staging and the switch wait for it.

What counts is progress, not time: a large release takes as long to load as it takes, and the service says how far
it is. One that does nothing is waited for no longer than the caller says.
"""

from shared.errors import MlopsError
from shared.release.pointer import Pointer
from shared.service.process import Process
from shared.service.waiting import wait_while_it_moves

# A service says within 0.1 s what it is doing, also under load; one that hangs is asked several times in vain.
SECONDS_TO_ANSWER = 1.0


def takes_over(running: Process, pointer: Pointer, seconds: float) -> bool:
    """Wait until a service follows a pointer; False if it ended, or made no progress for `seconds`."""
    came = wait_while_it_moves(
        lambda: follows(running, pointer) or has_ended(running), lambda: progress(running, pointer), seconds
    )
    return came and follows(running, pointer)


def follows(running: Process, pointer: Pointer) -> bool:
    """True if a service answers with what the pointer names. Numbers begin anew after a first release that failed."""
    try:
        served = running.get("/version", SECONDS_TO_ANSWER)
        named = (pointer.sequence, pointer.release, pointer.bundle_digest)
        histories = pointer.histories_digest or served.get("histories_digest")
        return (
            (served["sequence"], served["release"], served["bundle_digest"]) == named
            and served.get("histories_digest") == histories
        )  # fmt: skip
    except (MlopsError, KeyError):
        return False


def has_ended(running: Process) -> bool:
    """True if a service's process is known to have ended."""
    return running.create_time > 0 and not running.is_running()


def progress(running: Process, pointer: Pointer) -> object:
    """How far a service is with loading what the pointer names; None if it says nothing of it."""
    try:
        said = running.get("/healthz", SECONDS_TO_ANSWER)
        return (said["step"], said["worked"]) if said["loading"] == pointer.release else None
    except (MlopsError, KeyError, TypeError):
        return None


def answers(running: Process) -> bool:
    """True if a service answers at all, whatever it says; one that hangs does not."""
    try:
        running.get("/healthz", SECONDS_TO_ANSWER)
    except MlopsError:
        return False
    return True


def words_of(running: Process) -> str:
    """The error that a service reports, as the end of a sentence; empty if it reports none."""
    try:
        error = running.get("/healthz", SECONDS_TO_ANSWER)["error"]
    except (MlopsError, KeyError, TypeError):
        return ""
    return f" It says: {error}" if error else ""

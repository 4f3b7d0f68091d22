"""Waiting for something to happen: for a service to answer, for a process to end."""

import time
from collections.abc import Callable

SECONDS_BETWEEN_LOOKS = 0.1
# No loading takes longer; one that goes round in circles is not waited for any more.
SECONDS_AT_MOST = 3600.0


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    """Look until something has happened; False if it has not within `seconds`."""
    from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

    looks = Retrying(
        retry=retry_if_result(lambda done: not done),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(SECONDS_BETWEEN_LOOKS),
        retry_error_callback=lambda state: False,
    )
    return bool(looks(happened))


def wait_while_it_moves(
    happened: Callable[[], bool],
    progress: Callable[[], object],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Look until something has happened; False once `progress` has stayed the same for `seconds`.

    progress: anything that changes as long as the work goes on.
    """
    began = moved = clock()
    seen = progress()
    while not happened():
        now, at = progress(), clock()
        if now != seen:
            seen, moved = now, at
        if at - moved >= seconds or clock() - began >= SECONDS_AT_MOST:
            return happened()
        sleep(SECONDS_BETWEEN_LOOKS)
    return True

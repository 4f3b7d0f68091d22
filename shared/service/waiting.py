"""Waiting for something to happen: for a service to answer, for a process to end."""

from collections.abc import Callable

SECONDS_BETWEEN_LOOKS = 0.1


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

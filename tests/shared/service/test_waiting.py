"""Waiting for progress, with a clock that the test turns."""

from shared.service.waiting import SECONDS_BETWEEN_LOOKS, wait_while_it_moves


class Clock:
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_what_moves_is_waited_for_however_long_it_takes() -> None:
    clock = Clock()
    came = wait_while_it_moves(lambda: clock() > 300, lambda: int(clock()), 2, clock, clock.sleep)
    assert came
    assert clock() > 300


def test_what_stands_still_is_not_waited_for() -> None:
    clock = Clock()
    came = wait_while_it_moves(lambda: False, lambda: min(int(clock()), 60), 15, clock, clock.sleep)
    assert not came
    assert 75 <= clock() <= 75 + 2 * SECONDS_BETWEEN_LOOKS


def test_what_moves_in_circles_is_not_waited_for_for_ever() -> None:
    clock = Clock()
    assert not wait_while_it_moves(lambda: False, clock, 15, clock, clock.sleep)

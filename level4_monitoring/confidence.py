"""A confidence sequence: an interval for a mean that may be looked at every day."""

import math


def radius(n: int, deviation: float, error: float, planned: int = 1000) -> float:
    """Half the width, after n observations of standard deviation `deviation`, of a normal-mixture sequence.

    The true mean is inside at all times at once with probability 1 - error; it is narrowest around
    `planned` observations (Howard, Ramdas, McAuliffe and Sekhon, 2021, eq. 14).

    >>> radius(100, 0.05, 0.05) > radius(1000, 0.05, 0.05) > 1.96 * 0.05 / math.sqrt(1000)
    True
    """
    if n < 2:
        return math.inf
    mixture = planned / (2 * math.log(1 / error) + math.log(1 + 2 * math.log(1 / error)))
    spread = (n + mixture) * (2 * math.log(1 / error) + math.log((n + mixture) / mixture))
    return deviation * math.sqrt(spread) / n

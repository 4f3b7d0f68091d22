"""Sure differences: a confidence sequence, which may be looked at every day, and what it needs of paired scores.

`decide` asks for the radius; `shadow` and the benchmarks for the summary of pairs.
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Paired:
    """N paired differences of c customers in numbers.

    deviation: per pair, such that mean +- deviation * z / sqrt(N) is right although a customer's pairs depend.
    """

    pairs: int
    customers: int
    mean: float
    deviation: float


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


def summarize_pairs(customers: np.ndarray, differences: np.ndarray) -> Paired:
    """N differences, each with its customer (any kind of key), as one mean with a deviation clustered by customer.

    deviation = sqrt(N max(v_iid, v_customer)), where v_customer sums, over customers, the square of the sum of a
    customer's centred differences, over N squared (Liang and Zeger, 1986): of a customer who is in every pair,
    N pairs are worth one.

    >>> summarize_pairs(np.array(["a", "b", "c"]), np.array([0.1, 0.2, 0.3]))
    Paired(pairs=3, customers=3, mean=0.2, deviation=0.1)
    """
    n = len(differences)
    if not n:
        return Paired(0, 0, math.nan, math.nan)
    _, which = np.unique(customers, return_inverse=True)
    mean = float(differences.mean())
    of_customer = np.bincount(which, differences - mean)
    independent = float(differences.var(ddof=1)) / n if n > 1 else 0.0
    clustered = float((of_customer**2).sum()) / n**2
    return Paired(n, len(of_customer), round(mean, 15), round(math.sqrt(n * max(independent, clustered)), 15))

"""The radius of a confidence sequence and deviations that are clustered by customer."""

import math

import numpy as np
import pytest

from level4_monitoring.confidence import radius, summarize_pairs


def test_looking_every_day_at_equal_models_is_seldom_wrong() -> None:
    chance = np.random.default_rng(1)
    wrong = 0
    for _ in range(300):
        days = chance.normal(0, 0.05, (28, 350))
        sums, squares = np.cumsum(days.sum(1)), np.cumsum((days**2).sum(1))
        n = 350 * np.arange(1, 29)
        deviation = np.sqrt(squares / n - (sums / n) ** 2)
        wrong += any(abs(mean) > radius(int(m), sd, 0.05) for mean, m, sd in zip(sums / n, n, deviation, strict=True))
    assert wrong / 300 < 0.05


def test_one_observation_says_nothing() -> None:
    assert radius(1, 0.05, 0.05) == math.inf


def test_pairs_of_one_customer_are_worth_one() -> None:
    differences = np.repeat([0.1, -0.1, 0.3, 0.1], 25)
    apart = summarize_pairs(np.arange(100), differences)
    together = summarize_pairs(np.repeat(np.arange(4), 25), differences)
    assert together.customers == 4
    assert together.mean == apart.mean == pytest.approx(0.1)
    # Four independent pairs have the same error of the mean: deviation / 2, against deviation / 10 of a hundred.
    assert together.deviation / math.sqrt(100) == pytest.approx(math.sqrt(2 * 0.2**2) / 4)
    assert together.deviation > 4 * apart.deviation


def test_pairs_of_customers_who_change_their_mind_count_as_independent_at_most() -> None:
    together = summarize_pairs(np.repeat(np.arange(50), 2), np.tile([0.1, -0.1], 50))
    assert together.deviation == pytest.approx(np.tile([0.1, -0.1], 50).std(ddof=1))


@pytest.mark.parametrize("differences", [[], [0.2]])
def test_too_few_pairs_are_no_certainty(differences: list[float]) -> None:
    found = summarize_pairs(np.arange(len(differences)), np.array(differences))
    assert found.pairs == len(differences)
    assert not found.deviation > 0

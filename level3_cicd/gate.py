"""The gate: may a candidate be deployed? Pure: scores in, verdict out."""

import math
from dataclasses import dataclass

import pandas as pd

from level3_cicd.config import GateLimits


@dataclass(frozen=True)
class Rule:
    """One rule with what was found."""

    name: str
    found: float
    limit: float
    passed: bool
    detail: str


@dataclass(frozen=True)
class Verdict:
    """All rules with their outcomes."""

    rules: list[Rule]

    @property
    def passed(self) -> bool:
        """Whether every rule is kept."""
        return all(rule.passed for rule in self.rules)

    @property
    def reason(self) -> str:
        """The broken rules, or all of them if none is, in words."""
        told = [rule for rule in self.rules if not rule.passed] or self.rules
        return "; ".join(f"{rule.name}: {rule.detail} (limit {rule.limit:+.3f})" for rule in told)


def decide(candidate: pd.Series, popular: pd.Series, live: pd.Series | None, limits: GateLimits) -> Verdict:
    """Judge NDCG@10 per customer (index: customer) against popular and against the live model on the same customers."""
    gain = compare(candidate, popular)
    rules = [
        Rule(
            "better than popular",
            gain.mean,
            limits.least_gain_over_popular,
            gain.mean >= limits.least_gain_over_popular,
            f"{gain}",
        )
    ]
    if live is not None:
        difference = compare(candidate, live)
        limit = -limits.most_loss_to_live
        rules.append(Rule("not worse than live", difference.low, limit, difference.low >= limit, f"{difference}"))
    return Verdict(rules)


@dataclass(frozen=True)
class Difference:
    """A mean paired difference with its 95 % interval."""

    mean: float
    low: float
    high: float
    customers: int

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}], {self.customers} customers"


def compare(candidate: pd.Series, other: pd.Series) -> Difference:
    """The mean of candidate - other over the same customers, with a normal 95 % interval.

    >>> scores = pd.Series([0.5, 0.3], index=["a", "b"])
    >>> str(compare(scores, scores))
    '+0.0000 [+0.0000, +0.0000], 2 customers'
    """
    paired = (candidate - other).dropna()
    mean = float(paired.mean())
    half = 1.96 * float(paired.std(ddof=1)) / math.sqrt(len(paired)) if len(paired) > 1 else math.inf
    return Difference(mean, mean - half, mean + half, len(paired))

"""The gate: may a candidate be deployed? Pure: what was measured goes in, a verdict comes out."""

import math
from dataclasses import asdict, dataclass

import pandas as pd

from level3_cicd.config import GateLimits
from level3_cicd.measured import Judged, Measured
from level3_cicd.run import Run

FEWEST_FOR_A_SLICE = 50


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


def decide(measured: Measured, limits: GateLimits) -> Verdict:
    """Judge a candidate by every rule; a number that is not one keeps no rule."""
    gain = compare(measured.candidate, measured.popular)
    rules = [at_least("better than popular", gain.mean, limits.least_gain_over_popular, str(gain))]
    if measured.live is not None:
        difference = compare(measured.candidate, measured.live)
        rules.append(at_least("not worse than live", difference.low, -limits.most_loss_to_live, str(difference)))
    rules += [judge_slice(name, *scores, limits) for name, scores in measured.slices.items()]
    rules.append(at_least("coverage", measured.coverage, limits.least_coverage, f"{measured.coverage:.3f}"))
    rules.append(at_most("entries without a score", measured.unscored, 0, str(measured.unscored)))
    taken = f"{measured.milliseconds:.1f} ms for one customer's list"
    rules.append(at_most("the bundle answers", measured.milliseconds, limits.most_milliseconds, taken))
    return Verdict(rules)


def judge_slice(name: str, candidate: pd.Series, live: pd.Series, limits: GateLimits) -> Rule:
    """A slice may not lose more than its limit for sure: the upper end of the interval counts, slices being small."""
    difference = compare(candidate, live)
    limit = -limits.most_loss_in_a_slice
    if difference.customers < FEWEST_FOR_A_SLICE and not candidate.isna().any():
        return Rule(f"slice {name}", 0.0, limit, True, f"{difference.customers} customers, too few to judge")
    return at_least(f"slice {name}", difference.high, limit, str(difference))


def at_least(name: str, found: float, limit: float, detail: str) -> Rule:
    """A rule that asks for no less than its limit."""
    return Rule(name, found, limit, bool(found >= limit), detail)


def at_most(name: str, found: float, limit: float, detail: str) -> Rule:
    """A rule that asks for no more than its limit."""
    return Rule(name, found, limit, bool(found <= limit), detail)


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
    paired = candidate - other
    if paired.isna().any():  # a score that is no number makes the mean none
        return Difference(math.nan, math.nan, math.nan, len(paired))
    mean = float(paired.mean())
    half = 1.96 * float(paired.std(ddof=1)) / math.sqrt(len(paired)) if len(paired) > 1 else math.inf
    return Difference(mean, mean - half, mean + half, len(paired))


def gate(run: Run, evaluate: Judged) -> Verdict:
    """Judge the candidate, keep the verdict, and show it on the run's page."""
    verdict = decide(evaluate.measured, run.config.gate)
    rules = [asdict(rule) for rule in verdict.rules]
    run.evidence.keep("gate.json", {"passed": verdict.passed, "rules": rules})
    run.evidence.show_table("gate", rules, f"Release {run.release}: {verdict.reason}")
    return verdict

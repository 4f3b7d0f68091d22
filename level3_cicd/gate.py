"""The gate: may a candidate be deployed? Pure: what was measured goes in, a verdict comes out.

A pipeline asks it once a run, between `evaluate` and `register`. Its limits are shares of a score, so they suit
shops whose scores differ tenfold; `docs/reference/gate.md` explains each rule and its line in the configuration.
"""

import math
from dataclasses import asdict, dataclass

import pandas as pd

from level3_cicd.config import GateLimits
from level3_cicd.measured import Judged, Measured
from level3_cicd.run import Run
from shared.errors import CheckFailed
from shared.text import count

FEWEST_FOR_A_SLICE = 50
# The normal interval is too narrow for fewer customers: they make no mean sure.
FEWEST_TO_BE_SURE = 20
POPULAR = "popular"


@dataclass(frozen=True)
class Rule:
    """One rule with what was found; `setting` is its line in the configuration, empty for one that has none."""

    name: str
    found: float
    limit: float
    passed: bool
    detail: str
    setting: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.detail} (limit {self.limit:+.4f}{', ' * bool(self.setting)}{self.setting})"


@dataclass(frozen=True)
class Verdict:
    """All rules with their outcomes; `compared_with`: the live release, empty if nothing was live."""

    rules: list[Rule]
    compared_with: str = ""

    @property
    def passed(self) -> bool:
        """Whether every rule is kept."""
        return all(rule.passed for rule in self.rules)

    @property
    def reason(self) -> str:
        """The broken rules, or all of them if none is, in words."""
        told = [rule for rule in self.rules if not rule.passed] or self.rules
        return "; ".join(map(str, told))

    @property
    def fix(self) -> str:
        """How an operator goes on after a refusal."""
        broken = [rule.setting for rule in self.rules if not rule.passed and rule.setting]
        lines = f" The limits are in the configuration: {', '.join(dict.fromkeys(broken))}." if broken else ""
        if "gate.least_gain_over_popular" in broken and not self.compared_with:
            return "Release `popular` itself for the time being: `mlops pipeline run --model popular`." + lines
        return "It is kept as refused. Train another one; the live release stays live." + lines


def decide(measured: Measured, limits: GateLimits) -> Verdict:
    """Judge a candidate by every rule; a number that is not one keeps no rule."""
    rules = [judge_gain(measured, limits)]
    if measured.unreadable:
        rules.append(judge_unreadable(measured.unreadable, limits))
    if measured.live is not None:
        rules.append(judge_loss(measured.candidate, measured.live, limits, measured.live_release))
        rules += [judge_slice(name, *scores, limits) for name, scores in measured.slices.items()]
    return Verdict([*rules, *judge_lists(measured, limits)], measured.live_release if measured.live is not None else "")


def judge_gain(measured: Measured, limits: GateLimits) -> Rule:
    """Better than popular.

    Surely, where nothing better than popular is live: the lower end of the interval counts. After a release that
    was surely better the mean counts. `popular` itself need not be better than itself.
    """
    setting, gain = "gate.least_gain_over_popular", compare(measured.candidate, measured.popular)
    limit, alone = limits.least_gain_over_popular * float(measured.popular.mean()), measured.live is None
    first = alone and not measured.unreadable
    sure = alone or measured.live_kind == POPULAR
    name = "first release, " * first + "surely " * sure + "better than popular"
    if measured.kind == POPULAR:
        detail = "it is popular itself: everybody gets the same list, nothing in it is personal"
        return Rule("first release" if first else name, gain.mean, 0.0, not math.isnan(gain.mean), detail, setting)
    detail = str(gain) + "; nothing is live that it could be compared with" * first
    found = gain.low if sure else gain.mean
    return Rule(name, found, limit, bool(found > limit), detail, setting)


def judge_unreadable(why: str, limits: GateLimits) -> Rule:
    """A live release that cannot be compared with lets nothing pass, unless a person says so."""
    setting = "gate.pass_without_live"
    return Rule("compared with live", 0.0, 1.0, limits.pass_without_live, f"not compared: {why}", setting)


def judge_loss(candidate: pd.Series, live: pd.Series, limits: GateLimits, release: str = "") -> Rule:
    """Not worse than live: the lower end of the interval counts.

    Where the interval alone is wider than the limit, no candidate could pass: too few customers bought, or the lists
    are too different. Then the mean must not be lower, and the detail says so.
    """
    setting, difference = "gate.most_loss_to_live", compare(candidate, live)
    limit, detail = -limits.most_loss_to_live * float(live.mean()), f"{difference}"
    name = "not worse than live" + f" {release}" * bool(release)
    if difference.mean - difference.low > -limit:
        detail += "; the interval is wider than the limit, so the mean decides"
        return Rule(name, difference.mean, 0.0, bool(difference.mean >= 0), detail, setting)
    return Rule(name, difference.low, limit, bool(difference.low >= limit), detail, setting)


def judge_slice(name: str, candidate: pd.Series, live: pd.Series, limits: GateLimits) -> Rule:
    """A slice may not lose more than its limit for sure: the upper end of the interval counts, slices being small."""
    name, setting, difference = f"slice {name}", "gate.most_loss_in_a_slice", compare(candidate, live)
    limit = -limits.most_loss_in_a_slice * float(live.mean()) if len(live) else 0.0
    if difference.customers < FEWEST_FOR_A_SLICE and not candidate.isna().any():
        return Rule(name, 0.0, limit, True, f"{count(difference.customers, 'customer')}, too few to judge", setting)
    return Rule(name, difference.high, limit, bool(difference.high >= limit), str(difference), setting)


def judge_lists(measured: Measured, limits: GateLimits) -> list[Rule]:
    """The rules on the lists themselves: not the same few products for all, every entry scored, soon answered."""
    least, milliseconds = limits.least_coverage * measured.usual_coverage, measured.milliseconds
    whose = "live's" if measured.live is not None else "popular's"
    covered = f"{measured.coverage:.4f} of the catalogue, {whose} lists {measured.usual_coverage:.4f}"
    taken, most = f"{milliseconds:.1f} ms of CPU for one customer's list", limits.most_milliseconds
    return [
        Rule("coverage", measured.coverage, least, bool(measured.coverage >= least), covered, "gate.least_coverage"),
        Rule("entries without a score", measured.unscored, 0, measured.unscored <= 0, str(measured.unscored)),
        Rule("the bundle answers", milliseconds, most, bool(milliseconds <= most), taken, "gate.most_milliseconds"),
    ]


@dataclass(frozen=True)
class Difference:
    """A mean paired difference with its 95 % interval."""

    mean: float
    low: float
    high: float
    customers: int

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}], {count(self.customers, 'customer')}"


def compare(candidate: pd.Series, other: pd.Series) -> Difference:
    """The mean of candidate - other over the same customers, with a normal 95 % interval.

    Of fewer than `FEWEST_TO_BE_SURE` customers the interval is infinite. Raises CheckFailed for other customers.

    >>> scores = pd.Series(0.5, index=range(20))
    >>> str(compare(scores, scores))
    '+0.0000 [+0.0000, +0.0000], 20 customers'
    """
    if not candidate.index.sort_values().equals(other.index.sort_values()):
        raise CheckFailed("The two sides of a comparison were scored on different customers.", fix="Score both alike.")
    paired = candidate - other
    if paired.isna().any() or not len(paired):  # a score that is no number makes the mean none
        return Difference(math.nan, math.nan, math.nan, len(paired))
    mean, enough = float(paired.mean()), len(paired) >= FEWEST_TO_BE_SURE
    half = 1.96 * float(paired.std(ddof=1)) / math.sqrt(len(paired)) if enough else math.inf
    return Difference(mean, mean - half, mean + half, len(paired))


def gate(run: Run, evaluate: Judged) -> Verdict:
    """Judge the candidate, keep the verdict, and show it on the run's page."""
    verdict = decide(evaluate.measured, run.config.gate)
    rules = [asdict(rule) for rule in verdict.rules]
    run.evidence.keep("gate.json", {"passed": verdict.passed, "rules": rules, "compared_with": evaluate.compared_with})
    run.evidence.show_table("gate", rules, f"Release {run.release}: {verdict.reason}")
    return verdict

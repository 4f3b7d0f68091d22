"""The gate's rules, and the comparison that they are asked on."""

import dataclasses
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from level3_cicd.config import CONFIG, PipelineConfig
from level3_cicd.evaluate import NOTHING_LIVE, LiveSide, best_time, find_live, measure, open_live
from level3_cicd.gate import Verdict, compare, decide
from level3_cicd.measured import Measured
from shared.columns import CUSTOMER, PRODUCT, RANK, SCORE
from shared.config import read_config
from shared.errors import CheckFailed, DependencyDown, UsageError
from shared.model.alike import score_alike
from shared.model.frecency import Frecency
from shared.model.holdout import HOLDOUT_DAYS, Holdout, hold_out
from shared.model.metrics import summarize
from shared.model.popular import Popular
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer
from tests.conftest import FIRST_DAY, make_products, make_transactions

LIMITS = read_config(CONFIG, PipelineConfig).gate
AS_OF = date(2017, 3, 1)


def scores(mean: float, customers: int = 400) -> pd.Series:
    noise = np.random.default_rng(0).normal(0, 0.02, customers)
    return pd.Series(mean + noise - noise.mean(), index=[f"c{number}" for number in range(customers)])


def measured(candidate: float, live: float | None = 0.29, **other: Any) -> Measured:
    return Measured(
        candidate=scores(candidate),
        popular=scores(0.12),
        live=None if live is None else scores(live),
        **{"coverage": 0.1, "usual_coverage": 0.1, "unscored": 0, "milliseconds": 2.0, "live_release": "1.0"} | other,
    )


def apart(mean: float, half_width: float) -> tuple[pd.Series, pd.Series]:
    """Scores whose paired difference has this mean, and a 95 % interval of this half width."""
    noise = np.random.default_rng(1).normal(0, 1, 400)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    other = scores(0.3)
    return other + mean + half_width / 1.96 * np.sqrt(400) * noise, other


def broken(verdict: Verdict) -> list[str]:
    return [rule.name for rule in verdict.rules if not rule.passed]


def test_the_gate_lets_a_better_model_pass() -> None:
    verdict = decide(measured(0.30), LIMITS)
    assert verdict.passed
    assert [rule.name for rule in verdict.rules][:2] == ["better than popular", "not worse than live 1.0"]
    assert verdict.compared_with == "1.0"


def test_the_gate_names_the_rule_the_number_and_the_limit() -> None:
    verdict = decide(measured(0.25, live=0.30), LIMITS)
    assert not verdict.passed
    assert verdict.reason.startswith("not worse than live 1.0: -0.05")
    assert "(limit -0.0090, gate.most_loss_to_live)" in verdict.reason
    assert "gate.most_loss_to_live" in verdict.fix


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_limits_are_shares_so_a_shop_with_low_scores_is_judged_like_one_with_high_ones(scale: float) -> None:
    for candidate, live, passed in ((0.295, 0.3, True), (0.285, 0.3, False)):
        seen = measured(candidate, live)
        small = {name: getattr(seen, name) * scale for name in ("candidate", "popular", "live")}
        assert decide(dataclasses.replace(seen, **small), LIMITS).passed is passed


FIRST = "first release, surely better than popular"


def test_the_least_gain_is_a_share_of_what_popular_scores() -> None:
    limits = LIMITS.model_copy(update={"least_gain_over_popular": 0.5})
    assert decide(measured(0.19), limits).rules[0].limit == pytest.approx(0.06)
    assert broken(decide(measured(0.17, live=0.17), limits)) == ["better than popular"]
    assert decide(measured(0.19, live=0.19), limits).passed


def test_a_rule_that_could_not_be_measured_shows_nothing_found_and_what_would_be_needed() -> None:
    blind = decide(measured(0.3, live=None, unreadable="its manifest is gone"), LIMITS).rules[1]
    few = decide(measured(0.3, slices={"new": (scores(0.1, 20), scores(0.3, 20))}), LIMITS).rules[2]
    assert (blind.found, blind.limit, few.found) == (0.0, 1.0, 0.0)


def test_where_the_mean_decides_the_limit_that_is_shown_is_that_it_is_not_lower() -> None:
    candidate, live = apart(-0.001, 0.02)
    rule = decide(dataclasses.replace(measured(0.3), candidate=candidate, live=live), LIMITS).rules[1]
    assert (rule.limit, rule.found) == (0.0, pytest.approx(-0.001))


@pytest.mark.parametrize(("live", "whose"), [(0.29, "live's lists 0.1000"), (None, "popular's lists 0.1000")])
def test_the_coverage_rule_says_whose_lists_it_was_compared_with(live: float | None, whose: str) -> None:
    assert any(whose in rule.detail for rule in decide(measured(0.3, live=live), LIMITS).rules)


def test_a_bundle_that_takes_just_as_long_as_it_may_passes() -> None:
    assert decide(measured(0.3, milliseconds=LIMITS.most_milliseconds), LIMITS).passed


@pytest.mark.parametrize(("gain", "half_width", "passed"), [(0.006, 0.004, True), (0.006, 0.008, False)])
def test_a_first_release_must_be_surely_better_than_popular(gain: float, half_width: float, passed: bool) -> None:
    candidate, popular = apart(gain, half_width)
    verdict = decide(dataclasses.replace(measured(0.3, live=None), candidate=candidate, popular=popular), LIMITS)
    assert (verdict.rules[0].name, verdict.passed, verdict.compared_with) == (FIRST, passed, "")
    assert "nothing is live" in verdict.rules[0].detail
    assert ("pipeline run --model popular" in verdict.fix) != passed


def test_a_first_release_whose_lists_are_those_of_popular_is_refused() -> None:
    assert broken(decide(measured(0.12, live=None), LIMITS)) == [FIRST]


def test_a_later_release_need_not_be_surely_better_than_popular_again_unless_popular_is_live() -> None:
    candidate, popular = apart(0.006, 0.008)
    seen = dataclasses.replace(measured(0.3), candidate=candidate, popular=popular, live=candidate)
    assert decide(seen, LIMITS).passed
    after_popular = dataclasses.replace(seen, live=popular, live_kind="popular")
    assert broken(decide(after_popular, LIMITS)) == ["surely better than popular"]


def test_popular_itself_can_be_the_first_release_in_words_that_say_so() -> None:
    verdict = decide(measured(0.12, live=None, kind="popular", coverage=0.001, usual_coverage=0.001), LIMITS)
    assert verdict.passed
    assert "it is popular itself: everybody gets the same list" in verdict.reason


def test_popular_does_not_replace_what_is_better() -> None:
    assert broken(decide(measured(0.12, kind="popular"), LIMITS)) == ["not worse than live 1.0"]


def test_few_customers_make_nothing_sure() -> None:
    few = {"candidate": scores(0.3, 19), "popular": scores(0.1, 19)}
    assert not decide(dataclasses.replace(measured(0.3, live=None), **few), LIMITS).passed


def test_one_customer_is_no_customers() -> None:
    assert str(compare(scores(0.3, 1), scores(0.3, 1))).endswith("], 1 customer")


def test_a_live_release_that_cannot_be_opened_lets_nothing_pass_unless_a_person_says_so() -> None:
    seen = measured(0.3, live=None, unreadable="its manifest is gone")
    verdict = decide(seen, LIMITS)
    assert broken(verdict) == ["compared with live"]
    assert "its manifest is gone" in verdict.reason
    assert "gate.pass_without_live" in verdict.reason
    assert "first release" not in decide(seen, LIMITS).rules[0].name
    assert decide(seen, LIMITS.model_copy(update={"pass_without_live": True})).passed


@pytest.mark.parametrize(("mean", "passed"), [(0.001, True), (-0.001, False)])
def test_where_the_interval_is_wider_than_the_limit_the_mean_decides(mean: float, passed: bool) -> None:
    candidate, live = apart(mean, 0.02)
    verdict = decide(dataclasses.replace(measured(0.3), candidate=candidate, live=live), LIMITS)
    assert verdict.passed is passed
    assert "wider than the limit, so the mean decides" in verdict.rules[1].detail


def test_scores_of_other_customers_are_not_compared() -> None:
    with pytest.raises(CheckFailed, match="different customers"):
        compare(scores(0.3), scores(0.3, customers=399))


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ({"coverage": 0.049}, "coverage"),
        ({"unscored": 1}, "entries without a score"),
        ({"milliseconds": 80.0}, "the bundle answers"),
        ({"milliseconds": float("nan")}, "the bundle answers"),
        ({"slices": {"new": (scores(0.20), scores(0.25))}}, "slice new"),
    ],
)
def test_each_rule_can_refuse_alone(other: dict[str, Any], rule: str) -> None:
    verdict = decide(measured(0.30, **other), LIMITS)
    assert broken(verdict) == [rule]


def test_a_slice_of_few_customers_is_not_judged() -> None:
    few = {"new": (scores(0.1, customers=20), scores(0.3, customers=20))}
    assert decide(measured(0.30, slices=few), LIMITS).passed


@pytest.mark.parametrize("share", [0.01, 1.0])
def test_what_is_not_a_number_does_not_pass(share: float) -> None:
    holes = scores(0.3)
    holes.iloc[: int(share * len(holes))] = np.nan
    assert not decide(dataclasses.replace(measured(0.3, live=None), candidate=holes), LIMITS).passed
    verdict = decide(measured(0.30, slices={"new": (holes, scores(0.3))}), LIMITS)
    assert broken(verdict) == ["slice new"]


@pytest.mark.parametrize(("half_width", "passed"), [(0.003, True), (0.005, False)])
def test_against_live_the_lower_end_of_the_interval_counts(half_width: float, passed: bool) -> None:
    candidate, live = apart(-0.005, half_width)
    verdict = decide(dataclasses.replace(measured(0.3), candidate=candidate, live=live), LIMITS)
    assert broken(verdict) == ([] if passed else ["not worse than live 1.0"])


@pytest.mark.parametrize(("half_width", "passed"), [(0.006, True), (0.004, False)])
def test_in_a_slice_the_upper_end_of_the_interval_counts(half_width: float, passed: bool) -> None:
    verdict = decide(measured(0.3, slices={"new": apart(-0.02, half_width)}), LIMITS)
    assert broken(verdict) == ([] if passed else ["slice new"])


def lists(length: int, customers: str = "ab") -> pd.DataFrame:
    rows = [(name, f"p{rank:02}", rank, 1.0) for name in customers for rank in range(1, length + 1)]
    return pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, RANK, SCORE])


BOUGHT = pd.DataFrame({CUSTOMER: ["a", "b"], PRODUCT: ["p05", "p01"]})


@pytest.mark.parametrize("short", [lists(3), pd.concat([lists(10, "a"), lists(3, "b")]), lists(10, "a")])
def test_lists_of_different_length_are_refused_not_scored(short: pd.DataFrame) -> None:
    assert score_alike({"one": lists(10), "other": lists(10)}, BOUGHT, k=10)["one"]["b"] == 1.0
    with pytest.raises(CheckFailed, match="other has fewer than 10 products"):
        score_alike({"one": lists(10), "other": short}, BOUGHT, k=10)


class Short(Frecency):
    """Gives three products where ten were asked for."""

    def recommend(self, customers: Any, k: int = 10) -> pd.DataFrame:
        return super().recommend(customers, min(k, 3))


@pytest.fixture(scope="module")
def holdout() -> Holdout:
    return hold_out(make_transactions(days=60), AS_OF)


def side(model: Popular) -> LiveSide:
    return LiveSide("1.0", "digest", model)


def test_a_candidate_or_a_live_release_with_shorter_lists_is_not_compared(holdout: Holdout) -> None:
    short, whole = Short().fit(holdout.known), Frecency().fit(holdout.known)
    with pytest.raises(CheckFailed, match="candidate has fewer than 10"):
        measure(short, side(whole), holdout, make_products())


def test_a_shop_of_fewer_than_ten_products_is_compared_on_shorter_lists_and_told() -> None:
    small = hold_out(make_transactions(products=6, days=60), AS_OF)
    judged = measure(Frecency().fit(small.known), NOTHING_LIVE, small, make_products())
    assert (
        judged.note == "not compared with a live release: nothing is live; lists of 6, as the shop has no more products"
    )
    assert decide(dataclasses.replace(judged.measured, milliseconds=1.0), LIMITS).passed


def seen_the_week(known_through: date = AS_OF) -> Frecency:
    """Trained before the week that judges it, with histories that know the week."""
    rows = make_transactions(days=60)
    before = AS_OF - timedelta(days=HOLDOUT_DAYS)
    model = Frecency().fit(hold_out(rows, AS_OF).known, as_of=before)
    return model.refresh(rows, as_of=known_through)


def test_sides_with_histories_through_other_days_are_refused(holdout: Holdout) -> None:
    candidate = Frecency().fit(holdout.known)
    with pytest.raises(CheckFailed, match=r"live .* has histories through 2017-03-01"):
        measure(candidate, side(seen_the_week()), holdout, make_products())
    with pytest.raises(CheckFailed, match=r"candidate .* has histories through 2017-03-01"):
        measure(seen_the_week(), side(candidate), holdout, make_products())


def test_the_live_model_forgets_the_week_that_judges(holdout: Holdout, tmp_path: Path) -> None:
    digest = write_bundle(tmp_path / "it", seen_the_week(), make_products(), Evidence("data", "code"))
    live = open_live(tmp_path, Pointer("1.0", "it", digest), holdout)
    assert live.model is not None
    assert live.model.histories_.day == AS_OF - timedelta(days=HOLDOUT_DAYS)
    first_of_the_week = np.datetime64(AS_OF - timedelta(days=HOLDOUT_DAYS - 1)).astype("datetime64[D]").astype(int)
    assert live.model.histories_.days.max() < first_of_the_week


def test_a_live_bundle_that_does_not_open_is_told(holdout: Holdout, tmp_path: Path) -> None:
    live = open_live(tmp_path, Pointer("1.7", "gone", "digest"), holdout)
    assert (live.release, live.model) == ("1.7", None)
    judged = measure(Frecency().fit(holdout.known), live, holdout, make_products())
    assert judged.note.startswith("not compared with the live release 1.7: ")
    assert broken(decide(dataclasses.replace(judged.measured, milliseconds=1.0), LIMITS)) == ["compared with live"]


def test_a_live_model_that_was_trained_on_the_week_cannot_be_compared_with(tmp_path: Path) -> None:
    rows = make_transactions(days=60)
    digest = write_bundle(tmp_path / "it", Frecency().fit(rows), make_products(), Evidence("data", "code"))
    with pytest.raises(UsageError, match="it has seen the week after"):
        open_live(tmp_path, Pointer("1.0", "it", digest), hold_out(rows, AS_OF))


def test_a_verdict_names_the_live_release_that_it_was_compared_with(holdout: Holdout) -> None:
    model = Frecency().fit(holdout.known)
    judged = measure(model, side(model), holdout, make_products())
    assert judged.compared_with == {"release": "1.0", "bundle_digest": "digest"}
    assert judged.note == "compared with the live release 1.0"
    first = measure(model, NOTHING_LIVE, holdout, make_products())
    assert (first.compared_with, first.note) == (None, "not compared with a live release: nothing is live")


def test_the_holdout_is_the_last_seven_days() -> None:
    held = hold_out(make_transactions(days=60), AS_OF)
    assert held.known_through == date(2017, 2, 22)
    assert held.known["time"].max() < pd.Timestamp("2017-02-23")
    # One product a day for each customer: seven different ones in seven days.
    assert held.bought.groupby(CUSTOMER).size().eq(7).all()
    assert (AS_OF - FIRST_DAY).days + 1 == 60


def test_coverage_counts_products_not_entries() -> None:
    assert summarize(lists(10), BOUGHT, catalogue_size=40)["coverage_at_10"] == 0.25


def test_the_least_cpu_time_of_several_answers_counts(monkeypatch: pytest.MonkeyPatch, holdout: Holdout) -> None:
    """The first answer is slow, as in a cold cache; the clock of the wall is not asked: others' work is in it."""
    ticks = iter([0.0, 5.0, 5.0, 6.0, 6.0, 8.0])
    monkeypatch.setattr(time, "thread_time", lambda: next(ticks))
    assert best_time(Popular().fit(holdout.known), "c00") == 1.0


def test_where_it_cannot_be_known_what_is_live_the_gate_is_told(
    holdout: Holdout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = [DependencyDown("MLflow does not answer"), None, None]

    def champion(level: Path) -> Pointer | None:
        answer = answers.pop(0)
        if answer:
            raise answer
        return None

    monkeypatch.setattr("level3_cicd.tools.registry.champion", champion)
    assert find_live(tmp_path, holdout).unreadable == "MLflow does not answer"
    assert find_live(tmp_path, holdout) == NOTHING_LIVE
    (tmp_path / "live.json").write_text("{")
    assert "live.json is damaged" in find_live(tmp_path, holdout).unreadable
    (tmp_path / "live.json").write_text("null")
    answers.append(None)
    assert find_live(tmp_path, holdout) == NOTHING_LIVE


@pytest.mark.parametrize(("customers", "judged"), [(49, False), (50, True)])
def test_a_slice_is_judged_from_fifty_customers_on(customers: int, judged: bool) -> None:
    worse = (scores(0.1, customers), scores(0.3, customers))
    rule = next(
        rule for rule in decide(measured(0.30, slices={"new": worse}), LIMITS).rules if rule.name == "slice new"
    )
    assert rule.passed != judged
    assert ("too few to judge" in rule.detail) != judged


@pytest.mark.parametrize(
    ("live_kind", "name"), [("popular", "surely better than popular"), ("frecency", "better than popular")]
)
def test_after_popular_a_candidate_must_surely_be_better_than_popular(live_kind: str, name: str) -> None:
    candidate, popular = apart(0.002, half_width=0.01)
    found = decide(
        dataclasses.replace(measured(0.3), candidate=candidate, popular=popular, live_kind=live_kind), LIMITS
    )
    [rule] = [rule for rule in found.rules if "popular" in rule.name]
    assert (rule.name, rule.passed) == (name, live_kind == "frecency")

"""Level 3's pure parts, its ledger, and deploying without a registry."""

import dataclasses
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from level3_cicd.config import CONFIG, GateLimits, PipelineConfig
from level3_cicd.deploy import rollback
from level3_cicd.gate import Measured, decide
from level3_cicd.ledger import Row, append, live_on, opened, read
from level3_cicd.switch import locked
from shared.config import read_config
from shared.errors import Locked, UsageError

LIMITS = GateLimits(
    least_gain_over_popular=0.05,
    most_loss_to_live=0.01,
    most_loss_in_a_slice=0.01,
    least_coverage=0.02,
    most_milliseconds=50,
)


def scores(mean: float, customers: int = 400) -> pd.Series:
    noise = np.random.default_rng(0).normal(0, 0.02, customers)
    return pd.Series(mean + noise - noise.mean(), index=[f"c{number}" for number in range(customers)])


def measured(candidate: float, live: float | None = 0.29, **other: Any) -> Measured:
    return Measured(
        candidate=scores(candidate),
        popular=scores(0.12),
        live=None if live is None else scores(live),
        **{"coverage": 0.1, "unscored": 0, "milliseconds": 2.0, **other},
    )


def test_the_gate_lets_a_better_model_pass() -> None:
    verdict = decide(measured(0.30), LIMITS)
    assert verdict.passed
    assert [rule.name for rule in verdict.rules][:2] == ["better than popular", "not worse than live"]


def test_the_gate_names_the_rule_the_number_and_the_limit() -> None:
    verdict = decide(measured(0.25, live=0.30), LIMITS)
    assert not verdict.passed
    assert verdict.reason.startswith("not worse than live: -0.05")
    assert "(limit -0.010)" in verdict.reason


def test_the_gate_refuses_what_is_no_better_than_popular() -> None:
    assert not decide(measured(0.13, live=None), LIMITS).passed


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ({"coverage": 0.01}, "coverage"),
        ({"unscored": 1}, "entries without a score"),
        ({"milliseconds": 80.0}, "the bundle answers"),
        ({"milliseconds": float("nan")}, "the bundle answers"),
        ({"slices": {"new": (scores(0.20), scores(0.25))}}, "slice new"),
    ],
)
def test_each_rule_can_refuse_alone(other: dict[str, Any], rule: str) -> None:
    verdict = decide(measured(0.30, **other), LIMITS)
    assert [broken.name for broken in verdict.rules if not broken.passed] == [rule]


def test_a_slice_of_few_customers_is_not_judged() -> None:
    few = {"new": (scores(0.1, customers=20), scores(0.3, customers=20))}
    assert decide(measured(0.30, slices=few), LIMITS).passed


def test_what_is_not_a_number_does_not_pass() -> None:
    nothing = dataclasses.replace(measured(0.3, live=None), candidate=scores(0.3) * np.nan)
    assert not decide(nothing, LIMITS).passed


def test_a_row_of_the_ledger_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    append(tmp_path, Row(date(2017, 6, 4), "deploy", "live", "first", release="1.0", sequence=1))
    for statement in ("UPDATE ledger SET release = '6.6'", "DELETE FROM ledger"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), opened(tmp_path) as connection:
            connection.execute(statement)
    assert [row.release for row in read(tmp_path)] == ["1.0"]


def test_a_release_is_live_from_the_day_after_the_decision(tmp_path: Path) -> None:
    append(tmp_path, Row(date(2017, 6, 4), "deploy", "live", "", release="1.0", sequence=1))
    append(tmp_path, Row(date(2017, 6, 11), "gate", "passed", "", release="1.1"))
    append(tmp_path, Row(date(2017, 6, 11), "deploy", "live", "", release="1.1", sequence=2))
    live = {day: live_on(tmp_path, date(2017, 6, day)) for day in (4, 5, 11, 12)}
    assert {day: row and row.release for day, row in live.items()} == {4: None, 5: "1.0", 11: "1.0", 12: "1.1"}


def test_of_two_deployments_at_once_one_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(Locked, match="by process"), locked(tmp_path):
        pass


def test_without_a_release_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nothing is deployed"):
        rollback(tmp_path, date(2017, 6, 4))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("half_life", "halflife"), "halflife"),
        (('"frecency"', '"magic"'), "no model is called"),
        (("most_loss_to_live = 0.01", "most_loss_to_live = -1"), "gate.most_loss_to_live"),
        (("[gate]", "[gate"), "cannot be used"),
        (("major = 1", "major = 1\nretries = 3"), "retries"),
    ],
)
def test_a_mistake_in_the_config_is_named(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.read_text().replace(*change))
    with pytest.raises(UsageError, match=complaint):
        read_config(file, PipelineConfig)

"""Level 4's decisions and its prediction log."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from level4_monitoring.confidence import radius
from level4_monitoring.config import CONFIG as CONFIG_FILE
from level4_monitoring.config import LoopConfig
from level4_monitoring.decide import Seen, decide
from level4_monitoring.predictions import log_file, logger, read_served
from level4_monitoring.shadow import Evidence
from shared.config import read_config
from shared.model.popular import Popular
from shared.release.bundle import Bundle
from shared.service.answers import Answers
from shared.service.follower import Live

CONFIG = read_config(CONFIG_FILE, LoopConfig)


def evidence(difference: float, days: int = 5, pairs: int = 1800, deviation: float = 0.05) -> Evidence:
    return Evidence("1.1", days, pairs, champion=0.22, difference=difference, deviation=deviation)


@pytest.mark.parametrize(
    ("seen", "action"),
    [
        (Seen(6), "hold"),
        (Seen(7), "retrain"),
        (Seen(1, damage="truncated"), "retrain"),
        (Seen(9, challenger=evidence(0.01)), "promote"),
        (Seen(9, challenger=evidence(0.01, days=2)), "hold"),
        (Seen(9, challenger=evidence(0.0, pairs=700)), "hold"),
        (Seen(9, challenger=evidence(-0.02)), "reject"),
        (Seen(30, challenger=evidence(0.0, days=14, pairs=700)), "reject"),
    ],
)
def test_what_is_seen_decides(seen: Seen, action: str) -> None:
    decision = decide(seen, CONFIG)
    assert decision.action == action
    assert decision.reason


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


def test_the_log_keeps_the_last_list_of_each_customer(tmp_path: Path, transactions: pd.DataFrame) -> None:
    model = Popular().fit(transactions)
    bundle = Bundle({}, "", model, {})
    live = Live("1.0", bundle, "", 1, Answers("1.0", bundle))
    note = logger(tmp_path, lambda: date(2017, 6, 5))
    note(live, {"c00": ["p1", "p2", "p3"], "c01": ["p1", "p2", "p3"]})
    note(live, {"c00": ["p4", "p5"]})
    served = read_served(tmp_path, date(2017, 6, 5))
    assert served.groupby("customer_id").size().to_dict() == {"c00": 2, "c01": 3}
    assert served["release"].unique().tolist() == ["1.0"]
    assert len(read_served(tmp_path, date(2017, 6, 6))) == 0
    assert len(log_file(tmp_path, date(2017, 6, 5)).read_text().splitlines()) == 3


def test_a_line_that_a_kill_cut_off_does_not_spoil_the_day(tmp_path: Path) -> None:
    path = log_file(tmp_path, date(2017, 6, 5))
    path.parent.mkdir(parents=True)
    path.write_text('{"customer": "c00", "release": "1.0", "products": ["p1"]}\n{"customer": "c01", "rel')
    assert read_served(tmp_path, date(2017, 6, 5))["customer_id"].tolist() == ["c00"]

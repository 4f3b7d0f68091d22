"""Frecency's setting is chosen on the last days; what ingest took is accepted; what is in quarantine is left out."""

from datetime import date
from pathlib import Path

import pytest

from level3_cicd import pipeline
from level3_cicd.config import CONFIG, PipelineConfig
from level4_monitoring import retrain
from level4_monitoring.tune import DAYS, HALF_LIVES, UNSOLD_DAYS, Setting, choose, evening, evenings, mean_score
from shared.config import read_config
from shared.model.frecency import Frecency
from shared.model.histories import gather
from shared.model.popular import Popular
from tests.level4_monitoring.fakes import SmallShop

CONFIG_OF_3 = read_config(CONFIG, PipelineConfig)
LIVE = Setting(float(CONFIG_OF_3.parameters["half_life"]))


def scores(best: Setting, by: float) -> dict[Setting, float]:
    known = {Setting(half_life, unsold): 0.2 for half_life in HALF_LIVES for unsold in (0, UNSOLD_DAYS)}
    return known | {best: 0.2 * (1 + by)}


@pytest.mark.parametrize(
    ("best", "by", "chosen"),
    [
        (Setting(168.0), 0.009, LIVE),
        (Setting(168.0), 0.011, Setting(168.0)),
        (Setting(28.0), 0.05, Setting(28.0)),
        (Setting(84.0, UNSOLD_DAYS), 0.02, Setting(84.0, UNSOLD_DAYS)),
        (Setting(84.0, UNSOLD_DAYS), 0.009, LIVE),
        (Setting(28.0, UNSOLD_DAYS), 0.05, LIVE),  # its half-life alone is no better
    ],
)
def test_the_live_setting_stays_unless_another_is_better_by_a_hundredth(
    best: Setting, by: float, chosen: Setting
) -> None:
    assert choose(LIVE, scores(best, by).__getitem__) == chosen


def test_a_setting_that_leaves_products_out_can_be_given_up() -> None:
    known = scores(Setting(84.0), 0.03)
    assert choose(Setting(84.0, UNSOLD_DAYS), known.__getitem__) == Setting(84.0)
    assert "unsold for 14 days" in str(Setting(84.0, UNSOLD_DAYS))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallShop:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    return SmallShop(tmp_path)


def test_each_day_is_judged_with_its_own_mornings_histories(shop: SmallShop) -> None:
    known = gather(shop.feed.through(shop.day(30)), shop.day(30))
    judged = evenings(shop.feed, known, (2.0, 28))
    assert len(judged) == DAYS
    assert [one.model.histories_.day for one in judged] == [shop.day(number) for number in range(16, 30)]
    assert 0.9 < mean_score(judged, LIVE) <= 1
    assert evening(shop.feed, known, date(2016, 1, 1), (2.0, 28)) is None


def test_of_many_customers_a_part_is_asked(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("level4_monitoring.tune.MOST_CUSTOMERS", 5)
    known = gather(shop.feed.through(shop.day(30)), shop.day(30))
    made = evening(shop.feed, known, shop.day(30), (2.0, 28))
    assert made is not None
    assert made.bought["customer_id"].nunique() == 5


def test_unsold_products_are_left_out(shop: SmallShop) -> None:
    rows = shop.feed.through(shop.day(30))
    gone = rows[(rows["product_id"] != "p03") | (rows["time"] < "2017-01-10")]
    kept, without = (Frecency(unsold_days=days).fit(gone, as_of=shop.day(30)) for days in (0, 14))
    assert "p03" in kept.recommend(["c03"])["product_id"].tolist()
    assert "p03" not in without.recommend(["c03"])["product_id"].tolist()


def asked_of_pipeline(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> dict:
    """What level 3's pipeline is asked for."""
    asked: dict = {}

    def run(level: Path, as_of: date, **how: object) -> str:
        asked.update(how, level=level, as_of=as_of)
        return "made"

    monkeypatch.setattr(pipeline, "run", run)
    taken, left_out = {shop.day(25): "digest"}, frozenset({shop.day(26)})
    made = retrain.retrain(shop.level, shop.feed.without(left_out), shop.day(30), "loop", left_out, taken)
    assert made == "made"
    return asked


def test_a_training_accepts_what_ingest_took_and_leaves_quarantine_out(
    shop: SmallShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_of_pipeline(shop, monkeypatch)
    assert asked["config"].accepted_days == {shop.day(25): "digest"}
    assert asked["left_out"] == frozenset({shop.day(26)})
    assert (asked["actor"], asked["as_of"]) == ("loop", shop.day(30))
    assert asked["config"].parameters["half_life"] == CONFIG_OF_3.parameters["half_life"]


def test_without_tuning_the_configuration_says_the_setting(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.train("1.0", 20, Frecency(half_life=28.0, unsold_days=14))
    shop.deploy("1.0", 20)
    asked: list = []
    monkeypatch.setattr(pipeline, "run", lambda level, as_of, **how: asked.append(how["config"].parameters))
    for tune in (True, False):
        retrain.retrain(shop.level, shop.feed, shop.day(30), "loop", frozenset(), {}, tune)
    assert asked[0]["unsold_days"] == 14
    assert asked[1] == CONFIG_OF_3.parameters


def test_the_setting_that_is_live_is_the_one_that_stays(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.train("1.0", 20, Frecency(half_life=28.0, unsold_days=14))
    shop.deploy("1.0", 20)
    assert retrain.live_setting(shop.level, CONFIG_OF_3) == Setting(28.0, 14)
    assert asked_of_pipeline(shop, monkeypatch)["config"].parameters["half_life"] == 28.0


def test_where_another_model_is_live_the_configuration_counts(shop: SmallShop) -> None:
    shop.train("1.0", 20, Popular())
    shop.deploy("1.0", 20)
    assert retrain.live_setting(shop.level, CONFIG_OF_3) == LIVE


def test_another_model_is_trained_as_it_is_configured(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    popular = CONFIG_OF_3.model_copy(update={"model": "popular", "parameters": {}})
    monkeypatch.setattr(retrain, "read_config", lambda path, form: popular)
    assert asked_of_pipeline(shop, monkeypatch)["config"].parameters == {}


def test_without_a_day_to_judge_on_the_setting_stays(shop: SmallShop) -> None:
    assert retrain.tuned(CONFIG_OF_3, LIVE, shop.feed, date(2018, 1, 1)).parameters["half_life"] == 84.0

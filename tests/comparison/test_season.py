"""The season, played once through all levels; and once without retraining, which must be noticed."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from comparison import season
from comparison.scoreboard import Score, score
from comparison.season import DAYS, OPENING, Played
from comparison.summary import tell
from comparison.teams.level4 import Level4
from level3_cicd.ledger import Row, live_on, read
from level4_monitoring import loop
from level4_monitoring.config import LoopConfig
from level4_monitoring.decide import Decision, Seen, decide

pytestmark = pytest.mark.story
LAST = OPENING + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def home(new_home: Callable[[], Path]) -> Path:
    return new_home()


@pytest.fixture(scope="module")
def played(home: Path) -> dict[int, Played]:
    return {level.level: level for level in season.play([1, 2, 3, 4], "7")}


@pytest.fixture(scope="module")
def scores(played: dict[int, Played]) -> dict[int, Score]:
    return {level: score(seen) for level, seen in played.items()}


def test_every_level_answers_a_named_customer_over_http(played: dict[int, Played]) -> None:
    for level in played.values():
        assert level.answer["customer"] == "7"
        assert all(item["name"] and item["reason"] for item in level.answer["recommendations"])


def test_manual_work_falls_from_level_to_level(scores: dict[int, Score]) -> None:
    assert [scores[level].manual_actions for level in (1, 2, 3, 4)] == [14, 2, 2, 1]


def test_the_truncated_bundle_takes_level_1_down(played: dict[int, Played], scores: dict[int, Score]) -> None:
    down = [day for day in played[1].days if not day.digest]
    assert [day.day for day in down] == [date(2017, 6, 12)]
    assert down[0].ndcg == 0
    assert f"no answer for 1 day ({down[0].shoppers} shoppers)" in scores[1].truncated_bundle


def test_level_2_keeps_answering_with_the_old_release_until_a_restart(scores: dict[int, Score]) -> None:
    assert scores[2].release == "1.0"
    assert "the service kept 1.0 for 7 days" in scores[2].truncated_bundle
    assert [scores[level].starts_again for level in (1, 2, 3, 4)] == ["yes", "no", "yes", "yes"]


def test_levels_3_and_4_refuse_it_before_it_is_live(scores: dict[int, Score]) -> None:
    assert scores[3].truncated_bundle == "refused before it went live; 1.2 live 1 day later"
    # A week of comparison comes first: the next challenger is not promoted within these two weeks.
    assert scores[4].truncated_bundle == "refused before it went live; 1.0 still live"


def test_only_a_ledger_knows_what_was_live(scores: dict[int, Score]) -> None:
    known = [scores[level].knows_what_was_live for level in (1, 2, 3, 4)]
    assert known == ["13 of 14 days", "no record", "14 of 14 days", "14 of 14 days"]


def test_levels_on_the_same_histories_serve_about_the_same(scores: dict[int, Score]) -> None:
    served = [scores[level].served_ndcg_at_10 for level in (1, 2, 3, 4)]
    assert all(0.15 < ndcg < 0.3 for ndcg in served)
    assert served[0] == min(served)


def test_histories_are_fresh_at_level_4_alone(scores: dict[int, Score]) -> None:
    yesterday = (LAST - timedelta(days=1)).isoformat()
    assert [scores[level].histories_through == yesterday for level in (1, 2, 3, 4)] == [False, False, False, True]


def test_the_end_of_the_demo_tells_what_is_simulated(played: dict[int, Played]) -> None:
    told = tell(list(played.values()), "7")
    assert "served NDCG@10" in told
    assert "Simulated" in told


def check_loop(rows: list[Row]) -> None:
    """What the loop's fortnight must have been."""
    ticks = [row for row in rows if row.step == "decide"]
    assert [row.as_of for row in ticks] == [OPENING + timedelta(days=day) for day in range(DAYS)]
    assert all(row.numbers["kept"]["values"]["scored"] > 200 for row in ticks)
    assert all(row.numbers["kept"]["values"]["equal_offline"] == 1 for row in ticks)
    assert [row.as_of.day for row in ticks if row.verdict == "retrain"] == [11, 18]
    assert [(row.release, row.as_of.day) for row in ticks if row.verdict == "close"] == [("1.1", 12)]
    assert [(row.release, row.as_of.day) for row in rows if row.step == "deploy"] == [("1.0", 4)]
    assert {row.verdict for row in rows if row.step == "outcome"} == {"done"}


def test_the_loop_closed_the_damaged_challenger_and_trained_another_when_it_was_due(
    home: Path, played: dict[int, Played]
) -> None:
    check_loop(read(home / "level4"))
    assert (home / "level4" / "reports" / f"{LAST}.html").stat().st_size > 100_000
    live = live_on(home / "level4", date(2017, 6, 16))
    assert live is not None
    assert (live.release, live.actor) == ("1.0", "ci")


def test_a_tick_that_was_made_is_answered_from_the_ledger(home: Path, played: dict[int, Played]) -> None:
    before = read(home / "level4")
    assert loop.tick(LAST) == [row for row in before if row.step == "decide"][-1]
    assert read(home / "level4") == before


def test_a_loop_that_never_retrains_is_noticed(
    new_home: Callable[[], Path], played: dict[int, Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_retrain(seen: Seen, config: LoopConfig) -> Decision:
        decision = decide(seen, config)
        return Decision("hold", "no-op") if decision.action == "retrain" else decision

    monkeypatch.setenv("MLOPS_HOME", "")
    home = new_home()
    monkeypatch.setattr(Level4, "tick", staticmethod(lambda day: loop.tick(day, decide=never_retrain)))
    season.play([4], "7")
    rows = read(home / "level4")
    assert len([row for row in rows if row.step == "decide"]) == DAYS
    with pytest.raises(AssertionError):
        check_loop(rows)

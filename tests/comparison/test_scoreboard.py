"""A level's line of the scoreboard, from seasons made by hand."""

from datetime import timedelta

import pytest

from comparison.scoreboard import fate, memory, score, table
from tests.comparison.fakes import FIRST, INCIDENT, OPENING, SECOND, played


def test_a_line_is_of_the_last_day_and_weighs_days_by_their_shoppers() -> None:
    line = score(played([FIRST, FIRST, "", SECOND]))
    assert (line.manual_actions, line.release, line.starts_again) == (1, "1.1", "yes")
    assert line.trained_through == "2017-06-04"
    assert line.served_ndcg_at_10 == pytest.approx(0.15)


def test_a_service_that_is_down_at_the_end_has_no_release() -> None:
    line = score(played([FIRST, FIRST, FIRST, ""], starts_again=False))
    assert (line.release, line.trained_through, line.starts_again) == ("none", "-", "no")


def test_a_bundle_that_went_live_cost_answers() -> None:
    assert fate(played([FIRST, FIRST, "", ""])) == "went live: no answer for 2 days (20 shoppers)"


def test_a_service_that_kept_its_old_release_was_deployed_to_all_the_same() -> None:
    season = played([FIRST, FIRST, FIRST, FIRST])
    deployed = {day: SECOND if day >= INCIDENT else FIRST for day in season.deployed}
    told = fate(played([FIRST, FIRST, FIRST, FIRST], deployed=deployed))
    assert told == "deployed; the service kept 1.0 for 2 days, only its log says so"


def test_a_refused_bundle_is_told_with_when_a_sound_one_was_live() -> None:
    told = fate(played([FIRST, FIRST, FIRST, SECOND], refused=1))
    assert told == "refused before it went live; 1.1 live 1 day later"
    assert fate(played([FIRST] * 4, refused=1)) == "refused before it went live; 1.0 still live"


def test_an_incident_without_a_release_under_way_strikes_nothing() -> None:
    assert fate(played([FIRST] * 4)) == "nothing: no release was under way"


def test_records_count_for_the_days_on_which_they_name_what_answered() -> None:
    assert memory(played([FIRST] * 3)) == "no record"
    said = {OPENING: FIRST, OPENING + timedelta(days=1): SECOND, OPENING + timedelta(days=2): None}
    assert memory(played([FIRST, FIRST, ""], recorded_live=said)) == "2 of 3 days"


def test_the_table_has_a_column_a_level_within_its_width() -> None:
    drawn = table([score(played([FIRST] * 4)), score(played([FIRST] * 4, level=4))], width=60)
    first, *rest = drawn.splitlines()
    assert first.split() == ["level", "3", "4"]
    assert max(map(len, [first, *rest])) <= 60
    assert any(line.startswith("served NDCG@10") and line.count("0.200") == 2 for line in rest)

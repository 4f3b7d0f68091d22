"""What the end of a season says to a person and to a program."""

from comparison.summary import as_data, tell
from tests.comparison.fakes import FIRST, played


def test_lists_and_scoreboard_are_told_also_where_a_level_did_not_answer() -> None:
    told = tell([played([FIRST] * 4), played([FIRST] * 4, level=1, answer={})], "7")
    assert "Level 3 (CI/CD) recommends to customer 7 on 2017-06-05:\n  1. Milk  (bought 3 times)" in told
    assert "Level 1 (manual) recommends to customer 7 on 2017-06-05:\n\n" in told
    assert "2017-06-05 to 2017-06-08, 40 shopping days" in told
    assert "Simulated" in told


def test_a_program_gets_the_scores_with_seconds_and_actions() -> None:
    [line] = as_data([played([FIRST] * 4)])
    assert (line["level"], line["seconds"], line["actions"]) == (3, {"first release": 1.0}, ["git push"])

"""Cells, rows and tables, from verdicts made by hand."""

from dataclasses import replace

import pytest

from comparison.measures import measure
from comparison.scoreboard import cell, no_better, quiet_rows, table
from comparison.verdicts import Noticed
from tests.comparison.fakes import did, entry, signal, verdict

HARMED = verdict(bad=7, lost=0.021, noticed=Noticed("person", 1, "complaint"))


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        ([verdict()], "kept out; machine, 0 days"),
        ([verdict(noticed=Noticed())], "kept out, untold"),
        ([verdict(noticed=Noticed(), lost=0.01)], "kept out, untold, 1.0 % lost"),
        ([HARMED], "2.1 % lost; person, 1 day"),
        ([HARMED, replace(HARMED, lost=0.04, noticed=Noticed())], "2.1 % to 4.0 % lost; never noticed; person, 1 day"),
        ([verdict(restarts=False)], "0.0 % lost; machine, 0 days; down after the restart"),
        ([verdict(struck=None)], "no release in time"),
        ([verdict(incident="new-assortment", lost=0.03)], "3.0 % lost; machine, 0 days"),
    ],
)
def test_a_cell_says_what_was_lost_and_who_noticed(verdicts: list, wanted: str) -> None:
    assert cell(verdicts) == wanted


def test_where_a_higher_level_lost_more_is_told() -> None:
    found = {"typo": {2: [verdict(lost=0.01)], 3: [HARMED]}, "cut-bundle": {1: [HARMED], 2: [verdict(struck=None)]}}
    assert no_better(found) == ["typo: level 3 lost more than level 2, 2.1 % beside 1.0 %"]


def test_quiet_days_are_weighed_by_shoppers_and_staleness_by_the_days_it_was_measured_on() -> None:
    days = [
        entry(0, signals=[signal(0)], did=[did(), did("machine"), did(code=3)]),
        entry(1, ndcg=8.0, shoppers=30, stale={"fresh_histories": 8.8, "fresh_parameters": 9.2}, cpu=1.0),
    ]
    found = measure(3, days, {days[0]["day"]: "digest of 1.0", days[1]["day"]: "another"})
    assert found.ndcg == pytest.approx(0.25)
    assert found.old_histories == pytest.approx(0.1)
    assert found.old_parameters == pytest.approx(0.05)
    assert (found.releases, found.actions, found.signals, found.knows, found.cpu) == (1, 1, 1, 1, 11.0)
    rows = {row[0]: row[1] for row in quiet_rows([found])}
    assert rows["knows what was live"] == "1 of 2"
    assert rows["lost to old histories"] == "10.0 %"


def test_what_was_not_measured_is_said_so() -> None:
    found = measure(2, [entry(0, shoppers=0, ndcg=0.0, bundle_digest="")], {})
    assert (found.ndcg, found.releases) == (0.0, 0)
    assert [row[1] for row in quiet_rows([found])][1:3] == ["not measured"] * 2
    assert quiet_rows([found])[-1][1] == "no record"


def test_a_table_keeps_its_width() -> None:
    drawn = table(["", "1 manual", "2"], [["cut-bundle", "a long cell " * 12, "short"]], width=60)
    assert max(map(len, drawn.splitlines())) <= 60
    assert drawn.splitlines()[0].split() == ["1", "manual", "2"]

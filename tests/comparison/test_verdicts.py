"""Verdicts on windows made by hand."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from comparison.diary import Diary
from comparison.verdicts import Mended, Noticed, count_bad, judge, read_window
from shared.columns import CUSTOMER
from tests.comparison.fakes import START, did, entry, signal, window


def test_a_quiet_window_is_kept_out_and_untold() -> None:
    found = judge(window([entry(number) for number in range(4)]))
    assert (found.struck, found.bad, found.late, found.lost, found.answers) == (START, 0, 0, 0.0, 40)
    assert (found.noticed, found.mended) == (Noticed(), Mended())
    assert found.kept_out


def test_what_is_lost_is_beside_the_reference_of_the_whole_window() -> None:
    found = judge(window([entry(0, ndcg=1.0), *(entry(number) for number in (1, 2, 3))]))
    assert found.lost == pytest.approx(1 / 8)


def test_kept_out_means_no_bad_answer_and_a_service_that_comes_up() -> None:
    days = [entry(number) for number in range(4)]
    assert not judge(window(days, bad=[0, 1, 0, 0])).kept_out
    assert not judge(window(days, restarts=False)).kept_out
    assert judge(window(days, restarts=False)).mended == Mended("never")


def test_a_signal_that_the_twin_also_has_counts_for_nothing() -> None:
    days = [entry(0), entry(1, signals=[signal(1)]), entry(2, signals=[signal(2, "alarm", "machine", "drift")])]
    twin = [entry(0), entry(1, signals=[signal(1)]), entry(2)]
    assert judge(window(days, twin=twin)).noticed == Noticed("machine", 2, "alarm about drift")
    assert judge(window(days[:2], twin=twin[:2])).noticed.by == "never"


def test_days_to_the_signal_count_from_the_first_bad_answer_or_else_from_the_strike() -> None:
    days = [entry(0), entry(1), entry(2), entry(3, signals=[signal(3)])]
    assert judge(window(days)).noticed.after_days == 3
    assert judge(window(days, bad=[0, 0, 4, 0])).noticed.after_days == 1


def test_a_signal_before_the_strike_is_none_of_it() -> None:
    days = [entry(0, struck="", signals=[signal(0)]), entry(1, struck="a release"), entry(2)]
    assert judge(window(days)).noticed.by == "never"


def test_an_incident_that_found_no_release_struck_nothing() -> None:
    found = judge(window([entry(number, struck="") for number in range(3)]))
    assert (found.struck, found.kept_out) == (None, False)


def test_a_configuration_strikes_with_the_first_training_since() -> None:
    days = [entry(0, struck="configuration"), entry(1), entry(2, trainings=4)]
    assert judge(window(days, door="configuration")).struck == START + timedelta(days=2)
    assert judge(window(days[:2], door="configuration")).struck is None
    assert judge(window([entry(0, struck="configuration", trainings=4)], door="configuration")).struck == START


@pytest.mark.parametrize(
    ("days", "mended"),
    [
        ([entry(0), entry(1, did=[did()]), entry(2)], Mended("person", 1)),
        ([entry(0), entry(1, did=[did("machine")]), entry(2)], Mended("machine", 1)),
        ([entry(0), entry(1, did=[did(code=3)]), entry(2)], Mended("wore off", 1)),
        ([entry(0, did=[did()]), entry(1), entry(2)], Mended("person", 1)),
    ],
)
def test_who_ended_the_bad_answers_is_who_acted_then(days: list, mended: Mended) -> None:
    assert judge(window(days, bad=[5, 0, 0])).mended == mended


def test_bad_answers_on_the_last_day_were_never_mended() -> None:
    assert judge(window([entry(number) for number in range(3)], bad=[0, 0, 1])).mended == Mended("never")


def test_answers_that_are_only_older_than_the_twins_are_late_and_not_bad() -> None:
    found = judge(window([entry(0), entry(1, histories_through="2017-05-01", failed=2), entry(2, bundle_digest="")]))
    assert (found.late, found.bad) == (8, 0)


def test_actions_count_beside_the_twins_and_are_needless_once_all_is_well() -> None:
    days = [
        entry(0, did=[did(), did("machine")]),
        entry(1, did=[did()]),
        entry(2, did=[did(words="x: no such command")]),
    ]
    twin = [entry(0, did=[did()]), entry(1), entry(2)]
    found = judge(window(days, twin=twin))
    assert (found.actions, found.needless) == (1, 1)
    found = judge(window(days, twin=twin, bad=[1, 1, 0]))
    assert (found.actions, found.needless) == (1, 0)


def test_what_is_typed_until_a_day_is_brought_again_is_not_needless() -> None:
    asked, accepted = did(words="ask supplier and administrators"), did(words="mlops pipeline run")
    days = [entry(0, did=[asked]), entry(1, did=[did("supplier"), accepted]), entry(2, did=[did()])]
    found = judge(window(days))
    assert (found.actions, found.needless) == (3, 1)
    assert judge(window(days[:2], bad=[1, 0])).mended == Mended("person", 1)
    assert judge(window([days[0], entry(1, did=[did("supplier")])], bad=[1, 0])).mended == Mended("person", 1)


def answers(lengths: dict[str, int], bad: set[str] = frozenset()) -> pd.DataFrame:
    rows = [(name, ["p"] * length, 0.1, False, not length, False, name in bad) for name, length in lengths.items()]
    return pd.DataFrame(rows, columns=[CUSTOMER, "products", "ndcg", "failed", "empty", "dead", "bad"])


def test_a_list_is_bad_by_the_oracle_or_if_it_is_shorter_than_the_twins(tmp_path: Path) -> None:
    drill, quiet = Diary(tmp_path / "drill"), Diary(tmp_path / "quiet")
    quiet.add(START - timedelta(days=1), entry(-1, trainings=2), answers({"a": 10}))
    quiet.add(START, entry(0), answers({"a": 10, "b": 10, "c": 10}))
    drill.add(START, entry(0), answers({"a": 10, "b": 9, "c": 10, "new": 3}, bad={"c"}))
    drill.note("end", {"restarts": True})
    assert count_bad(drill, quiet, START) == 2
    read = read_window(3, "typo", START, drill, quiet, {})
    assert (read.bad, read.reference, read.restarts, read.door, read.before) == ([2], [2.0], True, "configuration", 2)
    assert read_window(3, "typo", START, drill, quiet, {str(START): 9.0}).reference == [9.0]

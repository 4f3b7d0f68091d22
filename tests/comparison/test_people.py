"""What a person does depends on signals alone, and on the published habits."""

from datetime import date, timedelta
from inspect import signature

import pytest

from comparison.people import LADDER, Person, Signal, habits_of, working_days_after

MONDAY = date(2017, 5, 1)
REFUSED = Signal(MONDAY, "failed job", "pipeline run 3", "refused", "machine")
COMPLAINT = Signal(MONDAY, "complaint", "no answer", "7 of 300", "person", hurts=True)


def on(number: int, like: Signal = COMPLAINT) -> Signal:
    return Signal(MONDAY + timedelta(days=number), like.kind, like.about, like.words, like.by, like.hurts)


def week(person: Person, signals: dict[int, Signal], days: int = 12) -> dict[int, str]:
    """What a person does, by day; signals come after the morning."""
    chosen = {}
    for number in range(days):
        chosen[number] = person.choose(MONDAY + timedelta(days=number))
        person.notice([signals[number]] if number in signals else [])
    return {number: rung for number, rung in chosen.items() if rung}


def usual() -> Person:
    return Person(habits_of("usual"))


def test_without_a_signal_nothing_is_done() -> None:
    assert week(usual(), {}) == {}


def test_a_person_climbs_the_ladder_from_working_morning_to_working_morning() -> None:
    done = week(usual(), {number: on(number) for number in range(12)})
    assert done == {1: "repeat", 2: "go_back", 3: "ask", 7: "do_as_told", 8: "repeat", 9: "go_back", 10: "ask"}


def test_a_refusal_hurts_nobody_so_nobody_goes_back() -> None:
    done = week(usual(), {number: on(number, REFUSED) for number in range(4)}, days=5)
    assert done == {1: "repeat", 2: "ask", 4: "do_as_told"}


def test_a_signal_on_a_friday_waits_for_monday() -> None:
    assert week(usual(), {4: on(4)}) == {7: "repeat"}


def test_after_calm_days_the_ladder_begins_anew() -> None:
    assert week(usual(), {0: on(0), 8: on(8)}) == {1: "repeat", 9: "repeat"}
    assert week(usual(), {0: on(0), 7: on(7)}) == {1: "repeat", 8: "go_back"}


def test_choices_depend_on_signals_alone() -> None:
    assert list(signature(Person.choose).parameters) == ["self", "day"]
    renamed = Signal(MONDAY, "complaint", "something else", "other words", "person", hurts=True)
    assert week(usual(), {0: renamed, 1: on(1, renamed)}) == week(usual(), {0: on(0), 1: on(1)})


def test_what_is_remembered_can_be_written_down_and_read() -> None:
    person = usual()
    week(person, {number: on(number) for number in range(4)}, days=4)
    person.finds_odd(0.3)
    person.is_due("look", MONDAY, MONDAY - timedelta(days=14))
    assert Person.read(person.habits, person.as_data()) == person


@pytest.mark.parametrize(
    ("numbers", "odd"), [([0.3, 0.25], False), ([0.3, 0.23], True), ([None, 0.2], False), ([0.3, None, 0.2], True)]
)
def test_a_number_is_odd_that_is_a_fifth_below_the_one_before(numbers: list, odd: bool) -> None:
    person = usual()
    assert [person.finds_odd(number) for number in numbers][-1] is odd


def test_looks_and_runbooks_come_round_on_working_days() -> None:
    person, opening = Person(habits_of("careful")), MONDAY - timedelta(days=2)
    days = [MONDAY + timedelta(days=number) for number in range(14)]
    assert [day for day in days if person.is_due("runbook", day, opening)] == [days[7]]  # not on Saturday, the 7th
    assert [day for day in days if person.is_due("look", day, opening)] == [days[7]]


def test_all_kinds_of_people_climb_the_same_ladder() -> None:
    assert LADDER == ("repeat", "go_back", "ask", "do_as_told")
    assert [habits_of(kind).runbook_every_days for kind in ("careful", "usual", "careless")] == [7, 28, 56]
    assert working_days_after(date(2017, 5, 5), 1) == date(2017, 5, 8)

"""Kept lessons: found again for the same inputs, never for others, and no more of them than are needed."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shared.model import lessons as module
from shared.model.facts import WEEK
from shared.model.lesson_store import MOST_KEPT, LessonStore
from shared.model.lessons import Curriculum, Lesson
from shared.model.ranker import Ranker
from shared.model.taxonomy import Taxonomy
from tests.conftest import make_products, make_transactions

END = date(2017, 2, 2)
PLAN = Curriculum(100, 0.1, 28, 84.0)
NO_TYPES = Taxonomy.of(None)
RANKER = Ranker(leaf_size=5, trees=5, label_weeks=4)


@pytest.fixture
def store(tmp_path: Path) -> LessonStore:
    return LessonStore(tmp_path / "lessons", lambda day: f"data through {day}", "code")


@pytest.fixture
def lesson() -> Lesson:
    width = len(module.FEATURES)
    return Lesson(np.full((3, width), 0.5, dtype=np.float32), np.array([True, False, True]), np.array([1, 2]))


def test_a_kept_lesson_is_found_again(store: LessonStore, lesson: Lesson) -> None:
    assert store.find(END, NO_TYPES, PLAN) is None
    store.keep(END, NO_TYPES, PLAN, lesson)
    found = store.find(END, NO_TYPES, PLAN)
    assert found is not None
    for mine, theirs in zip(found, lesson, strict=True):
        np.testing.assert_array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype


@pytest.mark.parametrize("change", ["day", "data", "code", "plan", "taxonomy", "features"])
def test_it_is_not_found_for_other_inputs(
    store: LessonStore, lesson: Lesson, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.keep(END, NO_TYPES, PLAN, lesson)
    typed = Taxonomy.of(pd.DataFrame({"product_id": ["1"], "product_name": ["A, b"]}))
    if change == "features":
        monkeypatch.setattr("shared.model.lesson_store.FEATURES", ("another", *module.FEATURES[1:]))
    other = LessonStore(
        store.folder,
        (lambda day: "corrected") if change == "data" else store.data_digest,
        "c" + "ode" * (change != "code"),
    )
    end = END + timedelta(days=7) if change == "day" else END
    plan = PLAN._replace(negatives=0.2) if change == "plan" else PLAN
    assert other.find(end, typed if change == "taxonomy" else NO_TYPES, plan) is None


def test_it_depends_on_the_data_through_its_week_and_on_no_later_day(store: LessonStore, lesson: Lesson) -> None:
    asked: list[date] = []
    watched = LessonStore(store.folder, lambda day: str(asked.append(day)), "code")
    watched.keep(END, NO_TYPES, PLAN, lesson)
    assert set(asked) == {END + timedelta(days=WEEK)}


def test_a_damaged_lesson_is_none(store: LessonStore, lesson: Lesson) -> None:
    store.keep(END, NO_TYPES, PLAN, lesson)
    (file,) = store.folder.iterdir()
    content = file.read_bytes()
    for damaged in (
        content[: len(content) // 2],
        content[:-400] + bytes(400),
        b"",
        content.replace(b"\0\0\0\x3f", b"\0\0\0\x3e"),
    ):
        file.write_bytes(damaged)
        assert store.find(END, NO_TYPES, PLAN) is None


def test_a_lesson_that_holds_pickled_objects_is_none(store: LessonStore, lesson: Lesson) -> None:
    store.keep(END, NO_TYPES, PLAN, lesson)
    (file,) = store.folder.glob("*.npz")
    np.savez(file, allow_pickle=True, **(lesson._asdict() | {"sizes": np.array([1, 2], dtype=object)}))
    assert store.find(END, NO_TYPES, PLAN) is None


def test_the_newest_are_kept(store: LessonStore, lesson: Lesson) -> None:
    for week in range(MOST_KEPT + 5):
        store.keep(END + timedelta(weeks=week), NO_TYPES, PLAN, lesson)
    assert len(list(store.folder.iterdir())) == MOST_KEPT
    assert store.find(END, NO_TYPES, PLAN) is None
    assert store.find(END + timedelta(weeks=MOST_KEPT + 4), NO_TYPES, PLAN)


def test_a_weekly_training_makes_one_lesson_and_learns_the_same(
    store: LessonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions, made = make_transactions(days=80), []
    make = module.lesson_of
    monkeypatch.setattr(module, "lesson_of", lambda *words: made.append(words[2]) or make(*words))
    first = date(2017, 3, 9)
    for training in range(3):
        as_of = first + timedelta(weeks=training)
        kept = Ranker(**RANKER.get_params()).fit(transactions, as_of=as_of, products=make_products(), kept=store)
    assert len(made) == RANKER.label_weeks + 2
    anew = Ranker(**RANKER.get_params()).fit(transactions, as_of=as_of, products=make_products())
    for name, array in anew.parameters().items():
        np.testing.assert_array_equal(array, kept.parameters()[name], err_msg=name)


def test_a_pickle_is_no_lesson(store: LessonStore, lesson: Lesson) -> None:
    store.keep(END, NO_TYPES, PLAN, lesson)
    (file,) = store.folder.glob("*.npz")
    np.savez(file, **{name: np.array([array], dtype=object) for name, array in lesson._asdict().items()})
    assert store.find(END, NO_TYPES, PLAN) is None

"""Only what a service says of the very release that is waited for is progress, or an end of waiting."""

from typing import Any

import pytest

from level3_cicd.rollout.takeover import follows, has_ended, progress, takes_over, words_of
from shared.errors import DependencyDown
from shared.release.pointer import Pointer
from shared.service.process import Process

POINTER = Pointer("1.1", "bundles/1.1", "digest", 2, "histories/2017-06-04", "of the histories")
SERVED = {"release": "1.1", "bundle_digest": "digest", "sequence": 2, "histories_digest": "of the histories"}
LOADING = {"loading": "1.1", "step": "opening", "worked": 1.5, "error": ""}


class Says(Process):
    """A service that answers by path; what it has no answer for is down."""

    answers: dict[str, Any] = {}  # noqa: RUF012  each test makes a class of its own

    def get(self, path: str, seconds: float = 10) -> Any:
        if path not in self.answers:
            raise DependencyDown("no answer")
        return self.answers[path]


def service(**answers: Any) -> Process:
    """A service that answers `/version` and `/healthz` so."""
    kind = type("Says", (Says,), {"answers": {f"/{path}": answer for path, answer in answers.items()}})
    made: Process = kind(0, 8003)
    return made


@pytest.mark.parametrize("change", [{}, *({name: "another"} for name in SERVED)], ids=str)
def test_a_service_follows_that_answers_with_all_that_the_pointer_names(change: dict) -> None:
    assert follows(service(version=SERVED | change), POINTER) == (not change)
    assert not follows(service(version={}), POINTER)
    assert not follows(service(), POINTER)


def test_only_work_on_what_the_pointer_names_is_progress() -> None:
    assert progress(service(healthz=LOADING), POINTER) == ("opening", 1.5)
    assert progress(service(healthz=LOADING | {"loading": "1.0"}), POINTER) is None
    assert progress(service(healthz={"loading": None}), POINTER) is None
    assert progress(service(), POINTER) is None


def test_a_service_that_stands_still_is_not_waited_for() -> None:
    assert not takes_over(service(version=SERVED | {"sequence": 1}, healthz=LOADING), POINTER, 0.01)
    assert takes_over(service(version=SERVED), POINTER, 0.01)


def test_a_service_that_ends_without_answering_has_taken_nothing_over() -> None:
    ended = type("Ended", (Says,), {"answers": {}})(99_999_999, 8003, 1.0)
    assert not takes_over(ended, POINTER, 60)


def test_an_end_is_known_only_of_a_process_that_is() -> None:
    assert not has_ended(Process(0, 8003))
    assert has_ended(Process(99_999_999, 8003, 1.0))


def test_the_error_of_a_service_ends_the_sentence() -> None:
    assert words_of(service(healthz=LOADING | {"error": "half a file"})) == " It says: half a file"
    assert words_of(service(healthz=LOADING)) == words_of(service()) == ""

"""What the loop sees beside the day itself: pages that are kept, parameters that are old, a comparison that waits."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from level4_monitoring import seeing
from level4_monitoring.past import Past
from shared.errors import DependencyDown
from tests.level4_monitoring.fakes import LIMITS, compared, day, gate, live


def test_the_last_pages_are_kept(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    for number in range(seeing.KEPT_PAGES + 2):
        seeing.page_of(tmp_path, day(number)).write_text("")
    seeing.remove_old_pages(tmp_path)
    assert not seeing.page_of(tmp_path, day(1)).exists()
    assert len(list((tmp_path / "reports").iterdir())) == seeing.KEPT_PAGES


@pytest.mark.parametrize(("days", "alarms"), [(0, 0), (1, 1)])
def test_parameters_are_old_after_the_days_of_the_schedule(days: int, alarms: int) -> None:
    trained = day(0) - timedelta(days=LIMITS.schedule.parameters_old_after_days + days)
    evening = SimpleNamespace(day=day(0), live=SimpleNamespace(trained_through_=trained))
    assert len(seeing.old_parameters(evening, LIMITS)) == alarms  # type: ignore[arg-type]
    evening.live = None
    assert seeing.old_parameters(evening, LIMITS) == []  # type: ignore[arg-type]


def test_a_comparison_waits_for_a_registry_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*given: object) -> None:
        raise DependencyDown("no answer")

    known = compared()
    monkeypatch.setattr(seeing, "watch", down)
    monkeypatch.setattr(seeing, "so_far", lambda *given: known)
    past = Past([gate("1.0", 0), live("1.0", 0, 1), gate("1.1", 1, actor="loop")])
    evening = SimpleNamespace(day=day(2))
    found, [alarm] = seeing.compare(tmp_path, past, evening, LIMITS)  # type: ignore[arg-type]
    assert found == known
    assert alarm.what == "1.1 is not compared: no answer"
    assert seeing.compare(tmp_path, Past([]), evening, LIMITS) == (None, [])  # type: ignore[arg-type]


def test_a_bundle_is_fetched_again_from_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("level3_cicd.tools.registry.fetch", lambda level, release: (level / release, None))
    assert seeing.fetcher(tmp_path)("1.1") == tmp_path / "1.1"

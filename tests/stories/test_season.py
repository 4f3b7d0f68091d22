"""A small shop plays the season: quiet days, `nothing`, and two drills, each once; several tests look at them.

The shop has Online Retail II's layout, and as many days as the shortest shop with a drill; it is closed on Saturdays.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from comparison import checkpoints, results
from comparison.season import Season
from comparison.verdicts import Verdict
from level3_cicd import ledger
from shared.dataset.clock import known_through
from shared.dataset.feed import open_feed
from shared.dataset.shop import read_shop
from tests.stories.shops import WHOLESALE, export

pytestmark = pytest.mark.story
SHOP = replace(WHOLESALE, days=56 + 35 + 28)
LEVELS = (1, 2, 3, 4)
# The last one at the levels that play it in seconds.
DRILLS = {"nothing": LEVELS, "cut-bundle": LEVELS, "renumbered-products": (1, 2)}
START = SHOP.first + timedelta(days=56 + 35)
LAST = START + timedelta(days=27)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("season")
    words = [sys.executable, "-m", "mlops", "data", "import", str(export(SHOP, folder)), *SHOP.words]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_HOME", str(folder / "home"))
        subprocess.run(words, check=True, capture_output=True)
        yield folder / "home"


@pytest.fixture(scope="module")
def season(home: Path) -> Season:
    """The season, played; every drill begins with the quiet days that it needs."""
    played = Season(open_feed(home / "shop"), "usual", LEVELS)
    played.prepare()
    for name, levels in DRILLS.items():
        replace(played, levels=levels).drill(name, START)
    return played


@pytest.fixture(scope="module")
def verdicts(season: Season) -> dict[tuple[str, int], Verdict]:
    return {
        (name, level): results.verdict_of(season, name, START, level)
        for name, levels in DRILLS.items()
        for level in levels
    }  # fmt: skip


def seen(entry: dict) -> dict:
    """What of a day must be the same whenever it is played: not its CPU seconds, nor paths in what was said."""
    plain = {key: value for key, value in entry.items() if key not in ("cpu", "stale", "struck")}
    return plain | {"did": [(one["words"], one["by"], one["code"]) for one in entry["did"]]}


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_equals_the_quiet_days_to_the_bit(season: Season, level: int) -> None:
    drill, quiet = season.drilled("nothing", START, level), season.quiet(level)
    assert drill.days() == [START + timedelta(days=number) for number in range(28)]
    for day in drill.days():
        assert seen(drill.read(day)) == seen(quiet.read(day))
        assert drill.answers(day).equals(quiet.answers(day))


def test_nothing_has_no_verdict_but_that_nothing_was(verdicts: dict[tuple[str, int], Verdict]) -> None:
    for level in LEVELS:
        found = verdicts["nothing", level]
        assert (found.bad, found.late, found.lost, found.noticed.by, found.actions) == (0, 0, 0.0, "never", 0)
        assert found.kept_out


def test_all_levels_serve_all_shoppers_on_quiet_days_and_none_shops_on_saturdays(season: Season) -> None:
    for level in LEVELS:
        entries = season.quiet(level).entries()
        assert sum(entry["failed"] + entry["empty"] for entry in entries) == 0
        closed = [entry for entry in entries if date.fromisoformat(entry["day"]).weekday() == 5]
        assert closed
        assert all(entry["shoppers"] == 0 for entry in closed)


@pytest.mark.parametrize("level", [2, 3, 4])
def test_a_truncated_bundle_never_answers(season: Season, level: int) -> None:
    entries = season.drilled("cut-bundle", START, level).entries()
    [struck] = {entry["struck"] for entry in entries if entry["struck"]}
    assert struck not in {entry["bundle_digest"] for entry in entries}


def test_kept_out_means_no_bad_answer(season: Season, verdicts: dict[tuple[str, int], Verdict]) -> None:
    for (name, level), found in verdicts.items():
        drill = season.drilled(name, START, level)
        bad = sum(int(drill.answers(day)["bad"].sum()) for day in drill.days())
        assert found.bad >= bad
        assert not found.kept_out or bad == 0


def test_level_2_cannot_say_what_was_live(season: Season) -> None:
    assert set(season.quiet(2).noted("records").values()) == {None}


def test_records_and_scoreboard_agree(season: Season, home: Path) -> None:
    folder = home / "season" / "usual" / "played" / "level3" / "home" / "level3"
    drill = season.drilled("cut-bundle", START, 3)
    said = drill.noted("records")
    for day in drill.days():
        row = ledger.live_on(folder, day)
        assert row is not None
        assert row.bundle_digest == said[str(day)] == drill.read(day)["bundle_digest"]


def test_a_level_has_a_home_and_a_working_copy_of_its_own_and_finds_no_script(home: Path, season: Season) -> None:
    for level in LEVELS:
        played = home / "season" / "usual" / "played" / f"level{level}"
        copied = played / "code" / "comparison"
        assert sorted(path.name for path in copied.iterdir() if path.name != "__pycache__") == ["__init__.py", "teams"]
        assert [path.name for path in (played / "home").glob("level*")] == [f"level{level}"]
        assert known_through(played / "home" / "shop") == LAST - timedelta(days=1)
        assert max(read_shop(played / "home" / "shop")["days"]) < str(LAST)


def test_a_checkpoint_is_whole_after_drills_were_played_from_it(home: Path, season: Season) -> None:
    folder = home / "season" / "usual"
    for level in LEVELS:
        kept = folder / "checkpoints" / f"level{level}" / str(START)
        assert checkpoints.is_usable(kept, folder / "played" / f"level{level}")


def test_an_interrupted_season_goes_on_and_equals_one_that_was_not(home: Path, season: Season) -> None:
    class Killed(Exception):
        pass

    through = season.calendar.opening + timedelta(days=16)

    def kill(level: int, day: date) -> None:
        if day == through - timedelta(days=1):
            raise Killed

    again = Season(season.feed, "careful", (2,), kill)
    again.prepare()
    with pytest.raises(Killed):
        again.play_quiet(through)
    replace(again, on_day=lambda level, day: None).play_quiet(through)
    # Level 2 has a schedule: careful or usual, its people have nothing to do on quiet days.
    assert [seen(again.quiet(2).read(day)) for day in again.quiet(2).days()] == [
        seen(season.quiet(2).read(day)) for day in again.quiet(2).days()
    ]


def test_the_pages_of_drill_and_season_name_all_levels(season: Season) -> None:
    page = results.of_drill(season, "cut-bundle", START)
    assert all(f"{level} {name}" in page["text"] for level, name in results.NAMES.items())
    assert [line["level"] for line in page["data"]] == list(LEVELS)
    whole = results.of_season(season, LAST, {name: [START] for name in ("nothing", "cut-bundle")})
    assert max(map(len, whole["text"].splitlines())) <= 110
    assert "served NDCG@10" in whole["text"]
    assert "cut-bundle" in whole["text"]
    assert "nan" not in whole["text"]
    assert "None" not in whole["text"]

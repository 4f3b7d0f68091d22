"""The season's order of things, its results and its commands, with levels that are stand-ins; no process is started."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from comparison import demo, level_play, results, season
from comparison.season import Season
from comparison.verdicts import Mended, Noticed
from mlops.root import commands
from shared.dataset.feed import Feed
from shared.errors import Locked, MlopsError, UsageError
from tests.comparison.fakes import did, entry, signal, verdict
from tests.comparison.stand_ins import with_stand_ins
from tests.conftest import FIRST_DAY

DAYS = 56 + 35 + 42
OPENING = FIRST_DAY + timedelta(days=56)


@pytest.fixture(autouse=True)
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feed:
    return with_stand_ins(monkeypatch, tmp_path, DAYS)


def season_of(feed: Feed, days: list | None = None, levels: tuple[int, ...] = (2, 3)) -> Season:
    made = Season(feed, "usual", levels, lambda level, day: days.append((level, day)) if days is not None else None)
    made.prepare()
    return made


def test_quiet_days_are_played_once_and_gone_on_with(feed: Feed) -> None:
    played: list[tuple[int, date]] = []
    made = season_of(feed, played)
    made.play_quiet(OPENING + timedelta(days=2))
    assert sorted(played) == [(level, OPENING + timedelta(days=at)) for level in (2, 3) for at in range(3)]
    made.play_quiet(OPENING + timedelta(days=1))
    assert len(played) == 6
    made.play_quiet(OPENING + timedelta(days=4))
    assert len(played) == 10
    assert made.quiet(2).days() == [OPENING + timedelta(days=at) for at in range(5)]
    assert list(made.quiet(2).noted("records").values()) == ["digest"] * 5


def test_a_damaged_checkpoint_is_made_anew_from_the_one_before_or_from_the_beginning(
    feed: Feed, tmp_path: Path
) -> None:
    played: list[tuple[int, date]] = []
    made = season_of(feed, played, levels=(2,))
    made.play_quiet(OPENING + timedelta(days=2))
    [kept] = (made.folder / "checkpoints" / "level2").iterdir()
    (kept / "people.json").unlink()
    made.play_quiet(OPENING + timedelta(days=3))
    assert len(played) == 3 + 4


def test_a_drill_plays_the_quiet_days_that_it_needs_first_and_is_not_played_twice(feed: Feed) -> None:
    played: list[tuple[int, date]] = []
    made = season_of(feed, played, levels=(3,))
    start = made.calendar.starts(28)[0]
    made.drill("cut-bundle", start)
    assert len(played) == (start - OPENING).days + 28 + 28
    made.drill("cut-bundle", start)
    assert len(played) == (start - OPENING).days + 28 + 28
    assert made.nightly("cut-bundle", start) == {}
    verdict = results.verdict_of(made, "cut-bundle", start, 3)
    assert (verdict.struck, verdict.bad, verdict.lost) == (None, 0, 0.0)  # no release was made in the window
    text = results.of_drill(made, "cut-bundle", start)["text"]
    assert "no release in time" in text
    assert f"{start:%d %b}" in text


def test_after_the_last_day_no_checkpoint_is_kept_and_a_damaged_one_of_a_start_is_made_anew(feed: Feed) -> None:
    played: list[tuple[int, date]] = []
    made = season_of(feed, played, levels=(3,))
    days = (made.calendar.last - OPENING).days + 1
    made.play_quiet(made.calendar.last)
    kept = made.folder / "checkpoints" / "level3"
    assert max(path.name for path in kept.iterdir()) <= str(made.calendar.last)
    made.play_quiet(made.calendar.last)
    assert len(played) == days
    start = made.calendar.starts(28)[0]
    (kept / str(start) / "people.json").unlink()
    made.drill("nothing", start)
    before = [day for _, day in played[days:-28]]
    assert (before[-1] - before[0]).days + 1 == len(before)
    assert before[-1] == start + timedelta(days=27)
    assert [day for _, day in played[-28:]] == [start + timedelta(days=number) for number in range(28)]


def test_a_change_is_measured_beside_a_model_of_the_night_before(feed: Feed) -> None:
    made = season_of(feed, levels=(3,))
    start = made.calendar.starts(42)[0]
    made.drill("renumbered-cards", start)
    nightly = made.nightly("renumbered-cards", start)
    assert len(nightly) == 42
    assert all(0 <= value <= 20 for value in nightly.values())


def test_another_code_or_shop_sets_what_was_played_aside(
    feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = season_of(feed, levels=(2,))
    made.play_quiet(OPENING)
    season_of(feed, levels=(2,))
    assert made.quiet(2).days() == [OPENING]
    monkeypatch.setattr(season, "played_code", lambda: "other code")
    season_of(feed, levels=(2,))
    assert made.quiet(2).days() == []
    assert (tmp_path / "season" / "aside" / "usual-1" / "quiet").exists()


def test_a_level_that_fails_lets_the_others_play_on(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(self: level_play.LevelPlay) -> None:
        if self.level == 3:
            raise MlopsError("level 3 does not start")
        begun(self)

    begun = level_play.LevelPlay.begin
    monkeypatch.setattr(level_play.LevelPlay, "begin", begin)
    made = season_of(feed)
    with pytest.raises(MlopsError, match="level 3 does not start"):
        made.play_quiet(OPENING + timedelta(days=1))
    assert len(made.quiet(2).days()) == 2


def test_ctrl_c_ends_a_season_after_the_days_under_way(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[tuple[int, date]] = []
    made = season_of(feed, played)
    whole = season.Future.exception

    def interrupted(self: season.Future, timeout: float | None = None) -> BaseException | None:
        if not made.stopping.is_set():
            raise KeyboardInterrupt
        return whole(self, timeout)

    monkeypatch.setattr(season.Future, "exception", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.play_quiet(made.calendar.last)
    assert len(played) < 2 * (made.calendar.last - made.calendar.opening).days


def test_of_two_seasons_in_one_home_the_second_is_told(feed: Feed) -> None:
    made = season_of(feed)
    with made.alone(), pytest.raises(Locked, match="A season is being played"):
        say("compare", "--demo", "--only", "3")
    assert made.quiet(3).days() == []


def test_the_demo_shows_three_incidents_and_says_when_the_alarm_is_armed(feed: Feed) -> None:
    made = Season(feed, demo.PEOPLE, (1, 2))
    demo.play(made)
    result = results.of_demo(made)
    assert "no release in time" in result["text"]  # the stand-ins make one release, on the first day
    assert f"armed from {OPENING + timedelta(days=35)}" in result["text"]
    assert max(map(len, result["text"].splitlines())) <= 110
    assert [line["level"] for line in result["data"]] == [1, 2]
    assert [one["incident"] for one in result["data"][0]["incidents"]] == list(demo.INCIDENTS)


def say(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def test_compare_shows_the_last_result_and_play_makes_one(feed: Feed) -> None:
    with pytest.raises(UsageError, match="Nothing was played"):
        CliRunner().invoke(commands, ["compare"], catch_exceptions=False)
    told = say("compare", "--play", "--days", "3", "--starts", "0", "--only", "2")
    assert "served NDCG@10" in told
    assert say("compare") in told
    assert json.loads(say("compare", "--json"))[0]["level"] == 2
    told = say("compare", "--demo", "--only", "3")
    assert "renumbered-products" in told


def test_a_drill_is_listed_played_and_refused_by_name_and_day(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "reissued-cards" in say("drill", "--list") == say("drill")
    start = OPENING + timedelta(days=35)
    told = say("drill", "cut-bundle", "--only", "3", "--start", str(start + timedelta(days=14)))
    assert "verdict" in told
    for words, reason in (
        (["cut"], "no incident 'cut'"),
        (["typo", "--start", "2017-01-01"], "No drill of typo begins"),
    ):
        with pytest.raises(UsageError, match=reason):
            CliRunner().invoke(commands, ["drill", *words], catch_exceptions=False)


def test_all_incidents_of_a_season_are_in_its_table(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [kind for kind in results.INCIDENTS if kind.name in ("nothing", "typo")]
    monkeypatch.setattr("comparison.incidents.by_name.INCIDENTS", tuple(kinds))
    told = say("compare", "--play", "--only", "2", "--starts", "1")
    assert "typo" in told
    assert "One play of each" in told


def test_a_drills_days_say_what_was_wrong_and_who_acted() -> None:
    assert results.day_cell(entry(0, shoppers=0)) == "no shoppers"
    day = entry(0, bad=3, signals=[signal(0), signal(0)], did=[did(), did("machine")])
    assert results.day_cell(day) == "0.200, 3 bad, complaint, person"
    assert results.demo_cell(verdict(bad=10, mended=Mended("never"))) == "25.0 % bad; machine, 0 days; not mended"
    assert results.demo_cell(verdict(noticed=Noticed())) == "kept out, untold"
    assert results.mended(verdict(mended=Mended("person", 2))) == "person, 2 days"

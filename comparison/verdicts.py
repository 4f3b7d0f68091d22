"""Verdicts on a drill at one level: what customers got, who noticed and when, what mended it. Three questions, apart.

All of it is drawn from the diaries of the drill and of its twin, the quiet days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from comparison.diary import Diary
from comparison.incidents.by_name import kind_of
from comparison.people import SUPPLIER
from shared.columns import CUSTOMER

# Between 0 and 1; so much lost quality is as good as none.
NOTHING_LOST = 0.0005


@dataclass(frozen=True)
class Noticed:
    """The first signal that the twin does not have. by: machine, person or never; after_days: from the first bad
    answer, or from the strike where none was. words: the level's own.
    """

    by: str = "never"
    after_days: int | None = None
    words: str = ""


@dataclass(frozen=True)
class Mended:
    """How it ended. by: machine, person, wore off, never; empty where there was nothing to mend."""

    by: str = ""
    after_days: int | None = None


@dataclass(frozen=True)
class Verdict:
    """A drill at a level.

    struck: the day on which the incident struck; None if no release was under way in the window. bad, late: answers,
    of `answers`. lost: share of NDCG@10 of the window. actions: commands that a person typed, beside the twin's;
    needless: those of them after the last bad or late answer and after the last day that was brought again, or where
    there was neither. restarts: whether the service came up at the window's end.
    """

    level: int
    incident: str
    start: date
    struck: date | None
    answers: int
    bad: int
    late: int
    lost: float
    noticed: Noticed
    mended: Mended
    actions: int
    needless: int
    restarts: bool

    @property
    def kept_out(self) -> bool:
        """Whether no customer got a bad answer, and the service comes up again."""
        return self.struck is not None and self.bad == 0 and self.restarts


@dataclass(frozen=True)
class Window:
    """A drill's days at a level beside its twin's. reference: the sums of NDCG@10 to compare with, by day.

    before: how many trainings there had been before the window.
    """

    level: int
    incident: str
    start: date
    entries: Sequence[dict[str, Any]]
    twin: Sequence[dict[str, Any]]
    bad: Sequence[int]
    reference: Sequence[float]
    restarts: bool
    door: str = ""
    before: int = 0


def read_window(
    level: int, incident: str, start: date, drill: Diary, quiet: Diary, nightly: dict[str, float]
) -> Window:
    """A drill's window from its diaries. nightly: the reference of a change of the world; empty for a fault."""
    days = drill.days()
    entries, twin = [drill.read(day) for day in days], [quiet.read(day) for day in days]
    reference = [nightly[str(day)] for day in days] if nightly else [float(day["ndcg"]) for day in twin]
    bad = [count_bad(drill, quiet, day) for day in days]
    restarts = bool(drill.noted("end").get("restarts"))
    door, before = kind_of(incident).door, quiet.read(start - timedelta(days=1))["trainings"]
    return Window(level, incident, start, entries, twin, bad, reference, restarts, door, before)


def count_bad(drill: Diary, quiet: Diary, day: date) -> int:
    """Answers of a day that are bad by the incident's oracle, or shorter than the twin's."""
    mine, twin = drill.answers(day), quiet.answers(day)
    full = twin.set_index(CUSTOMER)["products"].map(len)
    wanted = mine[CUSTOMER].map(full).fillna(0)
    return int((mine["bad"] | (mine["products"].map(len) < wanted)).sum())


def judge(window: Window) -> Verdict:
    """The verdict on a window."""
    struck = when_struck(window)
    late = [count_late(entry, twin) for entry, twin in zip(window.entries, window.twin, strict=True)]
    served, wanted = sum(entry["ndcg"] for entry in window.entries), sum(window.reference)
    actions, needless = count_actions(window, late)
    return Verdict(
        level=window.level,
        incident=window.incident,
        start=window.start,
        struck=struck,
        answers=sum(entry["shoppers"] for entry in window.entries),
        bad=sum(window.bad),
        late=sum(late),
        lost=(wanted - served) / wanted if wanted else 0.0,
        noticed=who_noticed(window, struck or window.start),
        mended=what_mended(window),
        actions=actions,
        needless=needless,
        restarts=window.restarts,
    )


def when_struck(window: Window) -> date | None:
    """The day on which the incident struck. A configuration strikes with the first training since."""
    hit = [at for at, entry in enumerate(window.entries) if entry["struck"]]
    if not hit:
        return None
    at = hit[0]
    if window.door == "configuration":
        before = window.before
        trained = [entry["trainings"] for entry in window.entries]
        more = [at for at in range(hit[0], len(trained)) if trained[at] > (trained[at - 1] if at else before)]
        if not more:
            return None
        at = more[0]
    return date.fromisoformat(window.entries[at]["day"])


def count_late(entry: dict[str, Any], twin: dict[str, Any]) -> int:
    """The answers of a day that are of older histories or parameters than the twin's."""
    ages = ("histories_through", "trained_through")
    is_older = entry["bundle_digest"] and any(entry[name] < twin[name] for name in ages)
    return int(entry["shoppers"] - entry["failed"]) if is_older else 0


def who_noticed(window: Window, struck: date) -> Noticed:
    """The first signal since the strike that the twin does not have on the same day, about the same thing."""
    hurt = [entry["day"] for entry, bad in zip(window.entries, window.bad, strict=True) if bad]
    since = date.fromisoformat(hurt[0]) if hurt else struck
    for entry, twin in zip(window.entries, window.twin, strict=True):
        known = {(signal["kind"], signal["about"]) for signal in twin["signals"]}
        for signal in entry["signals"]:
            day = date.fromisoformat(signal["day"])
            if day >= struck and (signal["kind"], signal["about"]) not in known:
                return Noticed(signal["by"], (day - since).days, signal["words"])
    return Noticed()


def what_mended(window: Window) -> Mended:
    """Who ended the bad answers, and how many days after the first."""
    bad = [at for at, number in enumerate(window.bad) if number]
    if not bad:
        return Mended() if window.restarts else Mended("never")
    after = bad[-1] + 1
    if after >= len(window.entries) or not window.restarts:
        return Mended("never")
    did, late = worked(window.entries[bad[-1] : after + 1]), worked(window.entries[after : after + 1])
    by = "wore off" if not did else (late or did)[-1]["by"]
    return Mended(by, after - bad[0])


def worked(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The commands that ended well, of machines and of those who work with the level."""
    return [one for entry in entries for one in entry["did"] if one["code"] == 0 and one["by"] != SUPPLIER]


def count_actions(window: Window, late: Sequence[int]) -> tuple[int, int]:
    """(what people did beside what the twin's did, what of it was needless)."""
    pairs = zip(window.entries, window.twin, window.bad, late, strict=True)
    hurt = [at for at, (_, _, bad, old) in enumerate(pairs) if bad or old]
    brought = [at for at, entry in enumerate(window.entries) if any(one["by"] == SUPPLIER for one in entry["did"])]
    last = max(hurt[-1] + 1 if hurt else -1, brought[-1] if brought else -1)
    more = [max(0, by_person(entry) - by_person(twin)) for entry, twin in zip(window.entries, window.twin, strict=True)]
    return sum(more), sum(more[last + 1 :])


def by_person(entry: dict[str, Any]) -> int:
    """The commands that people typed on a day; a rung without a command is none."""
    return sum(one["by"] == "person" and not one["words"].endswith("no such command") for one in entry["did"])

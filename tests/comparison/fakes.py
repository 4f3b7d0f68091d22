"""Diaries' entries made by hand: what verdicts and scoreboards are drawn from."""

from datetime import date, timedelta
from typing import Any

from comparison.verdicts import Mended, Noticed, Verdict, Window

START = date(2017, 5, 3)


def signal(number: int, kind: str = "complaint", by: str = "person", about: str = "no answer") -> dict[str, Any]:
    """A signal on a day of the window."""
    day = str(START + timedelta(days=number))
    return {"day": day, "kind": kind, "about": about, "words": f"{kind} about {about}", "by": by, "hurts": True}


def did(by: str = "person", code: int = 0, words: str = "mlops deploy rollback") -> dict[str, Any]:
    """A command that ran."""
    return {"words": words, "by": by, "code": code, "told": ""}


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """A day of ten shoppers on which nothing happened."""
    before = str(START + timedelta(days=number - 1))
    known = {
        "day": str(START + timedelta(days=number)),
        "release": "1.0",
        "bundle_digest": "digest of 1.0",
        "trained_through": "2017-04-30",
        "histories_through": before,
        "shoppers": 10,
        "ndcg": 2.0,
        **dict.fromkeys(("failed", "empty", "dead", "bad"), 0),
        "answers": f"answers of {number}",
        "called_live": "digest of 1.0",
        "did": [],
        "made": [],
        "signals": [],
        "trainings": 3,
        "struck": "nothing" if number == 0 else "",
        "delivered": f"digest of {before}",
        "stale": {},
        "cpu": 10.0 + number,
    }
    return known | changes


def window(entries: list[dict[str, Any]], bad: list[int] | None = None, **changes: Any) -> Window:
    """A window beside a twin on which nothing happened."""
    twin = [entry(number) for number in range(len(entries))]
    known: dict[str, Any] = {
        "level": 3,
        "incident": "cut-bundle",
        "start": START,
        "entries": entries,
        "twin": twin,
        "bad": bad or [0] * len(entries),
        "reference": [day["ndcg"] for day in twin],
        "restarts": True,
        "before": 3,
    }
    return Window(**(known | changes))


def verdict(**changes: Any) -> Verdict:
    """A verdict on a drill that was kept out."""
    known: dict[str, Any] = {
        "level": 3,
        "incident": "cut-bundle",
        "start": START,
        "struck": START,
        "answers": 40,
        "bad": 0,
        "late": 0,
        "lost": 0.0,
        "noticed": Noticed("machine", 0, "refused"),
        "mended": Mended(),
        "actions": 0,
        "needless": 0,
        "restarts": True,
    }
    return Verdict(**(known | changes))

"""The quiet days in numbers: what a level served, what being old cost it, what was done, and what was a false alarm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quiet:
    """A level's quiet days.

    old_histories, old_parameters: how much higher NDCG@10 were with fresh ones, as a share of what was served; None
    where it was not measured. knows: the days on which the level's records name what really answered; None without
    records.
    """

    level: int
    days: int
    ndcg: float
    old_histories: float | None
    old_parameters: float | None
    releases: int
    actions: int
    signals: int
    knows: int | None
    cpu: float


def measure(level: int, entries: Sequence[dict[str, Any]], records: dict[str, str | None]) -> Quiet:
    """A level's quiet days from its diary."""
    shoppers = sum(entry["shoppers"] for entry in entries)
    stale = [entry for entry in entries if entry["stale"]]
    served = sum(entry["ndcg"] for entry in stale)
    fresh, trained = (sum(entry["stale"][name] for entry in stale) for name in ("fresh_histories", "fresh_parameters"))
    digests = [entry["bundle_digest"] for entry in entries]
    said = [records.get(entry["day"]) for entry in entries]
    right = sum(name == digest for name, digest in zip(said, digests, strict=True) if name)
    return Quiet(
        level=level,
        days=len(entries),
        ndcg=sum(entry["ndcg"] for entry in entries) / shoppers if shoppers else 0.0,
        old_histories=(fresh - served) / served if served else None,
        old_parameters=(trained - fresh) / served if served else None,
        releases=sum(1 for before, after in zip(["", *digests], digests, strict=False) if after and after != before),
        actions=sum(one["by"] == "person" and one["code"] == 0 for entry in entries for one in entry["did"]),
        signals=sum(len(entry["signals"]) for entry in entries),
        knows=right if any(said) else None,
        cpu=cpu_of(entries),
    )


def cpu_of(entries: Sequence[dict[str, Any]]) -> float:
    """CPU seconds of a level's processes; each process counts from nothing, so where it falls another one began."""
    total, before = 0.0, 0.0
    for entry in entries:
        total += entry["cpu"] - before if entry["cpu"] >= before else entry["cpu"]
        before = entry["cpu"]
    return round(total, 1)

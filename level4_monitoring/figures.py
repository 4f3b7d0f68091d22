"""What the service's `/metrics` said in the last minutes: the figures that its health is judged by.

One sample a look, kept in a file: the next look counts what has happened since. A counter that has fallen belongs to
a service that was started anew.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from shared.errors import DependencyDown
from shared.places import write_atomically
from shared.service.client import certificates
from shared.service.process import Process

SECONDS_TO_ANSWER = 5.0
COUNTERS = {
    "mlops_answers_total": "answers",
    "mlops_empty_answers_total": "empty",
    "mlops_fallback_answers_total": "fallbacks",
}
BUCKETS = "mlops_request_duration_seconds_bucket"


@dataclass(frozen=True)
class Sample:
    """A scrape. at: seconds since 1970; missing: why there are no figures, if so; histories_age: seconds.

    counts: by name, since the service began; within: questions answered within so many seconds, as well.
    """

    at: float
    missing: str = ""
    answered: bool = True
    release: str = ""
    counts: dict[str, float] = field(default_factory=dict)
    within: dict[str, float] = field(default_factory=dict)
    histories_age: float | None = None


@dataclass(frozen=True)
class Figures:
    """What has happened in a time. questions: without those that were of the wrong form; latency: seconds within which
    95 % were answered, None without any.
    """

    seconds: float
    questions: float
    errors: float
    answers: float
    empty: float
    fallbacks: float
    latency: float | None


def scrape(service: Process, at: float) -> Sample:
    """A look at a service."""
    import httpx

    try:
        with httpx.Client(verify=certificates(), trust_env=False, timeout=SECONDS_TO_ANSWER) as client:
            answer = client.get(f"{service.url}/metrics")
    except httpx.HTTPError as error:
        return Sample(at, f"{service.url} does not answer: {type(error).__name__}", answered=False)
    try:
        if answer.status_code != 200:
            raise DependencyDown(f"it answers {answer.status_code}")
        return read_sample(answer.text, at)
    except (DependencyDown, ValueError, KeyError) as error:
        return Sample(at, f"{service.url}/metrics cannot be used: {error}")


def read_sample(text: str, at: float) -> Sample:
    """A sample from Prometheus' text format. Raises ValueError or KeyError where it has not what is needed."""
    from prometheus_client.parser import text_string_to_metric_families

    release, age, within = "", None, {}
    counts: dict[str, float] = {}
    for one in (one for family in text_string_to_metric_families(text) for one in family.samples):
        if one.name in COUNTERS:
            counts[COUNTERS[one.name]] = one.value
        elif one.name == "mlops_requests_total":
            counts[one.labels["status"]] = one.value
        elif one.name == BUCKETS:
            within[one.labels["le"]] = one.value
        elif one.name == "mlops_release_info":
            release = one.labels["release"]
        elif one.name == "mlops_histories_age_seconds":
            age = one.value
    lacking = sorted({*COUNTERS.values(), "2xx", "5xx"} - set(counts))
    if lacking or not within:
        raise ValueError(f"it lacks {', '.join(lacking) or 'the durations'}")
    return Sample(at, release=release, counts=counts, within=within, histories_age=age)


def figures(samples: Sequence[Sample], seconds: float) -> Figures:
    """What has happened to the release of the last sample in the last `seconds`. samples: the oldest first.

    The sample before that time counts as its beginning.
    """
    last = samples[-1]
    mine = [one for one in samples if not one.missing and one.release == last.release]
    first = max((at for at, one in enumerate(mine) if one.at <= last.at - seconds), default=0)
    mine = mine[first:]
    grown = {name: increase([one.counts[name] for one in mine]) for name in last.counts}
    within = {name: increase([one.within.get(name, 0.0) for one in mine]) for name in last.within}
    return Figures(
        seconds=last.at - mine[0].at if mine else 0.0,
        questions=grown.get("2xx", 0.0) + grown.get("5xx", 0.0),
        errors=grown.get("5xx", 0.0),
        answers=grown.get("answers", 0.0),
        empty=grown.get("empty", 0.0),
        fallbacks=grown.get("fallbacks", 0.0),
        latency=quantile(within),
    )


def increase(values: Sequence[float]) -> float:
    """How much a counter grew; where it has fallen, it began anew.

    >>> increase([5, 7, 7, 2, 3]), increase([4]), increase([])
    (5.0, 0.0, 0.0)
    """
    return float(sum(after - before if after >= before else after for before, after in pairwise(values)))


def quantile(within: dict[str, float], share: float = 0.95) -> float | None:
    """The seconds within which a share was answered, by the upper bounds of a histogram's buckets; None without any.

    >>> quantile({"0.1": 94.0, "0.25": 96.0, "+Inf": 100.0}), quantile({"0.1": 0.0, "+Inf": 0.0})
    (0.25, None)
    """
    total = within.get("+Inf", 0.0)
    bounds = sorted(within, key=float)
    return next((float(bound) for bound in bounds if within[bound] >= share * total), None) if total else None


def samples_file(level: Path) -> Path:
    """Where samples are kept."""
    return level / "health.json"


def read_samples(level: Path) -> list[Sample]:
    """The samples of the last looks, the oldest first; none where they cannot be read."""
    try:
        return [Sample(**one) for one in json.loads(samples_file(level).read_bytes())]
    except (OSError, ValueError, TypeError):
        return []


def keep_samples(level: Path, samples: Sequence[Sample]) -> None:
    """Keep samples for the next look."""
    write_atomically(samples_file(level), json.dumps([asdict(one) for one in samples]).encode())

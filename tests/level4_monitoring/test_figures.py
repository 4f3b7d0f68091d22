"""What is read of `/metrics`, and what has happened between two looks."""

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from level4_monitoring.figures import (
    Figures,
    Sample,
    figures,
    keep_samples,
    read_sample,
    read_samples,
    samples_file,
    scrape,
)
from shared.service.process import Process
from tests.level4_monitoring.fakes import sample

TEXT = """
# TYPE mlops_requests counter
mlops_requests_total{status="2xx"} 90.0
mlops_requests_total{status="4xx"} 7.0
mlops_requests_total{status="5xx"} 10.0
# TYPE mlops_request_duration_seconds histogram
mlops_request_duration_seconds_bucket{le="0.01"} 80.0
mlops_request_duration_seconds_bucket{le="+Inf"} 107.0
# TYPE mlops_answers counter
mlops_answers_total 95.0
# TYPE mlops_empty_answers counter
mlops_empty_answers_total 2.0
# TYPE mlops_fallback_answers counter
mlops_fallback_answers_total 1.0
"""
AGES = """# TYPE mlops_release_info gauge
mlops_release_info{release="1.1"} 1.0
# TYPE mlops_histories_age_seconds gauge
mlops_histories_age_seconds 3600.0
"""


def test_a_sample_holds_what_health_is_judged_by() -> None:
    found = read_sample(TEXT + AGES, 5.0)
    assert (found.at, found.release, found.histories_age, found.missing) == (5.0, "1.1", 3600.0, "")
    assert found.counts == {"2xx": 90, "4xx": 7, "5xx": 10, "answers": 95, "empty": 2, "fallbacks": 1}
    assert found.within == {"0.01": 80, "+Inf": 107}
    assert read_sample(TEXT, 5.0).release == ""


@pytest.mark.parametrize("line", [line for line in TEXT.splitlines() if line.startswith("mlops") and "4xx" not in line])
def test_figures_that_are_not_there_are_named_and_never_nought(line: str) -> None:
    left = TEXT.replace(f"{line}\n", "")
    if "bucket" in line:
        left = "\n".join(one for one in left.splitlines() if "bucket" not in one) + "\n"
    with pytest.raises(ValueError, match="it lacks"):
        read_sample(left, 0.0)


def test_what_has_happened_is_the_difference_and_a_restart_begins_anew() -> None:
    samples = [sample(0, questions=100), sample(1, questions=150, errors=5), sample(2, questions=30, errors=1, slow=30)]
    assert figures(samples[:2], 900) == Figures(60.0, 50.0, 5.0, 45.0, 0.0, 0.0, 0.01)
    found = figures(samples, 900)
    assert (found.questions, found.errors, found.seconds, found.latency) == (80.0, 6.0, 120.0, float("inf"))
    assert figures(samples[:1], 900).questions == 0


def test_only_the_time_that_is_asked_for_counts_and_only_the_last_release() -> None:
    samples = [sample(at, questions=10 * at, errors=at) for at in range(30)]
    assert figures(samples, 900).questions == 150
    after = [*samples[:-2], *(dataclasses.replace(one, release="1.1") for one in samples[-2:])]
    assert (figures(after, 900).questions, figures(after, 900).errors) == (10, 1)
    gone = [samples[0], Sample(60.0, "away", answered=False), samples[2]]
    assert figures(gone, 900).questions == 20


def test_samples_are_kept_and_damaged_ones_are_none(tmp_path: Path) -> None:
    kept = [sample(0), Sample(60.0, "away", answered=False)]
    keep_samples(tmp_path, kept)
    assert read_samples(tmp_path) == kept
    for damaged in (b"[{", b'[{"when": 1}]', b"3"):
        samples_file(tmp_path).write_bytes(damaged)
        assert read_samples(tmp_path) == []


@contextmanager
def answering(status: int, text: str) -> Iterator[Process]:
    """A server on loopback that answers everything the same."""

    class Same(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *words: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Same) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Process(0, server.server_port)
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "text", "missing"),
    [
        (200, TEXT, ""),
        (503, TEXT, "cannot be used: it answers 503"),
        (200, "no figures", "cannot be used"),
        (200, "", "it lacks 2xx, 5xx, answers, empty, fallbacks"),
    ],
)
def test_a_service_that_answers_without_figures_is_told_from_one_that_does_not_answer(
    status: int, text: str, missing: str
) -> None:
    with answering(status, text) as service:
        found = scrape(service, 5.0)
    assert (found.answered, missing in found.missing, bool(found.missing)) == (True, True, bool(missing))
    gone = scrape(service, 5.0)
    assert (gone.answered, "does not answer" in gone.missing) == (False, True)

"""What a person is told, once per incident, and where."""

import json
import logging
import re
import threading
from collections.abc import Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from level4_monitoring import alarms
from level4_monitoring.kept import Alarm
from shared.places import CHECKOUT
from tests.level4_monitoring.fakes import alarmed, day

QUALITY = Alarm("quality", "precision fell")
MESSAGE = alarms.message(QUALITY, day(3), "hold: nothing is due")


def test_an_incident_is_told_on_its_first_day_only() -> None:
    history = alarmed({3: (QUALITY,), 4: (QUALITY,)}, 4)
    assert [one.incident for one in alarms.new_messages(history[:4], 14, "hold")] == ["quality"]
    assert alarms.new_messages(history, 14, "hold") == []
    again = alarmed({3: (QUALITY,), 18: (QUALITY,)}, 18)
    assert len(alarms.new_messages(again, 14, "hold")) == 1


def test_a_warning_that_becomes_an_alarm_is_told_anew_and_two_of_a_kind_once() -> None:
    warning = Alarm("quality", "it slips", "warning")
    history = alarmed({3: (warning,), 4: (QUALITY, QUALITY)}, 4)
    assert [one.severity for one in alarms.new_messages(history, 14, "hold")] == ["alarm"]


def test_a_message_says_what_since_when_how_bad_what_was_done_and_what_to_do() -> None:
    text = MESSAGE.as_text()
    for part in ("precision fell", str(day(3)), "alarm", "hold: nothing is due", "alarms.md#quality"):
        assert part in text
    assert alarms.read_message(MESSAGE.as_data()) == MESSAGE


def test_without_addresses_messages_are_logged_and_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(alarms.VARIABLE, raising=False)
    assert alarms.tell(tmp_path, [MESSAGE]) == []
    assert alarms.tell(tmp_path, [MESSAGE]) == []
    assert len(alarms.alarm_file(tmp_path).read_text().splitlines()) == 1
    assert caplog.text.count("precision fell") == 1


def failing(title: str, body: str, addresses: Sequence[str]) -> bool:
    raise ConnectionError(f"no way to {addresses[0]}")


@pytest.mark.parametrize("send", [failing, lambda title, body, addresses: False])
def test_what_cannot_be_sent_is_returned_and_its_address_is_not_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, send: alarms.Send
) -> None:
    monkeypatch.setenv(alarms.VARIABLE, "json://user:secret@example.org")
    with caplog.at_level(logging.DEBUG):
        assert alarms.tell(tmp_path, [MESSAGE], send) == [MESSAGE]
    assert "could not be sent" in caplog.text
    assert "secret" not in caplog.text


@pytest.fixture
def receiver():
    """A receiver on this machine; what it got, and the port."""
    got: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield got, server.server_port
    server.shutdown()
    server.server_close()


def test_a_receiver_on_loopback_gets_the_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, receiver: tuple[list[dict], int]
) -> None:
    got, port = receiver
    monkeypatch.setenv(alarms.VARIABLE, f"json://user:secret@127.0.0.1:{port}/")
    with caplog.at_level(logging.DEBUG):
        assert alarms.tell(tmp_path, [MESSAGE]) == []
    assert got[0]["title"] == "mlops: quality"
    assert "precision fell" in got[0]["message"]
    assert "secret" not in caplog.text


def test_an_address_that_nobody_knows_is_not_sent_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(alarms.VARIABLE, "no-such-form://x")
    assert alarms.tell(tmp_path, [MESSAGE]) == [MESSAGE]


def test_the_guide_has_a_section_for_each_kind_and_no_other() -> None:
    guide = (CHECKOUT / alarms.GUIDE).read_text()
    assert sorted(re.findall(r"^## (.+)$", guide, re.M)) == sorted(alarms.WHAT_TO_DO)


def test_each_kind_that_is_raised_anywhere_has_a_section() -> None:
    code = "\n".join(path.read_text() for path in (CHECKOUT / "level4_monitoring").glob("*.py"))
    raised = set(re.findall(r'Alarm\(\s*"([a-z-]+)"', code)) | {"errors", "empty-answers", "fallbacks"}
    assert raised <= set(alarms.WHAT_TO_DO)
    assert raised == set(alarms.WHAT_TO_DO)


def test_an_incident_that_goes_on_is_not_told_by_the_day_after() -> None:
    assert day(3) + timedelta(days=1) == day(4)

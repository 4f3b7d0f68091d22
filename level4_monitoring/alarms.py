"""Tell: what a person should know is written to the log, to a file, and sent to where `MLOPS_ALARMS` says.

Once per incident. What could not be sent is tried again by the next tick. Addresses are secrets: they are never logged.
Alarms are raised elsewhere: by detect.py in the evening, ingest.py for a day, health.py each minute, dead_loop.py.
"""

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from level4_monitoring.kept import Alarm, Kept, incident_began

VARIABLE = "MLOPS_ALARMS"
GUIDE = "docs/how-to/alarms.md"
# What a person should do, in a line; the guide has a section for each.
WHAT_TO_DO = {
    "quality": "Nothing at once: the loop trains when a training can know the new world. Ask the shop what changed.",
    "assortment": "Ask the shop whether products were renumbered; with a quality warning the loop trains by itself.",
    "drift": "Look at the day's report; ask the shop. Alone it starts nothing.",
    "errors": "Look at the service's log. Within a week of a deployment the loop goes back by itself.",
    "empty-answers": "Ask for a customer by `mlops ask`; look at what is live. See `mlops doctor`.",
    "fallbacks": "The service could not open what is to be live: `mlops doctor`, and deploy again.",
    "skew": "Offline and served lists differ: look for services of another version, or damaged histories.",
    "stale-histories": "Look why the last ticks did not refresh them: `mlops explain`, and the disk.",
    "missed-tick": "Look whether the scheduler runs: `mlops loop status`.",
    "missing-value": "Look whether the service keeps its prediction log, and whether customers ask before they buy.",
    "silent-column": "Look whether the shop still delivers that column.",
    "slow": "Look at the machine and the service's log. Within a week of a deployment the loop goes back by itself.",
    "service-down": "Look whether the service runs: `mlops status`; start it by `mlops serve --background`.",
    "missing-figures": "Look at the service's log: it answers, but its /metrics does not say how it does.",
    "dead-loop": "Start the loop again: `mlops loop start`; look why it ended.",
    "quarantine": "Replace the day by `mlops data add`, or accept it: `mlops loop accept DAY --why`.",
    "change": "Ask the shop. The day was taken in.",
    "late-rows": "Look at what changed; accept it by `mlops loop accept DAY --why`, or bring the old rows back.",
    "empty-days": "Look whether the shop's export still runs.",
    "overdue-day": "Look whether the shop's export still runs; add the day by `mlops data add`.",
    "old-parameters": "Train and deploy by hand, if you think that it is time: `mlops pipeline run`.",
    "frozen": "Read why by `mlops explain`, mend it, then `mlops loop thaw`.",
    "mended": "Look at the disk: something derived was damaged, and made anew.",
    "unavailable": "Look at what does not answer; the next tick goes on by itself.",
}
log = logging.getLogger("level4.alarms")
Send = Callable[[str, str, Sequence[str]], bool]


@dataclass(frozen=True)
class Message:
    """An incident in words: what, since when, how bad, what the loop did, what a person should do."""

    incident: str
    kind: str
    severity: str
    since: date
    what: str
    did: str
    do: str

    def as_text(self) -> str:
        """The body of a message."""
        return (
            f"What: {self.what}\nSince: {self.since}\nHow bad: {self.severity}\nThe loop: {self.did}\n"
            f"You: {self.do}\nMore: {GUIDE}#{self.kind}"
        )

    def as_data(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "since": self.since.isoformat()}


def read_message(data: dict[str, Any]) -> Message:
    """A message from plain data."""
    return Message(**{**data, "since": date.fromisoformat(data["since"])})


def new_messages(history: Sequence[Kept], ends_after_days: int, did: str) -> list[Message]:
    """The incidents that began on the last day of `history`, each once."""
    today = history[-1]
    found: dict[str, Alarm] = {}
    for alarm in today.alarms:
        found.setdefault(alarm.incident, alarm)
    return [
        message(alarm, today.day, did)
        for incident, alarm in found.items()
        if incident_began(history, incident, ends_after_days) == today.day
    ]


def message(alarm: Alarm, since: date, did: str) -> Message:
    """An alarm as a message."""
    return Message(alarm.incident, alarm.kind, alarm.severity, since, alarm.what, did, WHAT_TO_DO[alarm.kind])


def alarm_file(level: Path) -> Path:
    """Where messages are kept: one a line."""
    return level / "alarms.jsonl"


def tell(level: Path, messages: Sequence[Message], send: Send | None = None) -> list[Message]:
    """Log, keep and send messages; returns those that could not be sent."""
    known = alarm_file(level).read_text() if alarm_file(level).exists() else ""
    for one in messages:
        line = json.dumps(one.as_data())
        if line not in known:
            log.warning("%s: %s", one.incident, one.what)
            with alarm_file(level).open("a") as file:
                file.write(f"{line}\n")
    addresses = os.environ.get(VARIABLE, "").split()
    if not addresses:
        return []
    return [one for one in messages if not is_sent(one, addresses, send or by_apprise)]


def is_sent(one: Message, addresses: Sequence[str], send: Send) -> bool:
    """Whether a message could be sent to all addresses."""
    try:
        sent = send(f"mlops: {one.incident}", one.as_text(), addresses)
    except Exception as error:  # noqa: BLE001  whatever it is, the loop goes on and tries again
        log.error("%s could not be sent: %s", one.incident, type(error).__name__)  # its text may hold an address
        return False
    if not sent:
        log.error("%s could not be sent to all of %s; the next tick tries again", one.incident, VARIABLE)
    return sent


def by_apprise(title: str, body: str, addresses: Sequence[str]) -> bool:
    """Send by apprise, which knows the forms of addresses of mail, chat and many others."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would log addresses
    sender = apprise.Apprise()
    known = [sender.add(address) for address in addresses]
    return bool(sender.notify(title=title, body=body)) and all(known)

"""The append-only ledger: one row per decision, with what was seen, the limits, the verdict and the reason.

The database refuses to change, replace or remove a row, and each row bears the hash of the one before: `mlops doctor`
finds what was changed all the same. Callers ask named questions, never SQL text.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, insert, or_, select

from level3_cicd.ledger_table import LEDGER, ledger_file, opened

# The hash before the first row.
BEGINNING = "0" * 64


@dataclass(frozen=True)
class Row:
    """A decision.

    step: validate, gate, judge (as the gate, of what is not to be registered), stage, deploy, rollback; at level 4
    also shadow, monitor. verdict: passed, refused, failed, unavailable (something needed did not answer), live; at
    level 4 also what was decided.
    revision: of the code that made the release, in rows after which one is live; else of the code that decided.
    sequence: the pointer's, in rows after which a release is live; 0 in all others.
    hash: of the row and the one before it; empty until it is appended.
    """

    as_of: date
    step: str
    verdict: str
    reason: str
    release: str = ""
    bundle_digest: str = ""
    data_digest: str = ""
    revision: str = ""
    actor: str = "operator"
    sequence: int = 0
    numbers: dict[str, Any] = field(default_factory=dict)
    recorded_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    hash: str = field(default="", compare=False)


# What a row's hash is of.
HASHED = tuple(item.name for item in fields(Row) if item.name != "hash")


def append(level: Path, row: Row) -> Row:
    """Write a decision down; returns the row with its hash."""
    with opened(level) as connection:
        previous = connection.scalar(select(LEDGER.c.hash).order_by(LEDGER.c.number.desc()).limit(1)) or BEGINNING
        kept = replace(row, hash=hash_of(previous, plain(row)))
        connection.execute(insert(LEDGER).values(**plain(row), previous=previous, hash=kept.hash))
    return kept


def hash_of(previous: str, values: dict[str, Any]) -> str:
    """The SHA-256 of the hash before and a row's values, as sorted JSON."""
    return hashlib.sha256(f"{previous}{json.dumps(values, sort_keys=True)}".encode()).hexdigest()


def plain(row: Row) -> dict[str, Any]:
    """A row's content as numbers and text, without its hash."""
    values = asdict(row) | {
        "as_of": row.as_of.isoformat(),
        "recorded_at": row.recorded_at.isoformat(),
        "numbers": json.dumps(row.numbers, default=str),
    }
    del values["hash"]
    return values


def parse(values: RowMapping | dict[str, Any]) -> Row:
    """A row from its plain values."""
    known = {item.name: values[item.name] for item in fields(Row) if item.name in values}
    return Row(
        **known
        | {
            "as_of": date.fromisoformat(values["as_of"]),
            "recorded_at": datetime.fromisoformat(values["recorded_at"]),
            "numbers": json.loads(values["numbers"]),
        }
    )


def all_rows(level: Path) -> list[Row]:
    """Every row, in the order in which they were written."""
    return read(level)


def live_rows(level: Path) -> list[Row]:
    """The rows after which another release was live."""
    return read(level, LEDGER.c.sequence > 0)


def live_on(level: Path, day: date) -> Row | None:
    """The decision that made live what answered customers on a day.

    A decision knows of days through its `as_of`, so it counts for customers from the day after.
    """
    rows = read(level, LEDGER.c.sequence > 0, LEDGER.c.as_of < day.isoformat())
    return rows[-1] if rows else None


def day_reached(level: Path) -> date | None:
    """The last day of any decision; None before the first."""
    return max((row.as_of for row in read(level)), default=None)


def releases_named(level: Path) -> set[str]:
    """Every release number that a row names, whatever became of it."""
    return {row.release for row in read(level, LEDGER.c.release != "")}


def validated_through(level: Path, as_of: date, digest_of: Callable[[date], str]) -> date | None:
    """The last day, at most `as_of`, through which a run found the data fit that is there now. None: no run has.

    digest_of: the data's digest through a day. Whatever the gate said: it is asked after the data has passed.
    """
    judged = (LEDGER.c.step == "gate", LEDGER.c.as_of <= as_of.isoformat(), LEDGER.c.data_digest != "")
    rows = read(level, *judged)
    return max((row.as_of for row in rows if digest_of(row.as_of) == row.data_digest), default=None)


def refused_days(level: Path) -> set[date]:
    """The days on which a run has found anything, ever."""
    rows = read(level, LEDGER.c.step == "validate", LEDGER.c.verdict == "refused")
    return {date.fromisoformat(finding["day"]) for row in rows for finding in row.numbers["findings"]}


def verdicts_of_gate(level: Path, release: str = "") -> list[Row]:
    """The gate's rows, on one release if it is named."""
    of_release = [LEDGER.c.release == release] if release else []
    return read(level, LEDGER.c.step == "gate", *of_release)


def verdicts_of_runs(level: Path) -> list[Row]:
    """What runs found, in the order in which it was written: rows of validate, gate and judge."""
    return read(level, LEDGER.c.step.in_(("validate", "gate", "judge")))


def last_try_out(level: Path, release: str) -> Row | None:
    """The row of a release's last try-out in staging, or of what has failed it since; None if there is none."""
    told = or_(LEDGER.c.step == "stage", LEDGER.c.verdict.in_(("refused", "failed")))
    rows = read(level, LEDGER.c.release == release, told)
    return rows[-1] if rows else None


def rows_of(level: Path, *, step: str = "", as_of: date | None = None, release: str = "") -> list[Row]:
    """Rows of a step, of a day, about a release: each only if it is named."""
    wanted = {LEDGER.c.step: step, LEDGER.c.release: release, LEDGER.c.as_of: as_of.isoformat() if as_of else ""}
    return read(level, *(column == value for column, value in wanted.items() if value))


def read(level: Path, *conditions: ColumnElement[bool]) -> list[Row]:
    """Rows that meet all conditions, in the order in which they were written. For this module's questions."""
    with opened(level) as connection:
        query = select(LEDGER).where(*conditions).order_by(LEDGER.c.number)
        return [parse(row) for row in connection.execute(query).mappings()]


def ledger_exists(level: Path) -> bool:
    """True once a decision was written down."""
    return ledger_file(level).exists()


def damages(level: Path) -> list[str]:
    """What shows that the ledger was rewritten: rows whose hash is not theirs, rows that are missing. In words."""
    if not ledger_file(level).exists():
        return []
    with opened(level) as connection:
        rows = list(connection.execute(select(LEDGER).order_by(LEDGER.c.number)).mappings())
        written = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'ledger'").scalar() or 0
    found, previous = [], BEGINNING
    for row in rows:
        if row["previous"] != previous:
            found.append(f"row {row['number']} does not follow the row before it: one was taken out, or put in")
        elif row["hash"] != hash_of(previous, {name: row[name] for name in HASHED}):
            found.append(f"row {row['number']} was changed after it was written")
        previous = row["hash"]
    if written != len(rows):
        found.append(f"{written} rows were written, {len(rows)} are there")
    return found


def has_row(level: Path, row_hash: str) -> bool:
    """True if a row with this hash is in the ledger."""
    return bool(read(level, LEDGER.c.hash == row_hash))

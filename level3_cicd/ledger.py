"""The append-only ledger: one row per decision, with what was seen, the limits, the verdict and the reason.

SQLite refuses to change or delete a row, so what was live on a day is one query.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import Locked, MlopsError
from shared.places import write_atomically

if TYPE_CHECKING:
    from level3_cicd.tools.registry import Registered

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  recorded_at TEXT NOT NULL, as_of TEXT NOT NULL, step TEXT NOT NULL, verdict TEXT NOT NULL,
  reason TEXT NOT NULL, release TEXT NOT NULL, bundle_digest TEXT NOT NULL, data_digest TEXT NOT NULL,
  revision TEXT NOT NULL, actor TEXT NOT NULL, sequence INTEGER NOT NULL, numbers TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON ledger
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_removal BEFORE DELETE ON ledger
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""


@dataclass(frozen=True)
class Row:
    """A decision.

    step: validate, gate, judge (as the gate, of what is not to be registered), stage, deploy, rollback; at level 4
    also shadow, monitor. verdict: passed, refused, failed, unavailable (something needed did not answer), live; at
    level 4 also what was decided.
    revision: of the code that made the release, in rows after which one is live; else of the code that decided.
    sequence: the pointer's, in rows after which a release is live; 0 in all others.
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


@contextmanager
def opened(level: Path) -> Iterator[sqlite3.Connection]:
    """The level's ledger, created on first use; commits at the end. Raises MlopsError if it cannot be used."""
    level.mkdir(parents=True, exist_ok=True)
    path = level / "ledger.db"
    try:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            connection.executescript(SCHEMA)
            with connection:
                yield connection
    except sqlite3.IntegrityError:
        raise  # a trigger's word
    except sqlite3.DatabaseError as error:
        raise MlopsError(
            f"The ledger {path} cannot be used: {error}",
            fix="Look at the space left on its disk; if the file is damaged, bring it back from a backup.",
        ) from error


def append(level: Path, row: Row) -> Row:
    """Write a decision down."""
    values = plain(row)
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    with opened(level) as connection:
        connection.execute(f"INSERT INTO ledger ({names}) VALUES ({marks})", values)  # noqa: S608  our own column names
    return row


def read(level: Path, condition: str = "1", values: tuple = ()) -> list[Row]:
    """Rows in the order in which they were written."""
    columns = ", ".join(item.name for item in fields(Row))
    query = f"SELECT {columns} FROM ledger WHERE {condition} ORDER BY number"  # noqa: S608  our own conditions
    with opened(level) as connection:
        return [parse(row) for row in connection.execute(query, values)]


def plain(row: Row) -> dict[str, Any]:
    """A row as numbers and text."""
    return asdict(row) | {
        "as_of": row.as_of.isoformat(),
        "recorded_at": row.recorded_at.isoformat(),
        "numbers": json.dumps(row.numbers, default=str),
    }


def parse(row: sqlite3.Row | dict[str, Any]) -> Row:
    """A row as it was written."""
    values = dict(row)
    return Row(
        **values
        | {
            "as_of": date.fromisoformat(values["as_of"]),
            "recorded_at": datetime.fromisoformat(values["recorded_at"]),
            "numbers": json.loads(values["numbers"]),
        }
    )


def live_rows(level: Path) -> list[Row]:
    """The rows after which another release was live."""
    return read(level, "sequence > 0")


def release_before(level: Path, release: str) -> Row | None:
    """The last row after which another release than this one was live."""
    others = [row for row in live_rows(level) if row.release != release]
    return others[-1] if others else None


def validated_through(level: Path, as_of: date, digest_of: Callable[[date], str]) -> date | None:
    """The last day, at most `as_of`, through which a run found the data fit that is there now. None: no run has.

    digest_of: the data's digest through a day. Whatever the gate said: it is asked after the data has passed.
    """
    rows = read(level, "step = 'gate' AND as_of <= ? AND data_digest != ''", (as_of.isoformat(),))
    return max((row.as_of for row in rows if digest_of(row.as_of) == row.data_digest), default=None)


def refused_days(level: Path) -> set[date]:
    """The days on which a run has found anything, ever."""
    rows = read(level, "step = 'validate' AND verdict = 'refused'")
    return {date.fromisoformat(finding["day"]) for row in rows for finding in row.numbers["findings"]}


def day_reached(level: Path) -> date | None:
    """The last day of any decision."""
    return max((row.as_of for row in read(level)), default=None)


def live_on(level: Path, day: date) -> Row | None:
    """The decision that made live what answered customers on a day.

    A decision knows of days through its `as_of`, so it counts for customers from the day after.
    """
    rows = read(level, "sequence > 0 AND as_of < ?", (day.isoformat(),))
    return rows[-1] if rows else None


@contextmanager
def written_down(level: Path, row: Row) -> Iterator[None]:
    """Write a row down after its release was registered in the block; a kill in between leaves a note of the row."""
    write_atomically(registering_file(level), json.dumps(plain(row)).encode())
    try:
        yield
    except Locked:  # another run's release has this number
        registering_file(level).unlink()
        raise
    append(level, row)
    registering_file(level).unlink()


def write_down_registered(level: Path, releases: "dict[str, Registered]") -> None:
    """Write down the row of a release that is in the registry, if a kill came between the two."""
    file = registering_file(level)
    if not file.exists():
        return
    row = parse(json.loads(file.read_bytes()))
    known = releases.get(row.release)
    in_registry = known is not None and known.bundle_digest == row.bundle_digest
    of_it = "step = 'gate' AND release = ? AND bundle_digest = ?"
    if in_registry and not read(level, of_it, (row.release, row.bundle_digest)):
        reason = f"{row.reason}; written down by the next command, as the run was interrupted"
        append(level, replace(row, reason=reason))
    file.unlink()


def registering_file(level: Path) -> Path:
    """Where a gate's row is noted before its release is registered."""
    return level / "registering.json"

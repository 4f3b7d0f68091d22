"""The ledger's table: an SQLite file that refuses to change, replace or remove a row. The ledger opens it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, Text, create_engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.pool import NullPool

from shared.errors import MlopsError, UsageError
from shared.places import is_writable

FORMAT = 2


METADATA = MetaData()


LEDGER = Table(
    "ledger",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    *(Column(name, Text, nullable=False) for name in ("recorded_at", "as_of", "step", "verdict", "reason")),
    *(Column(name, Text, nullable=False) for name in ("release", "bundle_digest", "data_digest", "revision", "actor")),
    Column("sequence", Integer, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("numbers", "previous", "hash")),
    sqlite_autoincrement=True,
)


TRIGGERS = (
    "CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON ledger "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS no_removal BEFORE DELETE ON ledger "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    # SQLite does not call a replacement a removal.
    "CREATE TRIGGER IF NOT EXISTS no_replacement BEFORE INSERT ON ledger "
    "WHEN EXISTS (SELECT 1 FROM ledger WHERE number = NEW.number) "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
)


def ledger_file(level: Path) -> Path:
    """The path of a level's ledger."""
    return level / "ledger.db"


@contextmanager
def opened(level: Path) -> Iterator[Connection]:
    """A transaction on a level's ledger, which is created on first use.

    Raises MlopsError if it cannot be used, UsageError if another version wrote it.
    """
    path = ledger_file(level)
    if is_writable(level):
        level.mkdir(parents=True, exist_ok=True)
    database = engine(path)
    try:
        with database.begin() as connection:
            require_format(connection, path)
            yield connection
    except IntegrityError:
        raise  # a trigger's word
    except DatabaseError as error:
        raise MlopsError(
            f"The ledger {path} cannot be used: {error.orig}",
            fix="Look at the space left on its disk; if the file is damaged, bring it back from a backup.",
        ) from error
    finally:
        database.dispose()


def require_format(connection: Connection, path: Path) -> None:
    """Create the table in a new file. Raises UsageError for a ledger of another version."""
    found = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if found == FORMAT:
        return
    if found or connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar():
        older = "an older version; `mlops doctor --fix` sets it aside" if (found or 1) < FORMAT else "a newer version"
        raise UsageError(f"The ledger {path} was written by {older}.", fix="Use that version, or follow what it says.")
    METADATA.create_all(connection)
    for trigger in TRIGGERS:
        connection.exec_driver_sql(trigger)
    connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")


def engine(path: Path) -> Engine:
    """SQLite on a file; a transaction takes the file at its beginning, so that two appends never see one last row."""
    made = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)
    begin = "BEGIN IMMEDIATE" if is_writable(path.parent) else "BEGIN"
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
    return made


def connect(path: Path) -> Any:
    """A connection of SQLite's own, by path: no character of it is read as a part of an address.

    Where nothing can be written and there is no ledger, it is an empty one in memory: it is only looked at.
    """
    import sqlite3

    only_looked_at = not path.exists() and not is_writable(path.parent)
    return sqlite3.connect(":memory:" if only_looked_at else path, timeout=30, isolation_level=None)

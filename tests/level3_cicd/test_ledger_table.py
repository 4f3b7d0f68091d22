"""The ledger's file: a ledger that was rewritten is found, one of another version is refused."""

import shutil
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from level3_cicd.audit import audit
from level3_cicd.ledger import BEGINNING, Row, all_rows, append, damages, hash_of, plain
from level3_cicd.ledger_table import ledger_file, opened
from level3_cicd.registered import Registered
from shared.errors import MlopsError, UsageError
from shared.places import CHECKOUT
from shared.release.pointer import Pointer, write_pointer

DAY = date(2017, 6, 4)


@pytest.fixture
def level(tmp_path: Path) -> Path:
    append(tmp_path, Row(DAY, "gate", "passed", "all kept", "1.0", "digest"))
    live = append(tmp_path, Row(DAY, "deploy", "live", "the first", "1.0", "digest", sequence=1))
    append(tmp_path, Row(DAY, "gate", "refused", "worse", "1.1", "another"))
    write_pointer(tmp_path, Pointer("1.0", "bundles/1.0", "digest", 1, row=live.hash))
    return tmp_path


def without_triggers(level: Path, *statements: str) -> None:
    connection = sqlite3.connect(ledger_file(level))
    for name in ("no_change", "no_removal", "no_replacement"):
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def forge_all(level: Path) -> None:
    """Change a row, and compute the whole chain anew."""
    without_triggers(level, "UPDATE ledger SET reason = 'looked fine' WHERE number = 2")
    connection, previous = sqlite3.connect(ledger_file(level)), BEGINNING
    for number, row in enumerate(all_rows(level), start=1):
        anew = hash_of(previous, plain(row))
        connection.execute("UPDATE ledger SET previous = ?, hash = ? WHERE number = ?", (previous, anew, number))
        previous = anew
    connection.commit()
    connection.close()


def test_an_untouched_ledger_agrees_with_its_pointer(level: Path) -> None:
    assert damages(level) == []
    assert audit(level) == []
    assert audit(level / "nothing was decided here") == []


@pytest.mark.parametrize(
    ("rewrite", "told"),
    [
        (lambda level: without_triggers(level, "UPDATE ledger SET reason = 'x' WHERE number = 1"), "row 1 was changed"),
        (lambda level: without_triggers(level, "DELETE FROM ledger WHERE number = 2"), "row 3 does not follow"),
        (lambda level: without_triggers(level, "DELETE FROM ledger WHERE number = 3"), "3 rows were written, 2 are"),
        (forge_all, "the pointer to 1.0 bears row"),
    ],
)
def test_a_ledger_that_was_rewritten_is_found(level: Path, rewrite: Callable[[Path], None], told: str) -> None:
    rewrite(level)
    assert any(told in found for found in audit(level)), audit(level)


def test_a_pointer_that_names_another_release_than_its_row_is_found(level: Path) -> None:
    row = all_rows(level)[1]
    write_pointer(level, Pointer("1.1", "bundles/1.1", "another", 1, row=row.hash))
    assert "names 1.1, its row 1.0" in audit(level)[0]
    write_pointer(level, Pointer("1.0", "bundles/1.0", "digest", 1))
    assert "bears no row" in audit(level)[0]


@pytest.mark.parametrize(("version", "told"), [(99, "a newer version"), (1, "an older version")])
def test_a_ledger_of_another_version_is_refused(level: Path, version: int, told: str) -> None:
    connection = sqlite3.connect(ledger_file(level))
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(UsageError, match=told):
        all_rows(level)


def test_the_ledger_of_version_0_1_0_is_refused(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "tests" / "fixtures" / "v0.1.0" / "level3" / "ledger.db", tmp_path)
    with pytest.raises(UsageError, match="an older version"):
        all_rows(tmp_path)


def test_releases_in_the_registry_bear_the_row_of_their_verdict(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _, refused = all_rows(level)
    entries = {
        "1.0": Registered("1.0", "1", "passed", "digest", "", row=first.hash),
        "1.1": Registered("1.1", "2", "passed", "another", "", row=refused.hash),
        "1.2": Registered("1.2", "3", "passed", "third", "", row="0123456789abcdef"),
        "1.3": Registered("1.3", "4", "passed", "fourth", ""),
    }
    monkeypatch.setattr("level3_cicd.audit.has_registry", lambda level: True)
    monkeypatch.setattr("level3_cicd.tools.registry.registered", lambda level: entries)
    assert audit(level) == [
        "release 1.1 in the registry is passed, its row says refused of 1.1",
        "release 1.2 in the registry bears row 0123456789ab, which the ledger lacks",
        "release 1.3 in the registry bears no row of the ledger",
    ]


def test_a_level_that_has_decided_nothing_agrees_with_itself(tmp_path: Path) -> None:
    assert audit(tmp_path) == []


def test_a_damaged_ledger_on_a_disk_that_is_only_read_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("level3_cicd.ledger_table.is_writable", lambda folder: False)
    ledger_file(tmp_path).write_text("no database, whatever its name says")
    with pytest.raises(MlopsError, match=r"ledger\.db cannot be used"), opened(tmp_path):
        pass

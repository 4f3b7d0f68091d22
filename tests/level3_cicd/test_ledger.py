"""The ledger: rows are added and never changed, and what it is asked."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from level3_cicd.ledger import Row, append, live_on, read, refused_days, validated_through
from level3_cicd.ledger_table import opened


def test_a_row_of_the_ledger_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    append(tmp_path, Row(date(2017, 6, 4), "deploy", "live", "first", release="1.0", sequence=1))
    replaced = "INSERT OR REPLACE INTO ledger SELECT * FROM ledger"
    for statement in ("UPDATE ledger SET release = '6.6'", "DELETE FROM ledger", replaced):
        with pytest.raises(IntegrityError, match="append-only"), opened(tmp_path) as connection:
            connection.exec_driver_sql(statement)
    assert [row.release for row in read(tmp_path)] == ["1.0"]


def test_a_release_is_live_from_the_day_after_the_decision(tmp_path: Path) -> None:
    append(tmp_path, Row(date(2017, 6, 4), "deploy", "live", "", release="1.0", sequence=1))
    append(tmp_path, Row(date(2017, 6, 11), "gate", "passed", "", release="1.1"))
    append(tmp_path, Row(date(2017, 6, 11), "deploy", "live", "", release="1.1", sequence=2))
    live = {day: live_on(tmp_path, date(2017, 6, day)) for day in (4, 5, 11, 12)}
    assert {day: row and row.release for day, row in live.items()} == {4: None, 5: "1.0", 11: "1.0", 12: "1.1"}


def test_days_have_passed_as_long_as_they_are_what_they_were(tmp_path: Path) -> None:
    for day, digest in ((4, "of the 4th"), (11, "of the 11th"), (25, "of the 25th")):
        append(tmp_path, Row(date(2017, 6, day), "gate", "refused", "", data_digest=digest))
    for step in ("validate", "judge"):
        append(tmp_path, Row(date(2017, 6, 18), step, "refused", "", data_digest="of the 18th"))

    def unchanged(day: date) -> str:
        return f"of the {day.day}th"

    assert validated_through(tmp_path, date(2017, 6, 20), unchanged) == date(2017, 6, 11)
    assert validated_through(tmp_path, date(2017, 6, 25), unchanged) == date(2017, 6, 25)
    assert validated_through(tmp_path, date(2017, 6, 20), lambda day: "mended") is None


def test_refused_days_are_remembered(tmp_path: Path) -> None:
    findings = [{"day": "2017-06-05", "check": "unit"}, {"day": "2017-06-09", "check": "unit"}]
    append(tmp_path, Row(date(2017, 6, 9), "validate", "refused", "", numbers={"findings": findings}))
    assert refused_days(tmp_path) == {date(2017, 6, 5), date(2017, 6, 9)}

"""A level's own registry finds its files where the home is now; its errors come with a way out that fits."""

import sqlite3
from pathlib import Path

import pytest

from level3_cicd.tools.mlflow_client import find_artifacts_here, identity_of, talking_to_mlflow, tracking_uri
from shared.errors import DependencyDown
from shared.identity import know_home

TABLES = """
CREATE TABLE experiments (name TEXT, artifact_location TEXT);
CREATE TABLE runs (run_uuid TEXT, artifact_uri TEXT);
CREATE TABLE model_versions (source TEXT, storage_location TEXT);
"""


def places(level: Path) -> list[str]:
    """Every place of files that a registry notes."""
    with sqlite3.connect(level / "mlflow.db") as connection:
        queries = ("artifact_location FROM experiments", "artifact_uri FROM runs", "source FROM model_versions")
        return [row[0] for query in queries for row in connection.execute(f"SELECT {query} ORDER BY 1")]


@pytest.fixture
def level(tmp_path: Path) -> Path:
    """A registry that was made elsewhere, in a folder with odd letters."""
    level = tmp_path / "ho me 50%?#'" / "level3"
    level.mkdir(parents=True)
    with sqlite3.connect(level / "mlflow.db") as connection:
        connection.executescript(TABLES)
        connection.execute("INSERT INTO experiments VALUES ('recommender', 'file:///old%20home/level3/artifacts')")
        connection.execute("INSERT INTO experiments VALUES ('mine', 'file:///old%20home/level3/artifacts-of-mine')")
        connection.execute("INSERT INTO runs VALUES ('a', 'file:///old%20home/level3/artifacts/a/artifacts')")
        connection.execute("INSERT INTO runs VALUES ('b', 's3://bucket/b')")
        connection.execute("INSERT INTO model_versions VALUES ('file:///old%20home/level3/artifacts/a/m', NULL)")
    return level


def test_files_are_looked_for_where_the_home_is_now(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLOPS_MLFLOW_URI", raising=False)
    find_artifacts_here(level)
    here = (level / "artifacts").as_uri()
    others = ["file:///old%20home/level3/artifacts-of-mine", "s3://bucket/b"]
    assert sorted(places(level)) == sorted([here, f"{here}/a/artifacts", f"{here}/a/m", *others])
    moved = level.parent.rename(level.parent.with_name("moved")) / "level3"
    find_artifacts_here(moved)
    here = (moved / "artifacts").as_uri()
    assert sorted(places(moved)) == sorted([here, f"{here}/a/artifacts", f"{here}/a/m", *others])


def test_a_registry_that_the_user_names_is_left_as_it_is(level: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_MLFLOW_URI", tracking_uri(level))
    before = (level / "mlflow.db").read_bytes()
    find_artifacts_here(level)
    assert (level / "mlflow.db").read_bytes() == before


def test_a_copy_has_an_identity_of_its_own_on_a_server_that_is_shared(tmp_path: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "copy"]
    for home in homes:
        (home / "level3").mkdir(parents=True)
    know_home(homes[0])
    (homes[1] / "home.json").write_bytes((homes[0] / "home.json").read_bytes())
    know_home(homes[1])
    names = {identity_of(home / level) for home in homes for level in ("level3", "level4")}
    assert len(names) == 4


@pytest.mark.parametrize(
    ("told", "way_out"),
    [
        ("(sqlite3.OperationalError) database is locked", "Another program holds its database"),
        ("Detected out-of-date database schema", "mlflow db upgrade"),
        ("file is not a database", "from a backup"),
        ("attempt to write a readonly database", "who may write"),
        ("The experiment 1 must be in the 'active' state", "in the trash"),
        ("Connection refused", "Start MLflow again"),
    ],
)
def test_the_way_out_fits_the_reason(told: str, way_out: str) -> None:
    with pytest.raises(DependencyDown, match="The registry does not answer") as error, talking_to_mlflow():
        raise sqlite3.OperationalError(told)
    assert way_out in error.value.fix

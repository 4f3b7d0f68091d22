"""The copy of the live release that a pull request is compared with; GitHub is stood in for."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from level3_cicd.tools import live_copy
from level3_cicd.tools.live_copy import offer, take
from shared.errors import MlopsError, UsageError
from shared.model.popular import Popular
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import is_sound
from shared.release.pointer import Pointer, read_pointer, write_pointer


@pytest.fixture
def offered(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> Path:
    """What a deployment has offered."""
    level = tmp_path / "production"
    model = Popular().fit(transactions)
    digest = write_bundle(level / "bundles" / "1.4", model, products, Evidence("data", "code"))
    write_pointer(level, Pointer("1.4", "bundles/1.4", digest, 7, "histories/x", "y"))
    offer(level, tmp_path / "offered")
    return tmp_path / "offered"


def artifact(run: int, branch: str = "main", fork: bool = False, expired: bool = False) -> dict:
    of = {"id": run, "head_branch": branch, "repository_id": 1, "head_repository_id": 2 if fork else 1}
    return {"expired": expired, "workflow_run": of}


def github(monkeypatch: pytest.MonkeyPatch, folder: Path, listing: list[dict]) -> list[str]:
    """Stands in for GitHub's command line; returns the runs that were downloaded from."""
    downloaded: list[str] = []

    def ask(*words: str) -> str:
        if words[0] == "run":
            downloaded.append(words[2])
            shutil.copytree(folder, words[-1], dirs_exist_ok=True)
        return json.dumps({"artifacts": listing})

    monkeypatch.setattr(live_copy, "ask", ask)
    return downloaded


def test_the_newest_copy_of_mains_deployments_is_taken(
    offered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = [artifact(9, fork=True), artifact(8, branch="idea"), artifact(7, expired=True), artifact(6), artifact(5)]
    downloaded = github(monkeypatch, offered, listing)
    level = tmp_path / "level3"
    assert take(level, "shop/recommender") == "compared with a copy of the live release 1.4"
    assert downloaded == ["6"]
    pointer = read_pointer(level)
    assert pointer
    assert is_sound(level / pointer.bundle, pointer.bundle_digest)
    assert (pointer.release, pointer.histories) == ("1.4", "")


@pytest.mark.parametrize("listing", [[], [artifact(9, fork=True)], [artifact(7, expired=True)]])
def test_without_a_copy_it_says_so(
    offered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: list[dict]
) -> None:
    github(monkeypatch, offered, listing)
    told = take(tmp_path / "level3", "shop/recommender")
    assert told == "not compared with a live release: no deployment has offered a copy, or it has expired"
    assert not (tmp_path / "level3" / "live.json").exists()


def test_a_copy_that_was_changed_is_not_compared_with(
    offered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    github(monkeypatch, offered, [artifact(6)])
    with (offered / "bundles" / "1.4" / "parameters.npz").open("ab") as file:
        file.write(b"more")
    assert take(tmp_path / "level3", "shop/recommender").startswith("not compared with a live release: ")
    assert read_pointer(tmp_path / "level3") is None


def test_without_a_token_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GH_TOKEN", raising=False)
    with pytest.raises(MlopsError, match="no token"):
        live_copy.ask("api", "x")


def test_a_home_with_a_live_release_is_left_alone(offered: Path) -> None:
    with pytest.raises(UsageError, match="of its own"):
        take(offered, "shop/recommender")

"""The release to go back to, what was rolled back, and the histories that go with a release."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from level3_cicd.ledger import Row
from level3_cicd.rollout.store import pointer_to, rolled_back, row_before, with_later_histories
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import verify
from shared.release.mapped import write_histories
from shared.release.pointer import Pointer, point_to

DAY = date(2017, 6, 4)


def lived(*said: str) -> list[Row]:
    """Rows of a ledger: `1.0` was deployed, `<1.0` was gone back to, `!1.0` failed on the live service."""
    rows = []
    for number, words in enumerate(said, start=1):
        release = words.strip("<!")
        step = "rollback" if words.startswith("<") else "deploy"
        failed = words.startswith("!")
        row = Row(DAY, step, "failed" if failed else "live", "", release, f"digest of {release}")
        rows.append(replace(row, sequence=0 if failed else number))
    return rows


@pytest.mark.parametrize(
    ("rows", "before"),
    [
        (lived(), None),
        (lived("1.0"), None),
        (lived("1.0", "1.1"), "1.0"),
        (lived("1.0", "1.1", "1.2", "<1.1"), "1.0"),
        (lived("1.0", "1.1", "<1.0"), None),
        (lived("1.0", "1.1", "<1.0", "1.2"), "1.0"),
        (lived("1.0", "1.1", "1.0"), "1.1"),
        (lived("1.0", "1.1", "<1.1"), "1.0"),
        (lived("1.1", "<1.0"), "1.1"),
    ],
)
def test_the_release_to_go_back_to_is_the_one_that_led_to_what_is_live(rows: list[Row], before: str | None) -> None:
    found = row_before(rows)
    assert (found.release if found else None) == before


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        (lived("1.0", "1.1"), set()),
        (lived("1.0", "1.1", "<1.0"), {"1.1"}),
        (lived("1.0", "1.1", "1.2", "<1.1", "<1.0"), {"1.1", "1.2"}),
        (lived("1.0", "!1.1", "<1.0"), {"1.1"}),
        (lived("1.0", "1.1", "<1.0", "1.1"), set()),
        (lived("1.0", "1.1", "1.0"), set()),
    ],
)
def test_what_was_rolled_back_is_known_until_it_is_live_again(rows: list[Row], left: set[str]) -> None:
    assert {release for release, _ in rolled_back(rows)} == left


@pytest.fixture
def level(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> Path:
    write_bundle(tmp_path / "bundles" / "1.0", Frecency().fit(transactions), products, Evidence("data", "code"))
    return tmp_path


def refreshed(level: Path, transactions: pd.DataFrame, through: date) -> Pointer:
    """What is live has histories through a day, written apart from its release."""
    model = Frecency().fit(transactions).refresh(transactions, as_of=through)
    digest = write_histories(level / "refreshed", model.histories_)
    pointer = pointer_to("1.0", verify(level / "bundles" / "1.0"))
    return point_to(level, replace(pointer, histories="refreshed", histories_digest=digest))


@pytest.mark.parametrize(("through", "kept"), [(date(2017, 2, 12), "refreshed"), (date(2017, 1, 30), "")])
def test_the_later_of_two_histories_goes_live(
    level: Path, transactions: pd.DataFrame, through: date, kept: str
) -> None:
    refreshed(level, transactions, through)
    bundle = verify(level / "bundles" / "1.0")
    assert with_later_histories(pointer_to("1.0", bundle), bundle, level).histories == kept


def test_damaged_live_histories_do_not_keep_a_release_from_going_live(level: Path, transactions: pd.DataFrame) -> None:
    refreshed(level, transactions, date(2017, 2, 12))
    (level / "refreshed" / "days.npy").write_bytes(b"cut")
    bundle = verify(level / "bundles" / "1.0")
    assert with_later_histories(pointer_to("1.0", bundle), bundle, level) == pointer_to("1.0", bundle)

"""Level 1 passes identifiers through a CSV: they come back as they were."""

import sys
from pathlib import Path

import pytest

from level1_manual import prepare, train
from shared.columns import CUSTOMER, NAME, PRODUCT, TIME
from shared.dataset.writing import write_feed
from tests.conftest import make_products, make_transactions

ODD = ["007", "7", "NA", "None", "910000000000000001", "1e5", "nan", "7.0"]


def test_odd_identifiers_survive_the_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    names = {f"c{number:02}": odd for number, odd in enumerate(ODD)}
    codes = {f"p{number:02}": odd for number, odd in enumerate(ODD)}
    rows = make_transactions().replace({CUSTOMER: names, PRODUCT: codes})
    write_feed(tmp_path / "shop", rows, make_products().replace({PRODUCT: codes}), name="odd")
    monkeypatch.setattr(sys, "argv", ["prepare", "--as-of", "2017-02-09"])
    prepare.main()
    read = train.read_transactions()
    assert set(read[CUSTOMER]) == set(rows[CUSTOMER])
    assert set(read[PRODUCT]) == set(rows[PRODUCT])
    assert read[TIME].tolist() == sorted(rows[TIME])
    catalogue = train.read_csv(train.PRODUCTS, [PRODUCT, NAME])
    assert set(ODD) <= set(catalogue[PRODUCT])

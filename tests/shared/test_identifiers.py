"""There is one definition of an identifier: an import, the checks and the service's contract agree on every text."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from shared.columns import CUSTOMER
from shared.dataset.checks import check_day
from shared.identifiers import LONGEST_ID, is_identifier
from shared.importing.mapping import Mapping
from shared.importing.shop_import import Source, import_shop
from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, golden_lists, write_bundle
from shared.service.contract import Customer
from tests.conftest import make_products, make_transactions

TEXTS = ["7", "007", "NA", "a b", "a\x00", "a\x1b[31m", "a\x7f", "a\x9bb", "\t", "é", "😀", "x" * LONGEST_ID, "x" * 129]


def contract_takes(text: str) -> bool:
    """Whether the service's contract takes a customer."""
    try:
        TypeAdapter(Customer).validate_python(text)
    except ValidationError:
        return False
    return True


def checks_pass(text: str) -> bool:
    """Whether the checks of a day let a customer pass."""
    rows = make_transactions(days=1).assign(**{CUSTOMER: text})
    found = check_day(rows.head(1), date(2017, 1, 1), pd.Index([]), None)
    return found.empty


def import_takes(text: str, folder: Path) -> bool:
    """Whether an import takes a customer."""
    (folder / "a.csv").write_text(f'who,what,when\n"{text}",a,2017-05-01\nb,a,2017-05-01\n', newline="")
    source = Source(folder / "a.csv", Mapping("who", "what", "when"))
    return import_shop(source, folder / "shop", accept_loss=True).taken == 2


@pytest.mark.parametrize("text", TEXTS)
def test_all_agree(tmp_path: Path, text: str) -> None:
    expected = is_identifier(text)
    assert contract_takes(text) == checks_pass(text) == import_takes(text, tmp_path) == expected


def test_old_days_that_hold_a_faulty_customer_keep_no_release_from_its_smoke_test() -> None:
    rows = make_transactions()
    rows.loc[rows[CUSTOMER] == "c00", CUSTOMER] = "\x00c"
    asked = golden_lists(Frecency().fit(rows))
    assert len(asked) == 20
    assert all(is_identifier(customer) for customer in asked)


def test_a_long_name_does_not_blow_a_bundle_up(tmp_path: Path) -> None:
    products = make_products()
    products.loc[0, "product_name"] = "x" * 1_000_000
    write_bundle(tmp_path / "1.0", Frecency().fit(make_transactions()), products, Evidence("data", "code"))
    assert (tmp_path / "1.0" / "catalogue.npz").stat().st_size < 50_000

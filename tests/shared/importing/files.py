"""Files as strangers write them, and shops that are made of them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from shared.columns import PRODUCT
from shared.dataset.feed import Feed
from shared.importing.days_added import add_days
from shared.importing.evidence import Evidence
from shared.importing.mapping import Mapping
from shared.importing.report import Report
from shared.importing.shop_import import Source, import_shop

MAPPING = Mapping("cust", "prod", "time", basket="inv", quantity="qty", price="price", name="name")
HEADER = "cust,prod,time,inv,qty,price,name"
FEW = Mapping("cust", "prod", "time")
PLAIN = Mapping("c", "p", "t", quantity="q", price="x", basket="b")
LATEST = date(2026, 1, 1)


def csv(path: Path, rows: list[str], header: str = HEADER, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join([header, *rows, ""]), encoding=encoding)
    return path


def rows(many: int = 20, **values: Callable[[int], Any] | str) -> list[str]:
    """Rows of the columns of HEADER; `values` says what some of them hold."""
    usual: dict[str, Any] = {
        "cust": lambda at: f"C{at % 5}",
        "prod": lambda at: f"P{at % 7}",
        "time": lambda at: f"2017-03-{1 + at % 5:02} 10:{at % 60:02}:00",
        "inv": lambda at: str(500 + at),
        "qty": "1",
        "price": lambda at: f"{2 + at % 5}.95",
        "name": lambda at: f"Thing {at % 7}",
    }
    columns = {**usual, **values}
    return [",".join(str(cell(at) if callable(cell) else cell) for cell in columns.values()) for at in range(many)]


def taken(shop: Path) -> pd.DataFrame:
    feed = Feed(shop)
    return feed.through(feed.last_day)


def bring(path: Path, mapping: Mapping = MAPPING, **how: Any) -> tuple[Report, pd.DataFrame]:
    """Import a file; its report and the rows of the shop."""
    shop = path.parent / "shop"
    return import_shop(Source(path, mapping), shop, **how), taken(shop)


def with_catalogue(tmp_path: Path, lines: list[str], written: str = "utf-8", **how: Any) -> tuple[Report, pd.DataFrame]:
    """A shop of seven products with a catalogue that has a header and these lines."""
    file = csv(tmp_path / "a.csv", rows())
    catalogue = csv(tmp_path / "products.csv", lines, header="id,name,group", encoding=written)
    report = import_shop(Source(file, MAPPING, products=catalogue, **how), tmp_path / "shop")
    return report, Feed(tmp_path / "shop").products().set_index(PRODUCT)


def grown(tmp_path: Path, first: list[str], later: list[str], **how: Any) -> pd.DataFrame:
    """A shop of some rows after a later file with others."""
    bring(csv(tmp_path / "first.csv", first))
    add_days(csv(tmp_path / "later.csv", later), tmp_path / "shop", **how)
    return taken(tmp_path / "shop")


def april(**values: Any) -> list[str]:
    return rows(60, **{"time": lambda at: f"2017-04-{1 + at % 5:02} 10:00:00", **values})


def seen(mapping: Mapping, **columns: list[Any]) -> Evidence:
    """The evidence of a file with these columns; the others hold one value."""
    size = len(next(iter(columns.values())))
    usual = {"customer": ["a"] * size, "product": ["p"] * size, "time": ["2017-03-01"] * size}
    evidence = Evidence()
    evidence.look({name: pa.array(values) for name, values in {**usual, **columns}.items()}, np.arange(size), mapping)
    return evidence

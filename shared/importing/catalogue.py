"""The products of an import: a catalogue that came with it, or one made from the rows. Pure, but for reading a file."""

import re
from collections import Counter
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from shared.columns import DEPARTMENT, NAME, PRODUCT, PRODUCTS, UNKNOWN
from shared.errors import CheckFailed
from shared.identifiers import is_identifier
from shared.importing.exports import LINE, REASON, Export
from shared.importing.mapping import Mapping
from shared.importing.report import BROKEN, MOST_LOST
from shared.importing.texts import as_text, names, replaced, to_series
from shared.text import count, listed, one_line

# How what is sold beside the products is called; it teaches nothing about what somebody wants.
NO_PRODUCTS = re.compile(
    r"\b(postage|porto|versand\w*|shipping|freight|carriage|delivery|bank charges?|fees?|geb(ü|ue)hr\w*|commission|"
    r"samples?|muster|manual|discount|rabatt|adjust\w*|deposit|pfand|voucher|gutschein|gift ?card|amazon ?fee|"
    r"bad debt|cruk|dotcom|test|tip|rounding)\b",
    re.IGNORECASE,
)
# If this share of the products' identifiers has a digit in it, one without any is suspicious.
USUALLY_NUMBERED = 0.9
MOST_CANDIDATES = 20
Names = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Catalogue:
    """A catalogue that came in a file: each product once, PRODUCTS; and what is to be said of it."""

    products: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_catalogue(
    export: Export, mapping: Mapping, identifier: str | None, name: str | None, department: str | None
) -> Catalogue:
    """A catalogue from its file. Columns that are not named are guessed, and said.

    Raises CheckFailed if many of its lines have more or fewer fields than its header.
    """
    export.require([identifier, name, department])
    first = identifier or export.columns[0]
    name = name or guess_column(export.columns, first, ("name", "desc", "title")) or first
    department = department or guess_column(export.columns, first, ("department", "category", "group"))
    export.require([first, name, department])
    chunks = list(export)
    tables, broken = [chunk.table for chunk in chunks], sum(len(chunk.broken) for chunk in chunks)
    require_whole(export.path.name, [chunk.broken for chunk in chunks if len(chunk.broken)], sum(map(len, tables)))

    def column(named: str) -> pa.Array:
        parts = [as_text(table.column(export.place(named))) for table in tables]
        return pa.concat_arrays(parts) if parts else pa.nulls(0, pa.string())

    keys = replaced(column(first), mapping.missing or (), mapping.drops_point_zero("product"))
    products = pd.DataFrame({PRODUCT: to_series(keys), NAME: to_series(pc.coalesce(names(column(name)), keys))})
    products[DEPARTMENT] = to_series(names(column(department))).fillna(UNKNOWN) if department else UNKNOWN
    products = products.dropna(subset=PRODUCT).drop_duplicates()[PRODUCTS]
    twice = products.loc[products[PRODUCT].duplicated(), PRODUCT].nunique()
    products = products.drop_duplicates(PRODUCT)
    usable = products[PRODUCT].map(is_identifier).astype(bool)
    read = f"the catalogue: {first!r} is the product, {name!r} its name"
    notes = [f"the catalogue's {note.removeprefix('the ')}" for note in export.notes]
    notes.append(f"{read}, {department!r} its department" if department else f"{read}; it tells no departments")
    notes += [f"the catalogue names {count(twice, 'product')} in several ways: the first one counts"] if twice else []
    notes += [f"{count(broken, 'line')} of the catalogue left out: {BROKEN}"] if broken else []
    return Catalogue(products[usable].sort_values(PRODUCT, ignore_index=True), tuple(notes))


def require_whole(name: str, broken: list[pd.DataFrame], read: int) -> None:
    """Raise CheckFailed if more of a catalogue's lines cannot be read than may be without a word."""
    lost = sum(map(len, broken))
    if lost > MOST_LOST * (lost + read):
        line, reason = broken[0][LINE].iloc[0], broken[0][REASON].iloc[0]
        raise CheckFailed(
            f"{count(lost, 'line')} of {lost + read:,} of the catalogue {name} cannot be read, such as "
            f"{one_line(line)[:80]!r}: {reason}.",
            fix=f"{BROKEN.capitalize()}.",
        )


def compare_catalogue(catalogue: Catalogue, name: str, seen: Names) -> list[str]:
    """What to say of a catalogue and the products that were sold. Raises CheckFailed if it has none of them."""
    sold = {product for product, _ in seen}
    if not sold:
        return []
    known = len(sold & set(catalogue.products[PRODUCT]))
    if not known:
        shown = listed([repr(product) for product in catalogue.products[PRODUCT].head(3)]) or "nothing"
        raise CheckFailed(
            f"None of the {len(sold):,} products that were sold is in the catalogue {name}: it has {shown}, and sold "
            f"were {listed([repr(product) for product in sorted(sold)[:3]])}.",
            fix="Pass its column with the product as --products-id, or leave --products out.",
        )
    return [f"the catalogue has {known:,} of the {len(sold):,} products that were sold"]


def guess_column(columns: list[str], taken: str, words: tuple[str, ...]) -> str | None:
    """The first column, but for the one that is taken, whose name holds one of the words.

    >>> guess_column(["product_id", "Product name"], "product_id", ("name",))
    'Product name'
    """
    return next((name for name in columns if name != taken and any(word in name.lower() for word in words)), None)


def products_from(seen: Names) -> pd.DataFrame:
    """A catalogue from the rows themselves: each product under its most frequent name; departments are unknown."""
    rows = sorted((product, name == product, -rows, name) for (product, name), rows in seen.items())
    products = pd.DataFrame([(product, name, UNKNOWN) for product, *_, name in rows], columns=PRODUCTS)
    return products.drop_duplicates(PRODUCT, ignore_index=True)


def candidates(seen: Names) -> list[str]:
    """Products that may be none, such as postage, the most frequent ones first.

    >>> candidates(Counter({("85048", "Glass ball"): 9, ("POST", "Postage"): 5, ("22423", "Cake stand"): 3}))
    ["POST 'Postage' (5 rows)"]
    """
    numbered = {product for product, _ in seen if any(mark.isdigit() for mark in product)}
    usual = len(numbered) >= USUALLY_NUMBERED * len({product for product, _ in seen}) and len(numbered) > 1
    found = [
        f"{product} {name!r} ({count(rows, 'row')})"
        for (product, name), rows in seen.most_common()
        if NO_PRODUCTS.fullmatch(product)
        or (usual and product not in numbered)
        or (name != product and NO_PRODUCTS.search(name) and len(name.split()) <= 2)
    ]
    return found[:MOST_CANDIDATES]

"""A release opened and written: the model that its files hold. What the files are is in `manifest.py`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from shared.columns import CUSTOMER, NAME, PRODUCT
from shared.errors import IntegrityError
from shared.identifiers import is_identifier
from shared.model.by_name import MODELS
from shared.model.histories import Histories, positions, to_bytes
from shared.model.popular import Popular
from shared.places import write_atomically
from shared.release.manifest import (
    FORMAT,
    GOLDEN_K,
    HISTORIES,
    HISTORIES_MANIFEST,
    MANIFEST,
    NOBODY,
    Verified,
    digest_of,
    open_manifest,
    read_small,
    sha256,
    verified_contents,
    verify_histories,
)
from shared.release.mapped import open_histories, write_histories
from shared.release.packed import pack, unpack
from shared.release.provenance import lock_digest
from shared.text import one_line

GOLDEN_CUSTOMERS = 20


@dataclass(frozen=True)
class Bundle(Verified):
    """An opened, verified release."""

    model: Popular
    names: Mapping[str, str]


@dataclass(frozen=True)
class Evidence:
    """What a release's manifest says of its making."""

    data_digest: str
    revision: str
    metrics: dict[str, float] = field(default_factory=dict)


def write_bundle(folder: Path, model: Popular, products: pd.DataFrame, evidence: Evidence) -> str:
    """Write a release to a new folder and return the bundle's digest. A kill leaves no manifest."""
    folder.mkdir(parents=True)
    contents = {
        "parameters.npz": pack(model.parameters()),
        "catalogue.npz": pack(catalogue_arrays(model, products)),
    }
    for name, content in contents.items():
        write_atomically(folder / name, content)
    write_histories(folder / HISTORIES, model.histories_, evidence.data_digest)
    contents[HISTORIES_MANIFEST] = read_small(folder / HISTORIES_MANIFEST)
    manifest = {
        "format": FORMAT,
        "kind": model.kind,
        "config": model.get_params(),
        "training": model.evidence(),
        "trained_through": model.trained_through_.isoformat(),
        "histories_through": model.histories_.day.isoformat(),
        "data_digest": evidence.data_digest,
        "revision": evidence.revision,
        "lock": lock_digest(),
        "metrics": evidence.metrics,
        "golden": golden_lists(model),
        "files": {name: {"sha256": sha256(body), "bytes": len(body)} for name, body in contents.items()},
    }
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return digest_of(folder)


def golden_lists(model: Popular) -> dict[str, list[str]]:
    """What some customers, and one whom nobody knows, are recommended: what a service on this model must answer."""
    known = (name.decode() for name in model.histories_.customers)
    # Old days may hold what is no identifier by now: the service refuses to be asked for it.
    asked = [*islice(filter(is_identifier, known), GOLDEN_CUSTOMERS), NOBODY]
    lists = model.recommend(asked, GOLDEN_K)
    return {customer: lists.loc[lists[CUSTOMER] == customer, PRODUCT].tolist() for customer in asked}


def catalogue_arrays(model: Popular, products: pd.DataFrame) -> dict[str, np.ndarray]:
    """Identifier and name of every product that the model may recommend.

    All names take as much room as the longest one does, so none may be longer than a line.
    """
    known, identifiers = to_bytes(products[PRODUCT])
    names = np.empty(len(identifiers), dtype=object)
    names[known] = products[NAME].to_numpy()
    wanted = np.union1d(model.products_, model.histories_.products)
    named = np.isin(identifiers, wanted)
    encoded = np.array([one_line(str(name)).encode() for name in names[named]], dtype=np.bytes_)
    return {"product": identifiers[named], "name": encoded}


def open_bundle(folder: Path, expected_digest: str | None = None, histories: Histories | None = None) -> Bundle:
    """A release from its folder, after every file was verified; with later `histories`, if there are any.

    Raises IntegrityError if a file is damaged, missing, extra, a link, or not the expected bundle.
    """
    verified = open_manifest(folder, expected_digest)
    manifest, contents = verified.manifest, verified_contents(folder, verified.manifest)
    if manifest["kind"] not in MODELS:
        raise IntegrityError(f"{folder} holds a model of an unknown kind.", fix="Train again.")
    if histories:
        verify_histories(folder / HISTORIES, verified.histories_digest)
    try:
        return Bundle(
            model=restore(manifest, contents["parameters.npz"]).with_histories(
                histories or open_histories(folder / HISTORIES, verified.histories_digest)
            ),
            names=read_names(contents["catalogue.npz"]),
            manifest=manifest,
            digest=verified.digest,
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise IntegrityError(f"The bundle in {folder} verifies but does not hold a model: {error}") from error


def restore(manifest: dict[str, Any], parameters: bytes) -> Popular:
    """The trained model that a bundle's verified contents describe, without histories yet."""
    model = MODELS[manifest["kind"]](**manifest["config"])
    model.with_parameters(unpack(parameters, "parameters.npz"))
    model.trained_through_ = date.fromisoformat(manifest["trained_through"])
    return model


class Names(Mapping[str, str]):
    """Product names by identifier, looked up in sorted arrays, so that opening a release makes no dictionary."""

    def __init__(self, product: np.ndarray, name: np.ndarray) -> None:
        if product.shape != name.shape or product.ndim != 1:
            raise ValueError("there are not as many names as products")
        self._product, self._name = product, name

    def __getitem__(self, product: str) -> str:
        at = positions(self._product, np.array([product.encode()]))[0]
        if at < 0:
            raise KeyError(product)
        return str(self._name[at].decode())

    def __iter__(self) -> Iterator[str]:
        return (product.decode() for product in self._product)

    def __len__(self) -> int:
        return len(self._product)


def read_names(content: bytes) -> Names:
    """Product names by product identifier."""
    arrays = unpack(content, "catalogue.npz")
    return Names(arrays["product"], arrays["name"])

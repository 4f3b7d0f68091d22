"""A release opened and written: the model that its files hold. What the files are is in `manifest.py`."""

import io
import json
import zipfile
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
from shared.model.histories import Histories, to_bytes
from shared.model.popular import Popular
from shared.places import write_atomically
from shared.release.manifest import FORMAT, GOLDEN_K, Verified, digest_of, read_manifest, sha256, verified_contents
from shared.release.provenance import lock_digest
from shared.text import one_line

GOLDEN_CUSTOMERS = 20
NOBODY = "a customer whom nobody knows"


@dataclass(frozen=True)
class Bundle(Verified):
    """An opened, verified release."""

    model: Popular
    names: dict[str, str]


@dataclass(frozen=True)
class Evidence:
    """What a release's manifest says of its making."""

    data_digest: str
    revision: str
    metrics: dict[str, float] = field(default_factory=dict)


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as an uncompressed npz; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(content: bytes, where: str) -> dict[str, np.ndarray]:
    """The arrays of an npz. Raises IntegrityError for pickles, compression and sizes that are not there."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content):
                    raise IntegrityError(f"{where}: {entry.filename} is compressed or claims an absurd size.")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise IntegrityError(f"{where} is not a plain npz file: {error}") from error


def write_bundle(folder: Path, model: Popular, products: pd.DataFrame, evidence: Evidence) -> str:
    """Write a release to a new folder and return the bundle's digest. A kill leaves no manifest."""
    folder.mkdir(parents=True)
    contents = {
        "parameters.npz": pack(model.parameters()),
        "histories.npz": pack(model.histories_.arrays()),
        "catalogue.npz": pack(catalogue_arrays(model, products)),
    }
    for name, content in contents.items():
        write_atomically(folder / name, content)
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
    write_atomically(folder / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode())
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


def open_bundle(folder: Path, expected_digest: str | None = None) -> Bundle:
    """A release from its folder, after every file was verified.

    Raises IntegrityError if a file is damaged, missing, extra, a link, or not the expected bundle.
    """
    manifest = read_manifest(folder, expected_digest)
    contents = verified_contents(folder, manifest)
    if str(manifest.get("kind")) not in MODELS:
        raise IntegrityError(f"{folder} holds a model of an unknown kind.", fix="Train again.")
    try:
        return Bundle(
            model=restore(manifest, contents),
            names=read_names(contents["catalogue.npz"]),
            manifest=manifest,
            digest=digest_of(folder),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise IntegrityError(f"The bundle in {folder} verifies but does not hold a model: {error}") from error


def restore(manifest: dict[str, Any], contents: dict[str, bytes]) -> Popular:
    """The fitted model that a bundle's verified contents describe."""
    model = MODELS[manifest["kind"]](**manifest["config"])
    model.with_parameters(unpack(contents["parameters.npz"], "parameters.npz"))
    model.trained_through_ = date.fromisoformat(manifest["trained_through"])
    return model.with_histories(unpack_histories(contents["histories.npz"]))


def unpack_histories(content: bytes) -> Histories:
    """Histories from the bytes of their file."""
    try:
        return Histories(**unpack(content, "histories.npz"))
    except TypeError as error:
        raise IntegrityError(f"histories.npz does not hold histories: {error}") from error


def read_names(content: bytes) -> dict[str, str]:
    """Product names by product identifier."""
    arrays = unpack(content, "catalogue.npz")
    product, name = (np.char.decode(arrays[column], "utf-8").tolist() for column in ("product", "name"))
    return dict(zip(product, name, strict=True))

"""A release as data-only files in a folder, with a manifest of their hashes.

    manifest.json     release, kind, days, metrics, revision, and SHA-256 and size of every other file
    parameters.npz    what was trained
    histories.npz     the customers' histories that came with it
    catalogue.npz     product identifiers and names

Nothing in a bundle is code: opening one cannot run anything. `open_bundle` verifies every byte first.
"""

import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from shared.columns import NAME, PRODUCT
from shared.errors import IntegrityError
from shared.histories import Histories, to_bytes
from shared.kinds import MODELS
from shared.model import Popular
from shared.places import write_atomically
from shared.revision import lock_digest

FORMAT = 2
FILES = ("parameters.npz", "histories.npz", "catalogue.npz")
LARGEST_FILE = 4 << 30
LARGEST_MANIFEST = 1 << 20


@dataclass(frozen=True)
class Bundle:
    """An opened, verified release."""

    model: Popular
    names: dict[str, str]
    manifest: dict[str, Any]
    digest: str

    @property
    def release(self) -> str:
        """Its number, such as `1.2`."""
        return str(self.manifest["release"])

    @property
    def trained_through(self) -> date:
        """The last day that its parameters know of."""
        return date.fromisoformat(self.manifest["trained_through"])

    @property
    def histories_digest(self) -> str:
        """The digest of the histories that came with it."""
        return str(self.manifest["files"]["histories.npz"]["sha256"])


@dataclass(frozen=True)
class Evidence:
    """What a release's manifest says of its making."""

    release: str
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
        "release": evidence.release,
        "kind": model.kind,
        "config": model.get_params(),
        "trained_through": model.trained_through_.isoformat(),
        "histories_through": model.histories_.day.isoformat(),
        "data_digest": evidence.data_digest,
        "revision": evidence.revision,
        "lock": lock_digest(),
        "metrics": evidence.metrics,
        "files": {name: {"sha256": sha256(body), "bytes": len(body)} for name, body in contents.items()},
    }
    write_atomically(folder / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode())
    return digest_of(folder)


def catalogue_arrays(model: Popular, products: pd.DataFrame) -> dict[str, np.ndarray]:
    """Identifier and name of every product that the model may recommend."""
    known, identifiers = to_bytes(products[PRODUCT])
    names = np.empty(len(identifiers), dtype=object)
    names[known] = products[NAME].to_numpy()
    wanted = np.union1d(model.products_, model.histories_.products)
    named = np.isin(identifiers, wanted)
    encoded = np.array([str(name).encode() for name in names[named]], dtype=np.bytes_)
    return {"product": identifiers[named], "name": encoded}


def open_bundle(folder: Path, expected_digest: str | None = None) -> Bundle:
    """A release from its folder, after every file was verified.

    Raises IntegrityError if a file is damaged, missing, extra, a link, or not the expected bundle.
    """
    manifest = read_manifest(folder, expected_digest)
    contents = verified_contents(folder, manifest)
    try:
        return Bundle(
            model=restore(manifest, contents),
            names=read_names(contents["catalogue.npz"]),
            manifest=manifest,
            digest=digest_of(folder),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise IntegrityError(f"The bundle in {folder} verifies but does not hold a model: {error}") from error


def read_manifest(folder: Path, expected_digest: str | None = None) -> dict[str, Any]:
    """The manifest of a bundle, if it is the expected one."""
    path = folder / "manifest.json"
    if not path.is_file() or path.is_symlink():
        raise IntegrityError(f"{folder} has no manifest: it is not a complete bundle.", fix="Train again.")
    if path.stat().st_size > LARGEST_MANIFEST:
        raise IntegrityError(f"{path} is larger than a manifest can be.")
    if expected_digest and digest_of(folder) != expected_digest:
        raise IntegrityError(
            f"{folder} is not the bundle that was registered: its manifest's digest differs.",
            fix="Deploy another release, or train again.",
        )
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError as error:
        raise IntegrityError(f"{path} is damaged: {error}", fix="Train again.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or manifest.get("kind") not in MODELS:
        raise IntegrityError(f"{path} does not describe a bundle of format {FORMAT}.", fix="Train again.")
    return manifest


def verified_contents(folder: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    """The bytes of every file of a bundle, if they are what the manifest says and nothing else is there."""
    found = {entry.name for entry in folder.iterdir()}
    if found != {*FILES, "manifest.json"} or set(manifest.get("files", ())) != set(FILES):
        raise IntegrityError(f"{folder} holds {sorted(found)}; a bundle holds manifest.json and {sorted(FILES)}.")
    return {name: read_verified(folder / name, manifest["files"][name]) for name in FILES}


def read_verified(path: Path, expected: dict[str, Any]) -> bytes:
    """The bytes of one file, if size and SHA-256 are as expected."""
    fix = "Deploy another release, or train again."
    if path.is_symlink() or not path.is_file():
        raise IntegrityError(f"{path} is not a plain file.", fix)
    size = path.stat().st_size
    if size != expected["bytes"] or size > LARGEST_FILE:
        raise IntegrityError(f"{path} has {size:,} bytes instead of {expected['bytes']:,}.", fix)
    content = path.read_bytes()
    if sha256(content) != expected["sha256"]:
        raise IntegrityError(f"{path} is damaged: its SHA-256 is not the manifest's.", fix)
    return content


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


def digest_of(folder: Path) -> str:
    """The digest of a whole bundle: the SHA-256 of its manifest, which holds those of the files."""
    return sha256((folder / "manifest.json").read_bytes())


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def copy_bundle(source: Path, target: Path, expected_digest: str) -> None:
    """Copy a bundle after verifying it; `target` appears whole or not at all."""
    verified_contents(source, read_manifest(source, expected_digest))
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part)
    verified_contents(part, read_manifest(part, expected_digest))
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)

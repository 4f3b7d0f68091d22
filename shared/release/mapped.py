"""Histories as files that a service maps into its memory: verified first, never rewritten in place.

Whoever writes a release or refreshes histories writes them; whoever answers customers, or trains, opens them.
"""

import hashlib
import json
import mmap
import os
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from shared.errors import IntegrityError
from shared.model.facts import counted
from shared.model.histories import Histories, ProductCounts
from shared.places import write_atomically
from shared.release.manifest import (
    HISTORIES_FORMAT,
    MANIFEST,
    digest_of,
    open_expected,
    open_histories_manifest,
    require_digest,
)

# The types of the arrays, and their dimensions; identifiers are as wide as the longest.
FORMS = {
    "customers": ("S", 1),
    "products": ("S", 1),
    "starts": ("<i8", 1),
    "product": ("<i4", 1),
    "ends": ("<i8", 1),
    "days": ("<u2", 1),
    "counts": ("<i8", 2),
    "active": ("<i8", 1),
}
BLOCK = 1 << 20


def write_histories(folder: Path, histories: Histories, data_digest: str = "") -> str:
    """Write histories into a new folder and return their digest. A kill leaves no manifest.

    data_digest: the digest of the data that they were gathered from.
    """
    folder.mkdir(parents=True)
    histories = counted(histories)
    assert histories.counts is not None  # noqa: S101  counted just now
    arrays = histories.arrays() | {"counts": histories.counts.table, "active": histories.counts.active}
    files = {f"{name}.npy": write_array(folder / f"{name}.npy", array) for name, array in arrays.items()}
    about = {
        "format": HISTORIES_FORMAT,
        "through": histories.day.isoformat(),
        "data_digest": data_digest,
        "files": files,
    }
    write_atomically(folder / MANIFEST, json.dumps(about, indent=1, sort_keys=True).encode())
    return digest_of(folder)


def write_array(path: Path, array: np.ndarray) -> dict[str, Any]:
    """Write an array to a new file, on the disk when this returns; its size and SHA-256."""
    with path.open("xb+") as file:
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        file.seek(0)
        return {"bytes": size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def open_histories(folder: Path, expected_digest: str | None = None) -> Histories:
    """Histories, mapped from files that were verified. Raises IntegrityError if they are not what was written."""
    manifest = open_histories_manifest(folder, expected_digest)
    arrays = {name: map_array(folder, name, manifest["files"][f"{name}.npy"]) for name in FORMS}
    counts = ProductCounts(arrays.pop("counts"), arrays.pop("active"))
    histories = Histories(day=date.fromisoformat(manifest["through"]), counts=counts, **arrays)
    complaint = complaint_about(histories, counts)
    if complaint:
        raise IntegrityError(f"{folder} verifies but does not hold histories: {complaint}.")
    return histories


def map_array(folder: Path, name: str, expected: dict[str, Any]) -> np.ndarray:
    """An array of a file: the very bytes that were verified, mapped and not read again."""
    path, (form, dimensions) = folder / f"{name}.npy", FORMS[name]
    with closing(open_expected(path, expected)) as file:
        if not expected["bytes"]:
            raise IntegrityError(f"{path} is empty.")
        content = mmap.mmap(file.fileno(), expected["bytes"], access=mmap.ACCESS_READ)
        try:
            require_digest(path, hashlib.sha256(content).hexdigest(), expected)
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("another version of the format")
            shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
            start = file.tell()
        except (ValueError, TypeError, EOFError) as error:
            raise IntegrityError(f"{path} verifies but is no plain array: {error}") from error
    fits = dtype.kind == "S" if form == "S" else dtype == np.dtype(form)
    whole = start + int(np.prod([dtype.itemsize, *map(int, shape)], dtype=object)) == expected["bytes"]
    if (
        not fits
        or not whole
        or len(shape) != dimensions
        or (by_columns and dimensions > 1)
        or min(shape, default=0) < 0
    ):
        raise IntegrityError(f"{path} verifies but holds another array: {dtype} of shape {str(shape)[:80]}.")
    return np.ndarray(shape, dtype, content, start)


def complaint_about(histories: Histories, counts: ProductCounts) -> str:
    """What is wrong with the arrays, in words; empty if they lead nowhere but to each other."""
    customers, products = len(histories.customers), len(histories.products)
    pairs, purchases = len(histories.product), len(histories.days)
    if (len(histories.starts), len(histories.ends)) != (customers + 1, pairs + 1):
        return "the arrays differ in length"
    if counts.table.shape != (6, products) or counts.active.shape != (3,):
        return "other products were counted"
    for name, array, end in (("starts", histories.starts, pairs), ("ends", histories.ends, purchases)):
        if array[0] != 0 or array[-1] != end or any((np.diff(part) < 0).any() for part in blocks(array)):
            return f"{name} lead elsewhere"
    if any(len(part) and (part.min() < 0 or part.max() >= products) for part in blocks(histories.product)):
        return "there are products that have no name"
    return ""


def blocks(array: np.ndarray) -> list[np.ndarray]:
    """Views of an array, each a block that overlaps the next by one."""
    return [array[start : start + BLOCK + 1] for start in range(0, len(array), BLOCK)]

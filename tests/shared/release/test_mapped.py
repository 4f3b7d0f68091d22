"""Histories in files: mapped as they were verified, refused when they are anything else."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shared.errors import IntegrityError
from shared.model.facts import counted
from shared.model.frecency import Frecency
from shared.model.histories import ARRAYS, Histories, gather, rewind
from shared.model.popular import Popular
from shared.model.ranker import Ranker
from shared.release.bundle import Evidence, open_bundle, write_bundle
from shared.release.manifest import ARRAY_FILES, digest_of, is_sound, sha256
from shared.release.mapped import blocks, open_histories, write_array, write_histories
from tests.conftest import make_products, make_transactions

MODELS = [Popular(), Frecency(), Ranker(leaf_size=5, trees=5)]


@pytest.fixture(scope="module")
def histories() -> Histories:
    return Frecency().fit(make_transactions()).histories_


@pytest.fixture
def folder(histories: Histories, tmp_path: Path) -> Path:
    write_histories(tmp_path / "it", histories, "data")
    return tmp_path / "it"


def test_what_was_written_is_mapped_and_not_read(folder: Path, histories: Histories) -> None:
    opened = open_histories(folder, digest_of(folder))
    assert opened.day == histories.day
    for name in ARRAYS:
        array = getattr(opened, name)
        np.testing.assert_array_equal(array, getattr(histories, name))
        assert not array.flags.owndata
        assert not array.flags.writeable


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_lists_of_mapped_and_of_gathered_histories_are_equal_to_the_bit(model: Popular, tmp_path: Path) -> None:
    transactions = make_transactions()
    model.fit(transactions)
    write_bundle(tmp_path / "bundle", model, make_products(), Evidence("data", "revision"))
    names = [*sorted(transactions["customer_id"].unique()), "nobody", "a customer with a longer name than any other"]
    opened = open_bundle(tmp_path / "bundle").model
    expected = model.recommend(names, reasons=True)
    pd.testing.assert_frame_equal(opened.recommend(names, reasons=True), expected, check_exact=True)


def test_customers_without_a_purchase_are_kept(tmp_path: Path) -> None:
    early = rewind(gather(make_transactions(), date(2017, 2, 9)), date(2016, 12, 31))
    opened = open_histories(tmp_path / "it", write_histories(tmp_path / "it", counted(early), "data"))
    assert (len(opened.customers), len(opened.product)) == (20, 0)


def test_the_same_histories_have_the_same_digest(folder: Path, histories: Histories, tmp_path: Path) -> None:
    assert write_histories(tmp_path / "again", histories, "data") == digest_of(folder)
    assert write_histories(tmp_path / "other", histories, "other data") != digest_of(folder)


def test_they_stay_readable_when_their_files_are_removed(folder: Path, histories: Histories) -> None:
    opened = open_histories(folder)
    shutil.rmtree(folder)
    np.testing.assert_array_equal(opened.days, histories.days)


@pytest.mark.parametrize("name", ARRAY_FILES)
def test_a_tampered_file_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(IntegrityError, match="its SHA-256 is not the manifest's"):
        open_histories(folder)


def shorten(folder: Path) -> None:
    os.truncate(folder / "days.npy", 200)


def remove(folder: Path) -> None:
    (folder / "ends.npy").unlink()


def add(folder: Path) -> None:
    (folder / "more.npy").write_bytes(b"")


def link(folder: Path) -> None:
    (folder / "days.npy").rename(folder.parent / "days.npy")
    (folder / "days.npy").symlink_to(folder.parent / "days.npy")


def put_a_pipe(folder: Path) -> None:
    (folder / "days.npy").unlink()
    os.mkfifo(folder / "days.npy")


@pytest.mark.parametrize("damage", [shorten, remove, add, link, put_a_pipe])
def test_files_that_are_not_what_was_written_are_refused(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    with pytest.raises(IntegrityError):
        open_histories(folder)


def forge(folder: Path, name: str, content: bytes) -> None:
    """Another content, with a manifest that says so."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"bytes": len(content), "sha256": sha256(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def as_file(array: np.ndarray, tmp_path: Path) -> bytes:
    np.save(tmp_path / "forged.npy", array, allow_pickle=True)
    return (tmp_path / "forged.npy").read_bytes()


OTHER_ARRAYS = {
    "another type": ("days", lambda array: array.astype(np.int64)),
    "other bytes in a number": ("ends", lambda array: array.astype(">i8")),
    "pickled objects": ("product", lambda array: array.astype(object)),
    "two dimensions": ("days", lambda array: array.reshape(2, -1)),
    "one number": ("days", lambda array: array[0]),
    "fewer purchases": ("days", lambda array: array[:-1]),
    "fewer pairs": ("product", lambda array: array[:-1]),
    "a product that is not there": ("product", lambda array: array + 1),
    "a product before the first": ("product", lambda array: array - 1),
    "ends that go back": ("ends", lambda array: array[np.r_[0, 2, 1, 3 : len(array)]]),
    "ends beyond the purchases": ("ends", lambda array: array * 2),
    "starts of other pairs": ("starts", lambda array: array + 1),
    "no starts": ("starts", lambda array: array[:0]),
    "other counts": ("counts", lambda array: array[:, :-1]),
    "columns first": ("counts", np.asfortranarray),
}


@pytest.mark.parametrize("kind", OTHER_ARRAYS)
def test_other_arrays_with_a_manifest_that_suits_them_are_refused(
    folder: Path, histories: Histories, kind: str, tmp_path: Path
) -> None:
    name, change = OTHER_ARRAYS[kind]
    array = np.load(folder / f"{name}.npy")
    forge(folder, f"{name}.npy", as_file(change(array), tmp_path))
    with pytest.raises(IntegrityError, match="verifies but"):
        open_histories(folder)


@pytest.mark.parametrize("at", range(1, 9))
def test_ends_that_go_back_are_found_wherever_they_do(
    folder: Path, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.release.mapped.BLOCK", 4)  # so that each place in a block is tried, and each seam
    ends = np.load(folder / "ends.npy")
    open_histories(folder)
    ends[at] = ends[at + 1] + 1
    forge(folder, "ends.npy", as_file(ends, tmp_path))
    with pytest.raises(IntegrityError, match="ends lead elsewhere"):
        open_histories(folder)


@pytest.mark.parametrize(("said", "told"), [({"format": 99}, "of format 99"), ({"through": "2017-13-01"}, "no day")])
def test_a_manifest_that_does_not_describe_them_is_refused(folder: Path, said: dict, told: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text()) | said
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(IntegrityError, match=told):
        open_histories(folder)


@pytest.mark.parametrize("shape", [b"(9999999999999,)", b"(-9,          )", b"((((((1,))))))  ", b"(1, 10**1000000)"])
def test_shapes_that_the_file_does_not_fill_are_refused(folder: Path, shape: bytes, tmp_path: Path) -> None:
    content = (folder / "days.npy").read_bytes()
    start, end = content.index(b"(", 10), content.index(b")", 10) + 1
    changed = content[:start] + shape + content[end : 128 - len(shape) + end - start] + content[128:]
    forge(folder, "days.npy", changed)
    with pytest.raises(IntegrityError):
        open_histories(folder)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"x" * 300])
def test_what_is_no_array_is_refused(folder: Path, content: bytes) -> None:
    forge(folder, "days.npy", content)
    with pytest.raises(IntegrityError):
        open_histories(folder)


def test_a_bundle_is_not_sound_if_its_histories_are_not(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    digest = write_bundle(bundle, Frecency().fit(make_transactions()), make_products(), Evidence("data", "revision"))
    assert is_sound(bundle, digest)
    os.truncate(bundle / "histories" / "product.npy", 300)
    assert not is_sound(bundle, digest)


def test_histories_of_an_earlier_version_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "2017-06-05.npz").write_bytes(b"what version 0.1 wrote")
    with pytest.raises(IntegrityError, match="written by an earlier version"):
        open_histories(tmp_path / "2017-06-05.npz", "a digest")


def test_a_manifest_says_from_which_data_and_through_which_day(folder: Path, histories: Histories) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["data_digest"], manifest["through"]) == ("data", histories.day.isoformat())
    assert set(manifest["files"]) == set(ARRAY_FILES)
    for name, entry in manifest["files"].items():
        assert entry == {"bytes": (folder / name).stat().st_size, "sha256": sha256((folder / name).read_bytes())}


def test_counts_and_the_active_customers_come_with_them(folder: Path, histories: Histories) -> None:
    opened, expected = open_histories(folder).counts, counted(histories).counts
    assert opened is not None
    assert expected is not None
    np.testing.assert_array_equal(opened.table, expected.table)
    np.testing.assert_array_equal(opened.active, expected.active)


def test_histories_are_written_to_a_new_folder_only(folder: Path, histories: Histories) -> None:
    with pytest.raises(FileExistsError):
        write_histories(folder, histories)
    with pytest.raises(FileExistsError):
        write_array(folder / "days.npy", histories.days)
    assert write_array(folder.parent / "x.npy", np.arange(3))["bytes"] == (folder.parent / "x.npy").stat().st_size


@pytest.mark.parametrize(("length", "parts"), [(0, []), (3, [3]), (4, [4]), (5, [5, 1]), (9, [5, 5, 1])])
def test_blocks_overlap_by_one(length: int, parts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.release.mapped.BLOCK", 4)
    found = blocks(np.arange(length))
    assert [len(part) for part in found] == parts
    assert [int(part[0]) for part in found] == list(range(0, length, 4))

"""A manifest is read once, and whatever it holds is refused in words."""

import io
import json
import os
import shutil
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import IntegrityError
from shared.model.frecency import Frecency
from shared.release import manifest as module
from shared.release.bundle import Evidence, open_bundle, write_bundle
from shared.release.manifest import FILES, NOBODY, Verified, copy_bundle, read_manifest, sha256, verify
from shared.release.packed import pack, unpack
from tests.conftest import make_products, make_transactions


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "bundle"
    write_bundle(folder, Frecency().fit(make_transactions()), make_products(), Evidence("data", "revision"))
    return folder


@pytest.fixture
def bundle(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def change(bundle: Path, **entries: Any) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps(manifest | entries))


def test_the_bytes_that_are_parsed_are_those_that_were_hashed(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, read_small = [], module.read_small

    def swap_after_reading(path: Path) -> bytes:
        content = read_small(path)
        if path.parent == bundle:
            read.append(path)
            change(bundle, revision=f"swapped after {len(read)} readings")
        return content

    monkeypatch.setattr(module, "read_small", swap_after_reading)
    digest = sha256((bundle / "manifest.json").read_bytes())
    verified = verify(bundle, digest)
    assert len(read) == 1
    assert (verified.digest, verified.manifest["revision"]) == (digest, "revision")


@pytest.mark.parametrize(
    ("customers", "word"),
    [([NOBODY, "c 1"], "'c 1'"), (["c1", NOBODY], "c1"), ([NOBODY], "CUSTOMER"), ([], "CUSTOMER")],
)
def test_somebody_whom_the_shop_has_can_be_typed(customers: list[str], word: str) -> None:
    assert Verified({"golden": {name: [] for name in customers}}, "digest").somebody == word


NESTED = b"[" * 200_000 + b"]" * 200_000
ODD = {
    "no object": b"[1, 2]",
    "a number": b"5",
    "nothing": b"",
    "no text": b"\xff\xfe\x00",
    "deep nesting": NESTED,
    "deep nesting in an object": b'{"format": 5, "files": ' + NESTED + b"}",
    "a number of 5,000 digits": b'{"format": ' + b"9" * 5000 + b"}",
    "too large": b'{"format": 5}' + b" " * (1 << 20),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_manifest_is_refused(bundle: Path, kind: str) -> None:
    (bundle / "manifest.json").write_bytes(ODD[kind])
    with pytest.raises(IntegrityError):
        open_bundle(bundle)


def files(entry: object) -> dict[str, object]:
    return dict.fromkeys(FILES, entry)


ENTRY = {"bytes": 1, "sha256": "0"}
ODD_ENTRIES: list[dict[str, Any]] = [
    {"files": ["parameters.npz"]},
    {"files": {}},
    {"files": files([])},
    {"files": files({"bytes": "1", "sha256": "0"})},
    {"files": files({"bytes": True, "sha256": "0"})},
    {"files": files({"bytes": -1, "sha256": "0"})},
    {"files": files({"bytes": 1.5, "sha256": "0"})},
    {"files": files({"bytes": 1 << 70, "sha256": "0"})},
    {"files": files({"bytes": 1, "sha256": 7})},
    {"files": {**files(ENTRY), "../elsewhere": ENTRY}},
    {"kind": 7},
    {"kind": ["frecency"]},
    {"kind": "unheard of"},
    {"config": None},
    {"config": {"no such setting": 1}},
    {"config": [1]},
    {"trained_through": 20170101},
    {"trained_through": "yesterday"},
    {"histories_through": None},
    {"golden": {"anna": "milk"}},
    {"golden": {"anna": [1]}},
    {"golden": []},
    {"metrics": {"ndcg_at_10": "good"}},
    {"metrics": None},
]


@pytest.mark.parametrize("entries", ODD_ENTRIES, ids=str)
def test_a_manifest_with_odd_entries_is_refused(bundle: Path, entries: dict) -> None:
    change(bundle, **entries)
    with pytest.raises(IntegrityError):
        open_bundle(bundle)


@pytest.mark.parametrize(
    ("version", "cure"), [(4, "Train again"), (6, "Update this project"), ("5", "Train again"), (None, "Train again")]
)
def test_another_versions_bundle_is_refused_in_words(bundle: Path, version: object, cure: str) -> None:
    change(bundle, format=version)
    with pytest.raises(IntegrityError, match=cure) as refused:
        read_manifest(bundle)
    assert f"of format {version}; this version reads format 5" in str(refused.value)


def entry(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def test_entries_that_lie_over_each_other_are_refused() -> None:
    """A file that says of the same megabyte that it is a hundred entries."""
    content = entry("a.npy", pack({"a": np.zeros(100_000)}))
    directory = content.rindex(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    record = content[directory:end]
    copies = b"".join(record.replace(b"a.npy", f"{number:05}".encode()) for number in range(100))
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 100, 100, len(copies), directory, 0)
    with pytest.raises(IntegrityError, match="overlaps another entry"):
        unpack(content[:directory] + copies + tail, "it")


def claim(shape: str) -> bytes:
    """An npy file whose header claims another shape than its 8 bytes fill."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 8


@pytest.mark.parametrize(
    "shape", ["(10000000000,)", "(1 << 30,)", "(2,)", "(0,)", "(-1,)", "(1, 1, 3)", "'x'", "(1.0,)"]
)
def test_sizes_that_are_not_there_take_no_memory(shape: str) -> None:
    content = entry("a.npy", claim(shape))
    tracemalloc.start()
    with pytest.raises(IntegrityError):
        unpack(content, "it")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10 * len(content) + 1_000_000


def test_two_entries_of_one_name_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.npy", claim("(1,)"))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", claim("(1,)"))
    with pytest.raises(IntegrityError, match="same name"):
        unpack(buffer.getvalue(), "it")


def test_an_honest_npz_is_unpacked() -> None:
    arrays = {
        "a": np.arange(6).reshape(2, 3),
        "b": np.array(b"text"),
        "c": np.empty(0),
        "d": np.ones((2, 3), order="F"),
    }
    for name, array in unpack(pack(arrays), "it").items():
        np.testing.assert_array_equal(array, arrays[name])
        assert array.dtype == arrays[name].dtype


def test_a_copy_appears_whole_and_takes_the_place_of_the_one_before(bundle: Path, tmp_path: Path) -> None:
    target, digest = tmp_path / "store" / "1.0", verify(bundle).digest
    target.mkdir(parents=True)
    (target / "of the copy before").write_text("")
    (target.parent / ".1.0.part").mkdir()
    (target.parent / ".1.0.part" / "what a kill left").write_text("")
    copy_bundle(bundle, target, digest)
    assert verify(target, digest).digest == digest
    assert not (target / "of the copy before").exists()
    assert [path.name for path in target.parent.iterdir()] == ["1.0"]


def test_a_copy_that_comes_out_damaged_is_refused_and_the_one_before_stays(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, digest = tmp_path / "store" / "1.0", verify(bundle).digest
    copy_bundle(bundle, target, digest)
    whole, looked = module.verify, []

    def verify_then_cut_off(folder: Path, *expected: str) -> Any:
        if looked:  # the copy, which is looked at after the original
            (folder / "parameters.npz").write_bytes(b"half")
        looked.append(folder)
        return whole(folder, *expected)

    monkeypatch.setattr(module, "verify", verify_then_cut_off)
    with pytest.raises(IntegrityError):
        copy_bundle(bundle, target, digest)
    monkeypatch.undo()
    assert verify(target, digest).digest == digest
    (bundle / "parameters.npz").write_bytes(b"half")
    with pytest.raises(IntegrityError):
        copy_bundle(bundle, target, digest)
    assert verify(target, digest).digest == digest


def test_a_manifest_may_be_as_large_as_is_said_and_no_larger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_MANIFEST", 10)
    (tmp_path / "manifest.json").write_bytes(b"1234567890")
    assert module.read_small(tmp_path / "manifest.json") == b"1234567890"
    (tmp_path / "manifest.json").write_bytes(b"12345678901")
    with pytest.raises(IntegrityError, match="larger than a manifest can be"):
        module.read_small(tmp_path / "manifest.json")
    for nowhere in ("nothing/manifest.json", "manifest.json/manifest.json"):
        with pytest.raises(IntegrityError, match="has no manifest"):
            module.read_small(tmp_path / nowhere)


def test_a_file_is_read_up_to_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_FILE", 4)
    for content in (b"1234", b"12345"):
        (tmp_path / "file").write_bytes(content)
        expected = {"bytes": len(content), "sha256": sha256(content)}
        if len(content) == 4:
            assert module.read_verified(tmp_path / "file", expected) == content
            continue
        with pytest.raises(IntegrityError, match="larger than 4 bytes"):
            module.read_verified(tmp_path / "file", expected)
    with pytest.raises(IntegrityError, match="has 5 bytes instead of 4"):
        module.read_verified(tmp_path / "file", {"bytes": 4, "sha256": ""})
    (tmp_path / "file").write_bytes(b"1234")
    with pytest.raises(IntegrityError, match="its SHA-256 is not"):
        module.read_verified(tmp_path / "file", {"bytes": 4, "sha256": ""})
    with pytest.raises(IntegrityError, match="cannot be opened"):
        module.read_verified(tmp_path / "nothing", {"bytes": 5, "sha256": ""})


def test_pipes_and_folders_are_no_plain_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(IntegrityError, match="is not a plain file"):
            module.open_plain(path)


def test_what_desktops_leave_does_no_harm_and_is_not_copied(bundle: Path, tmp_path: Path) -> None:
    digest = verify(bundle).digest
    for name in (".DS_Store", "Thumbs.db", "._manifest.json"):
        (bundle / name).write_text("")
    assert verify(bundle).digest == digest
    (tmp_path / "store").mkdir()
    copy_bundle(bundle, tmp_path / "store" / "1.0", digest)
    assert sorted(path.name for path in (tmp_path / "store" / "1.0").iterdir()) == [
        "catalogue.npz", "histories", "manifest.json", "parameters.npz",
    ]  # fmt: skip


def test_what_else_lies_there_is_shown_twenty_at_most(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}").write_text("")
    with pytest.raises(IntegrityError) as refused:
        module.require_entries(tmp_path, {"a"})
    assert "'19']" in str(refused.value)
    assert "'20'" not in str(refused.value)
    with pytest.raises(IntegrityError, match="cannot be read"):
        module.require_entries(tmp_path / "nothing", set())
    linked = tmp_path.parent / f"{tmp_path.name}-linked"
    linked.symlink_to(tmp_path)
    with pytest.raises(IntegrityError, match="holds"):
        module.require_entries(linked, {f"{number:02}" for number in range(25)})


def test_what_is_wrong_with_a_manifest_is_told_of_all_entries(bundle: Path) -> None:
    change(bundle, kind=1, histories_through="soon")
    with pytest.raises(IntegrityError, match="kind, histories_through missing, or of another kind"):
        read_manifest(bundle)
    change(bundle, kind="frecency", histories_through="2017-02-09", metrics={"ndcg": 1, "precision": 0.5})
    verified = Verified(read_manifest(bundle), "digest")
    assert verified.trained_through.isoformat() == "2017-02-09"
    assert verified.histories_digest == module.digest_of(bundle / "histories")


def test_a_size_of_nothing_is_a_size() -> None:
    empty = {"bytes": 0, "sha256": ""}
    assert module.complaint_about_files({"a": empty}, ("a",)) == ""
    assert "no size" in module.complaint_about_files({"a": {"bytes": 0}}, ("a",))
    assert "other files than a, b" in module.complaint_about_files({"a": empty}, ("a", "b"))

"""A bundle gives back what was written, and nothing that was touched."""

import io
import json
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from shared.errors import IntegrityError
from shared.model.frecency import Frecency
from shared.release.bundle import (
    Evidence,
    Names,
    catalogue_arrays,
    golden_lists,
    open_bundle,
    pack,
    unpack,
    write_bundle,
)
from shared.release.manifest import FILES, NOBODY, sha256
from shared.release.packed import read_array, require_plain
from tests.conftest import make_products, make_transactions


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "bundle"
    evidence = Evidence("data", "revision", {"ndcg_at_10": 0.5})
    write_bundle(folder, Frecency().fit(make_transactions()), make_products(), evidence)
    return folder


@pytest.fixture
def bundle(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def test_a_bundle_is_written_to_a_new_folder_only(tmp_path: Path) -> None:
    folder, evidence = tmp_path / "a shop" / "runs" / "1.0", Evidence("data", "revision")
    write_bundle(folder, Frecency().fit(make_transactions()), make_products(), evidence)
    with pytest.raises(FileExistsError):
        write_bundle(folder, Frecency().fit(make_transactions()), make_products(), evidence)


def test_an_opened_model_recommends_what_the_written_one_did(bundle: Path, transactions: pd.DataFrame) -> None:
    opened = open_bundle(bundle)
    customers = [*sorted(transactions["customer_id"].unique()), "nobody"]
    expected = Frecency().fit(transactions).recommend(customers)
    pd.testing.assert_frame_equal(opened.model.recommend(customers), expected, check_exact=True)
    assert opened.names["p03"] == "Product p03"
    assert opened.manifest["metrics"] == {"ndcg_at_10": 0.5}


def test_golden_lists_are_what_each_customer_is_recommended(bundle: Path) -> None:
    opened = open_bundle(bundle)
    golden = opened.manifest["golden"]
    assert len(golden) == 21  # twenty customers, and one whom nobody knows
    for customer, products in golden.items():
        assert products == opened.model.recommend([customer], 10)["product_id"].tolist()
    assert len(set(map(tuple, golden.values()))) > 1


def test_the_same_model_gives_the_same_digest(
    bundle: Path, tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame
) -> None:
    evidence = Evidence("data", "revision", {"ndcg_at_10": 0.5})
    again = write_bundle(tmp_path / "again", Frecency().fit(transactions), products, evidence)
    assert again == open_bundle(bundle).digest


def flip(folder: Path, chance: random.Random) -> None:
    path = folder / chance.choice([*FILES, "manifest.json"])
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(folder: Path, chance: random.Random) -> None:
    path = folder / chance.choice([*FILES, "manifest.json"])
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def swap(folder: Path, chance: random.Random) -> None:
    one, other = chance.sample(FILES, 2)
    first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
    (folder / one).write_bytes(second)
    (folder / other).write_bytes(first)


def add(folder: Path, chance: random.Random) -> None:
    (folder / f"extra{chance.randrange(1000)}.pkl").write_bytes(pickle.dumps("anything"))


def remove(folder: Path, chance: random.Random) -> None:
    (folder / chance.choice([*FILES, "manifest.json"])).unlink()


def link(folder: Path, chance: random.Random) -> None:
    path = folder / chance.choice(FILES)
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


DAMAGES: list[Callable[[Path, random.Random], None]] = [flip, cut, swap, add, remove, link]


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_bundle_is_refused(bundle: Path, tmp_path: Path, seed: int) -> None:
    digest = open_bundle(bundle).digest
    damaged = tmp_path / "damaged"
    shutil.copytree(bundle, damaged)
    DAMAGES[seed % len(DAMAGES)](damaged, random.Random(seed))
    with pytest.raises(IntegrityError):
        open_bundle(damaged, digest)


def test_a_tampered_bundle_with_a_matching_manifest_is_refused_by_its_digest(bundle: Path) -> None:
    digest = open_bundle(bundle).digest
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["revision"] = "another"
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert open_bundle(bundle).manifest["revision"] == "another"
    with pytest.raises(IntegrityError, match="not the bundle that was registered"):
        open_bundle(bundle, digest)


def test_a_pickle_in_an_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, objects=np.array([{"a": 1}], dtype=object))
    with pytest.raises(IntegrityError, match="not a plain npz"):
        unpack(path.read_bytes(), "evil.npz")


def test_a_compressed_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, zeros=np.zeros(10_000_000))
    with pytest.raises(IntegrityError, match="absurd size"):
        unpack(path.read_bytes(), "bomb.npz")


def test_packing_is_the_same_to_the_byte() -> None:
    assert pack({"a": np.arange(5)}) == pack({"a": np.arange(5)})


def entry(name: str, size: int = 4, at: int = 0, packed: int = 0, way: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    """An archive's entry that lies somewhere and claims some size."""
    made = zipfile.ZipInfo(name)
    made.file_size, made.compress_size, made.compress_type = size, packed or size, way
    made.header_offset = at
    return made


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry("a"), entry("a", at=100)], "the same name"),
        ([entry("a"), entry("b", at=10)], "overlaps"),
        ([entry("a", size=1000)], "absurd size"),
        ([entry("a", packed=2)], "is compressed or claims an absurd size"),
        ([entry("a", way=zipfile.ZIP_DEFLATED)], "is compressed or claims an absurd size"),
    ],
)
def test_entries_that_cannot_be_are_refused(entries: list[zipfile.ZipInfo], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        require_plain(SimpleNamespace(infolist=lambda: entries), size=200)  # type: ignore[arg-type]


def test_an_array_in_another_version_of_its_format_is_refused() -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.zeros(2), version=(2, 0))
    with pytest.raises(ValueError, match="another version"):
        read_array(content.getvalue())


def test_names_are_looked_up_as_in_a_dictionary() -> None:
    names = Names(np.array([b"p1", b"p3"]), np.array([b"Milk", b"Bread"]))
    assert (dict(names), len(names), names.get("p2")) == ({"p1": "Milk", "p3": "Bread"}, 2, None)
    with pytest.raises(KeyError, match="p2"):
        names["p2"]
    with pytest.raises(ValueError, match="not as many names"):
        Names(np.array([b"p1"]), np.array([b"Milk", b"Bread"]))


def test_a_bundle_says_of_what_and_when_it_was_made(bundle: Path) -> None:
    manifest = open_bundle(bundle).manifest
    assert (manifest["kind"], manifest["data_digest"], manifest["revision"]) == ("frecency", "data", "revision")
    assert manifest["trained_through"] == manifest["histories_through"] == "2017-02-09"
    assert manifest["config"] == Frecency().get_params()
    for name, entry in manifest["files"].items():
        assert entry == {"bytes": (bundle / name).stat().st_size, "sha256": sha256((bundle / name).read_bytes())}


def test_who_is_no_identifier_is_no_golden_customer() -> None:
    odd = make_transactions()
    odd["customer_id"] = odd["customer_id"].replace({"c00": "a\x01"})
    golden = golden_lists(Frecency().fit(odd))
    assert len(golden) == 20
    assert "a\x01" not in golden
    assert list(golden)[-1] == NOBODY


def test_the_catalogue_holds_what_may_be_recommended_and_no_more() -> None:
    products = make_products().assign(product_name=[f"a  name\n{at}" for at in range(20)])
    more = pd.concat([products, products.assign(product_id="x" + products["product_id"])])
    arrays = catalogue_arrays(Frecency().fit(make_transactions()), more.sample(frac=1, random_state=1))
    assert arrays["product"].tolist() == sorted(name.encode() for name in products["product_id"])
    assert arrays["name"].tolist() == [f"a name {at}".encode() for at in range(20)]


def test_later_histories_take_the_place_of_a_bundles_own(bundle: Path, transactions: pd.DataFrame) -> None:
    later = Frecency().fit(transactions[transactions["customer_id"] < "c05"]).histories_
    assert len(open_bundle(bundle, histories=later).model.histories_.customers) == 5
    (bundle / "histories" / "days.npy").write_bytes(b"")
    with pytest.raises(IntegrityError):
        open_bundle(bundle, histories=later)


def test_an_archives_last_entry_may_end_with_the_archive() -> None:
    content = pack({"a": np.zeros(3), "name": np.zeros(2)})
    assert set(unpack(content, "it")) == {"a", "name"}
    one = entry("a", size=100 - 31)
    require_plain(SimpleNamespace(infolist=lambda: [one]), size=100)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="absurd size"):
        require_plain(SimpleNamespace(infolist=lambda: [one]), size=99)  # type: ignore[arg-type]
    two = [entry("a", size=4), entry("b", size=4, at=35)]
    require_plain(SimpleNamespace(infolist=lambda: two), size=100)  # type: ignore[arg-type]
    two[1].header_offset = 34
    with pytest.raises(ValueError, match="overlaps"):
        require_plain(SimpleNamespace(infolist=lambda: two), size=100)  # type: ignore[arg-type]

"""A release as files with hashes, verified before anything of it is opened. Needs the standard library alone.

    manifest.json     kind, days, metrics, revision, and SHA-256 and size of the other files
    parameters.npz    what was trained
    catalogue.npz     product identifiers and names
    histories/        the customers' histories that came with it: plain arrays with a manifest of their own

Nothing in a bundle is code: opening one cannot run anything. Who only verifies or copies it need not open it.
A bundle does not know its release number: who registers it gives it one, so the same inputs make the same bundle.
"""

import hashlib
import json
import os
import shlex
import shutil
import stat
from dataclasses import dataclass
from datetime import date
from io import BufferedReader
from pathlib import Path
from typing import Any

from shared.errors import IntegrityError

FORMAT = 5
HISTORIES_FORMAT = 1
MANIFEST = "manifest.json"
HISTORIES = "histories"
HISTORIES_MANIFEST = f"{HISTORIES}/{MANIFEST}"
FILES = ("parameters.npz", "catalogue.npz", HISTORIES_MANIFEST)
ARRAY_FILES = tuple(
    f"{name}.npy" for name in ("customers", "products", "starts", "product", "ends", "days", "counts", "active")
)
GOLDEN_K = 10
NOBODY = "a customer whom nobody knows"
# What is read into memory; histories are mapped and may be larger.
LARGEST_FILE = 1 << 30
LARGEST_MANIFEST = 1 << 20
OTHER_RELEASE = "Deploy another release, or train again."


@dataclass(frozen=True)
class Verified:
    """A release whose files are what its manifest says. `digest`: the manifest's SHA-256."""

    manifest: dict[str, Any]
    digest: str

    @property
    def trained_through(self) -> date:
        """The last day that its parameters know of."""
        return date.fromisoformat(self.manifest["trained_through"])

    @property
    def histories_digest(self) -> str:
        """The digest of the histories that came with it."""
        return str(self.manifest["files"][HISTORIES_MANIFEST]["sha256"])

    @property
    def golden(self) -> dict[str, list[str]]:
        """The lists that it gave to its golden customers when it was written: what a service must answer."""
        return dict(self.manifest["golden"])

    @property
    def somebody(self) -> str:
        """A customer whom the shop has, as a shell's word: for examples that can be typed."""
        return shlex.quote(next((name for name in self.golden if name != NOBODY), "CUSTOMER"))


def verify(folder: Path, expected_digest: str | None = None) -> Verified:
    """A release after every file was verified.

    Raises IntegrityError if a file is damaged, missing, extra, a link, or not the expected bundle.
    """
    bundle = open_manifest(folder, expected_digest)
    verified_contents(folder, bundle.manifest)
    verify_histories(folder / HISTORIES, bundle.histories_digest)
    return bundle


def is_sound(folder: Path, expected_digest: str) -> bool:
    """Whether a folder holds the expected bundle, whole."""
    try:
        verify(folder, expected_digest)
    except IntegrityError:
        return False
    return True


def read_manifest(folder: Path, expected_digest: str | None = None) -> dict[str, Any]:
    """The manifest of a bundle, if it is the expected one."""
    return open_manifest(folder, expected_digest).manifest


def open_manifest(folder: Path, expected_digest: str | None = None) -> Verified:
    """A bundle's manifest and its digest, from the same bytes, which are read once. The files are not looked at."""
    content = read_small(folder / MANIFEST)
    digest = sha256(content)
    if expected_digest and digest != expected_digest:
        raise IntegrityError(
            f"{folder} is not the bundle that was registered: its manifest's digest differs.", OTHER_RELEASE
        )
    manifest = parse(content, folder / MANIFEST)
    require_format(manifest, FORMAT, folder / MANIFEST)
    complaint = complaint_about(manifest)
    if complaint:
        raise IntegrityError(f"{folder / MANIFEST} does not describe a bundle: {complaint}.", "Train again.")
    return Verified(manifest, digest)


def read_small(path: Path) -> bytes:
    """The bytes of a manifest. Raises IntegrityError if there is none, or one that is too large."""
    try:
        with open_plain(path) as file:
            content = file.read(LARGEST_MANIFEST + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IntegrityError(
            f"{path.parent} has no manifest: it is not complete, or written by an earlier version.", "Train again."
        ) from error
    if len(content) > LARGEST_MANIFEST:
        raise IntegrityError(f"{path} is larger than a manifest can be.")
    return content


def parse(content: bytes, path: Path) -> dict[str, Any]:
    """The object that a manifest's bytes hold."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{path} is damaged: {error}", fix="Train again.") from error
    if not isinstance(manifest, dict):
        raise IntegrityError(f"{path} is damaged: it holds no object.", fix="Train again.")
    return manifest


def require_format(manifest: dict[str, Any], known: int, path: Path) -> None:
    """Refuse what another version wrote."""
    written = manifest.get("format")
    if written == known and type(written) is int:
        return
    newer = isinstance(written, int) and written > known
    fix = "Update this project." if newer else "Train again: an older release cannot be opened any more."
    raise IntegrityError(f"{path} is of format {str(written)[:40]}; this version reads format {known}.", fix)


def complaint_about(manifest: dict[str, Any]) -> str:
    """What is wrong with a bundle's manifest, in words; empty if nothing is."""
    forms: dict[str, type] = {"kind": str, "config": dict, "metrics": dict, "golden": dict, "files": dict}
    wrong = [name for name, form in forms.items() if not isinstance(manifest.get(name), form)]
    wrong += [name for name in ("trained_through", "histories_through") if not is_day(manifest.get(name))]
    if wrong:
        return f"{', '.join(wrong)} missing, or of another kind"
    lists = manifest["golden"].values()
    if not all(isinstance(products, list) and all(isinstance(name, str) for name in products) for products in lists):
        return "golden lists that are no lists of products"
    if not all(isinstance(value, int | float) for value in manifest["metrics"].values()):
        return "metrics that are no numbers"
    return complaint_about_files(manifest["files"], FILES)


def complaint_about_files(files: Any, expected: tuple[str, ...]) -> str:
    """What is wrong with the files that a manifest names."""
    if not isinstance(files, dict) or set(files) != set(expected):
        return f"it names other files than {', '.join(expected)}"
    for name, entry in files.items():
        size, digest = (entry.get("bytes"), entry.get("sha256")) if isinstance(entry, dict) else (None, None)
        if type(size) is not int or size < 0 or not isinstance(digest, str):
            return f"no size and SHA-256 of {name}"
    return ""


def is_day(value: Any) -> bool:
    """Whether a value is a day as text, such as 2017-06-04.

    >>> is_day("2017-06-04"), is_day("20170604"), is_day("2017-13-04"), is_day(None)
    (True, False, False, False)
    """
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def verified_contents(folder: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    """The bytes of a bundle's small files, if they are what the manifest says and nothing else is there."""
    require_entries(folder, {*(Path(name).parts[0] for name in FILES), MANIFEST})
    return {name: read_verified(folder / name, manifest["files"][name]) for name in FILES}


def is_dropping(name: str) -> bool:
    """Whether a file is what a desktop leaves in each folder that somebody looks into; nothing reads it.

    >>> [is_dropping(name) for name in (".DS_Store", "Thumbs.db", "._manifest.json", "days.npy")]
    [True, True, True, False]
    """
    return name in ("Thumbs.db", "desktop.ini", ".DS_Store", ".directory") or name.startswith("._")


def require_entries(folder: Path, expected: set[str]) -> None:
    """Refuse a folder that lacks something, or that holds something else; a link is something else."""
    try:
        found = {entry.name for entry in folder.iterdir() if not entry.is_symlink() and not is_dropping(entry.name)}
    except OSError as error:
        raise IntegrityError(f"{folder} cannot be read: {error}", OTHER_RELEASE) from error
    if found != expected or folder.is_symlink():
        raise IntegrityError(f"{folder} holds {sorted(found)[:20]}; it should hold {sorted(expected)}.", OTHER_RELEASE)


def read_verified(path: Path, expected: dict[str, Any]) -> bytes:
    """The bytes of one file, if size and SHA-256 are as expected."""
    with open_expected(path, expected) as file:
        if expected["bytes"] > LARGEST_FILE:
            raise IntegrityError(f"{path} is larger than {LARGEST_FILE:,} bytes.", OTHER_RELEASE)
        content = file.read(expected["bytes"])
    require_digest(path, sha256(content), expected)
    return content


def open_expected(path: Path, expected: dict[str, Any]) -> BufferedReader:
    """A plain file of the expected size, opened."""
    try:
        file = open_plain(path)
    except OSError as error:
        raise IntegrityError(f"{path} cannot be opened: {error}", OTHER_RELEASE) from error
    size = os.fstat(file.fileno()).st_size
    if size != expected["bytes"]:
        file.close()
        raise IntegrityError(f"{path} has {size:,} bytes instead of {expected['bytes']:,}.", OTHER_RELEASE)
    return file


def require_digest(path: Path, found: str, expected: dict[str, Any]) -> None:
    """Refuse a file whose SHA-256 is another."""
    if found != expected["sha256"]:
        raise IntegrityError(f"{path} is damaged: its SHA-256 is not the manifest's.", OTHER_RELEASE)


def open_plain(path: Path) -> BufferedReader:
    """A plain file, opened; neither a link nor a pipe, which would wait for somebody to write."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise IntegrityError(f"{path} is not a plain file: {error.strerror}.", OTHER_RELEASE) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise IntegrityError(f"{path} is not a plain file.", OTHER_RELEASE)
    return os.fdopen(handle, "rb")


def open_histories_manifest(folder: Path, expected_digest: str | None = None) -> dict[str, Any]:
    """The manifest of histories, if it is the expected one; nothing else lies beside their arrays."""
    content = read_small(folder / MANIFEST)
    if expected_digest and sha256(content) != expected_digest:
        raise IntegrityError(f"{folder} does not hold the expected histories: the digest differs.", OTHER_RELEASE)
    manifest = parse(content, folder / MANIFEST)
    require_format(manifest, HISTORIES_FORMAT, folder / MANIFEST)
    complaint = complaint_about_files(manifest.get("files"), ARRAY_FILES)
    if complaint or not is_day(manifest.get("through")):
        raise IntegrityError(f"{folder / MANIFEST} does not describe histories: {complaint or 'no day'}.")
    require_entries(folder, {*ARRAY_FILES, MANIFEST})
    return manifest


def verify_histories(folder: Path, expected_digest: str) -> None:
    """Verify every file of histories, piece by piece. Raises IntegrityError."""
    manifest = open_histories_manifest(folder, expected_digest)
    for name, expected in manifest["files"].items():
        with open_expected(folder / name, expected) as file:
            require_digest(folder / name, hashlib.file_digest(file, "sha256").hexdigest(), expected)


def digest_of(folder: Path) -> str:
    """The digest of a whole bundle, or of histories: the SHA-256 of the manifest, which holds those of the files."""
    return sha256(read_small(folder / MANIFEST))


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def copy_bundle(source: Path, target: Path, expected_digest: str) -> None:
    """Copy a bundle after verifying it; `target` appears whole or not at all."""
    verify(source, expected_digest)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, ignore=lambda _, names: set(filter(is_dropping, names)))
    verify(part, expected_digest)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)

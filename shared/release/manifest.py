"""A release as files with hashes, verified before anything of it is opened. Needs the standard library alone.

    manifest.json     kind, days, metrics, revision, and SHA-256 and size of every other file
    parameters.npz    what was trained
    histories.npz     the customers' histories that came with it
    catalogue.npz     product identifiers and names

Nothing in a bundle is code: opening one cannot run anything. Who only verifies or copies it need not open it.
A bundle does not know its release number: who registers it gives it one, so the same inputs make the same bundle.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from shared.errors import IntegrityError

FORMAT = 4
FILES = ("parameters.npz", "histories.npz", "catalogue.npz")
GOLDEN_K = 10
LARGEST_FILE = 4 << 30
LARGEST_MANIFEST = 1 << 20


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
        return str(self.manifest["files"]["histories.npz"]["sha256"])

    @property
    def golden(self) -> dict[str, list[str]]:
        """The lists that it gave to its golden customers when it was written: what a service must answer."""
        return dict(self.manifest["golden"])


def verify(folder: Path, expected_digest: str | None = None) -> Verified:
    """A release after every file was verified.

    Raises IntegrityError if a file is damaged, missing, extra, a link, or not the expected bundle.
    """
    manifest = read_manifest(folder, expected_digest)
    verified_contents(folder, manifest)
    return Verified(manifest, digest_of(folder))


def is_sound(folder: Path, expected_digest: str) -> bool:
    """Whether a folder holds the expected bundle, whole."""
    try:
        verify(folder, expected_digest)
    except IntegrityError:
        return False
    return True


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
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
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


def digest_of(folder: Path) -> str:
    """The digest of a whole bundle: the SHA-256 of its manifest, which holds those of the files."""
    return sha256((folder / "manifest.json").read_bytes())


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def copy_bundle(source: Path, target: Path, expected_digest: str) -> None:
    """Copy a bundle after verifying it; `target` appears whole or not at all."""
    verify(source, expected_digest)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part)
    verify(part, expected_digest)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)

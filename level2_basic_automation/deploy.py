"""Deploy: make a run's release the live one, in one atomic switch and without a restart. Nobody checks it first."""

from datetime import date
from pathlib import Path

from level2_basic_automation.store import releases, run_folder
from shared.release.manifest import digest_of
from shared.release.number import require_release
from shared.release.pointer import Pointer, point_to


def find_release(level: Path, wanted: str) -> str:
    """The release that is meant. Raises UsageError if there is no such one."""
    return require_release(wanted, releases(level))


def deploy(level: Path, release: str, as_of: date | None = None, actor: str = "operator") -> Pointer:
    """Point to a release. The service takes it over by itself; day and actor are recorded nowhere."""
    bundle = run_folder(level, find_release(level, release)) / "bundle"
    return point_to(level, Pointer(release, str(bundle.relative_to(level)), digest_of(bundle)))


def try_out(level: Path, release: str, as_of: date | None = None, actor: str = "operator") -> str:
    """What is found without making a release live: nothing, but for that it is there."""
    find_release(level, release)
    return ""

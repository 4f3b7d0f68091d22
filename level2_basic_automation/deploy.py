"""Make a run's release the live one, in one atomic switch and without a restart. Nobody checks it first."""

from pathlib import Path

from shared.places import home
from shared.release.manifest import digest_of
from shared.release.number import in_order, require_release
from shared.release.pointer import Pointer, point_to


def run_folder(level: Path, release: str) -> Path:
    """Where a release's run lies."""
    return level / "runs" / release


def releases(level: Path) -> list[str]:
    """The releases that were trained, in order."""
    folder = level / "runs"
    return in_order(run.name for run in folder.iterdir() if not run.name.startswith(".")) if folder.exists() else []


def deploy(release: str) -> Pointer:
    """Point to a release. The service takes it over by itself."""
    level = home() / "level2"
    require_release(release, releases(level))
    bundle = run_folder(level, release) / "bundle"
    return point_to(level, Pointer(release, str(bundle.relative_to(level)), digest_of(bundle)))

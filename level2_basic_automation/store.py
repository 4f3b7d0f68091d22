"""The folders of level 2's runs."""

from pathlib import Path

from shared.release.number import in_order, is_release


def run_folder(level: Path, release: str) -> Path:
    """The folder of a release's run."""
    return level / "runs" / release


def releases(level: Path) -> list[str]:
    """The releases that were trained, in order. What is not ours in the folder is passed over."""
    runs = run_folder(level, "")
    return in_order(run.name for run in runs.iterdir() if is_release(run.name)) if runs.exists() else []
